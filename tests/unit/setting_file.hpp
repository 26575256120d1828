// SPDX-License-Identifier: MIT
// A file that stands in for a setting below /proc/sys, and knows whether it was written.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>
#include <string>

#include "surroundings.hpp"

namespace memplug::test {

class SettingFile {
 public:
  explicit SettingFile(const std::string& content)
      : path_(testing::TempDir() + "setting-" + std::string(6, 'X')) {
    const int descriptor = ::mkstemp(path_.data());
    EXPECT_GE(descriptor, 0);
    EXPECT_EQ(::write(descriptor, content.data(), content.size()),
              static_cast<ssize_t>(content.size()));
    // Written back with the same bytes, a file differs in its time only.
    const std::array<timespec, 2> long_ago{timespec{1, 0}, timespec{1, 0}};
    EXPECT_EQ(::futimens(descriptor, long_ago.data()), 0);
    ::close(descriptor);
  }
  SettingFile(const SettingFile&) = delete;
  SettingFile& operator=(const SettingFile&) = delete;
  ~SettingFile() { ::unlink(path_.c_str()); }

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
  std::string path_;
};

// Nothing else of a machine is there.
inline Surroundings surroundings_with(const std::string& watermark_setting) {
  Surroundings surroundings("/nonexistent");
  surroundings.watermarks = Watermarks(watermark_setting);
  return surroundings;
}

}  // namespace memplug::test
