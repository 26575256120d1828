// SPDX-License-Identifier: MIT
// The watermarks' setting: written back as it was read, and what is told of it.
#include "machine/watermarks.hpp"

#include "fake_channel.hpp"
#include "setting_file.hpp"
#include "temporary_folder.hpp"

namespace memplug::test {
namespace {

class WatermarksTest : public testing::Test {
 protected:
  void recompute(const std::string& path) {
    Watermarks(path).recompute("unplug", captured_.output);
  }

  bool said(const std::string& text) const {
    return captured_.prose().find(text) != std::string::npos;
  }

  Captured captured_;
};

TEST_F(WatermarksTest, ValueIsWrittenBackAsItWasRead) {
  for (const std::string value : {"10\n", "3000\n", "7"}) {
    const SettingFile setting(value);
    ASSERT_FALSE(setting.written());
    recompute(setting.path());
    EXPECT_TRUE(setting.written()) << value;
    EXPECT_EQ(setting.content(), value);
  }
  EXPECT_EQ(captured_.prose(), "");
}

TEST_F(WatermarksTest, VerboseTellsIt) {
  captured_.output.style.verbose = true;
  const SettingFile setting("10\n");
  recompute(setting.path());
  EXPECT_TRUE(said("memplugctl: unplug: rewrote " + setting.path())) << captured_.prose();
}

TEST_F(WatermarksTest, FailureIsToldWithItsErrnoWhenVerbose) {
  captured_.output.style.verbose = true;
  recompute("/nonexistent/watermark_scale_factor");
  EXPECT_TRUE(said("cannot rewrite /nonexistent/watermark_scale_factor")) << captured_.prose();
  EXPECT_TRUE(said("ENOENT")) << captured_.prose();
}

TEST_F(WatermarksTest, FailureIsSilentOtherwise) {
  recompute("/nonexistent/watermark_scale_factor");
  EXPECT_EQ(captured_.prose(), "");
  captured_.output.style.verbose = true;
  captured_.output.style.quiet = true;
  recompute("/nonexistent/watermark_scale_factor");
  EXPECT_EQ(captured_.prose(), "");
}

TEST_F(WatermarksTest, MissingFileIsNotMade) {
  const TemporaryFolder folder;
  const std::string path = folder.root() + "/no-such-setting";
  recompute(path);
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST_F(WatermarksTest, WhatIsNotASettingIsLeftAlone) {
  captured_.output.style.verbose = true;
  for (const std::string& content : {std::string(), std::string(1000, '1')}) {
    const SettingFile setting(content);
    recompute(setting.path());
    EXPECT_FALSE(setting.written());
    EXPECT_EQ(setting.content(), content);
    EXPECT_TRUE(said("EINVAL")) << captured_.prose();
  }
}

}  // namespace
}  // namespace memplug::test
