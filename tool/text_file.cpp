// SPDX-License-Identifier: MIT
// Written beside itself and renamed: who reads it, or boots after a crash, has all of the old or
// all of the new.
#include "text_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "file_descriptor.hpp"
#include "memplug/failure.hpp"

namespace memplug {
namespace {

constexpr mode_t file_mode = 0644;

[[noreturn]] void fail(int error_number, const std::string& what) {
  throw Failure(error_number, with_reason(what, error_number),
                error_number == EACCES || error_number == EROFS
                    ? "run it as root, or name another file"
                    : "");
}

void write_all(const FileDescriptor& file, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(file.number(), text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      fail(errno, "cannot write " + path);
    }
    text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  if (::fsync(file.number()) != 0) {
    fail(errno, "cannot write " + path);
  }
}

}  // namespace

bool is_file_there(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

std::string read_file(const std::string& path) {
  std::error_code error;
  // It can be opened, and not be read.
  if (std::filesystem::is_directory(path, error)) {
    fail(EISDIR, "cannot read " + path);
  }
  errno = 0;
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    fail(errno != 0 ? errno : EIO, "cannot read " + path);
  }
  return text;
}

void replace_file(const std::string& path, std::string_view text) {
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    fail(error.value(), "cannot make the folder " + folder.string());
  }
  const std::string scratch = path + ".new";
  const FileDescriptor file(
      ::open(scratch.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, file_mode));
  if (!file.is_open()) {
    fail(errno, "cannot write " + scratch);
  }
  write_all(file, text, scratch);
  if (::rename(scratch.c_str(), path.c_str()) != 0) {
    const int error_number = errno;
    ::unlink(scratch.c_str());
    fail(error_number, "cannot write " + path);
  }
  const FileDescriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.is_open()) {
    ::fsync(directory.number());
  }
}

}  // namespace memplug
