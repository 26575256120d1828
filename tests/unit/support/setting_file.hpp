// SPDX-License-Identifier: MIT
// A file that stands in for a setting below /proc/sys, and knows whether it was written.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <fstream>
#include <sstream>
#include <string>

#include "machine/surroundings.hpp"
#include "temporary_folder.hpp"

namespace memplug::test {

class SettingFile {
 public:
  explicit SettingFile(const std::string& content) {
    folder_.write("/setting", content);
    // Written back with the same bytes, a file differs in its time only.
    const std::array<timespec, 2> long_ago{timespec{1, 0}, timespec{1, 0}};
    EXPECT_EQ(::utimensat(AT_FDCWD, path_.c_str(), long_ago.data(), 0), 0);
  }

  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] std::string content() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

  [[nodiscard]] bool written() const {
    struct stat status {};
    EXPECT_EQ(::stat(path_.c_str(), &status), 0);
    return status.st_mtim.tv_sec != 1;
  }

 private:
  TemporaryFolder folder_;
  std::string path_ = folder_.root() + "/setting";
};

// Nothing else of a machine is there.
inline Surroundings surroundings_with(const std::string& watermark_setting) {
  Surroundings surroundings("/nonexistent");
  surroundings.watermarks = Watermarks(watermark_setting);
  return surroundings;
}

}  // namespace memplug::test
