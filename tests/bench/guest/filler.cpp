// SPDX-License-Identifier: MIT
// Fills a folder with files of equal size and deletes some of them again: memory that is in use in
// a known pattern. Mounts nothing, measures nothing.
//
//   filler FOLDER FILE_MEBIBYTES ALL_MEBIBYTES keep|alternate|first-half
#include <algorithm>
#include <string>

#include "memplug_device.hpp"

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

std::string file_name(const std::string& folder, std::size_t number) {
  return folder + "/" + std::to_string(number);
}

// fallocate makes the pages that a write would, in a fifth of the time; what is in them makes no
// difference to who has to move them.
void make_file(const std::string& path, std::size_t mebibytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    lab::die("%s: %s", path.c_str(), std::strerror(errno));
  }
  const int error = ::posix_fallocate(fd, 0, static_cast<off_t>(mebibytes * mebibyte));
  if (error != 0) {
    lab::die("%s: %s", path.c_str(), std::strerror(error));
  }
  ::close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: filler FOLDER FILE_MEBIBYTES ALL_MEBIBYTES keep|alternate|first-half\n",
               stderr);
    return 2;
  }
  const std::string folder = argv[1];
  const std::size_t file_mebibytes = std::stoul(argv[2]);
  const std::size_t files = std::stoul(argv[3]) / file_mebibytes;
  const std::string pattern = argv[4];
  for (std::size_t i = 0; i < files; ++i) {
    make_file(file_name(folder, i), file_mebibytes);
  }
  const std::size_t step = pattern == "alternate" ? 2 : 1;
  const std::size_t end = pattern == "keep" ? 0 : pattern == "first-half" ? files / 2 : files;
  for (std::size_t i = 0; i < end; i += step) {
    ::unlink(file_name(folder, i).c_str());
  }
  return 0;
}
