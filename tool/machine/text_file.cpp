// SPDX-License-Identifier: MIT
// Written beside itself and renamed: who reads it, or boots after a crash, has all of the old or
// all of the new.
#include "machine/text_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdio>
#include <filesystem>
#include <random>
#include <system_error>
#include <thread>
#include <utility>

#include "memplug/failure.hpp"
#include "terminal/interrupt.hpp"

namespace memplug {
namespace {

namespace fs = std::filesystem;

constexpr mode_t file_mode = 0644;
constexpr mode_t folder_mode = 0755;
constexpr mode_t lock_mode = 0600;
// More than the longest file with all that a quarantine may have, or a test remembers.
constexpr std::size_t max_size = std::size_t{16} << 20U;
constexpr int max_links = 40;
constexpr int max_scratch_names = 100;
constexpr std::chrono::seconds longest_wait{30};

[[noreturn]] void fail(int error_number, const std::string& what) {
  throw Failure(error_number, with_reason(what, error_number),
                error_number == EACCES || error_number == EPERM || error_number == EROFS
                    ? "run it as root, or name another file"
                    : "");
}

bool is_ours(const struct stat& status) {
  return status.st_uid == ::geteuid() || status.st_uid == 0;
}

// Where a link leads to; nothing: it is none, or nothing is there. Looked at and read as one, so
// that it can't become another one in between.
std::optional<fs::path> read_link(const std::string& path) {
  const FileDescriptor link(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!link.is_open() || ::fstat(link.number(), &status) != 0 || !S_ISLNK(status.st_mode)) {
    return std::nullopt;
  }
  if (!is_ours(status)) {
    fail(EACCES, "cannot follow " + path + ", which is a link of another user's");
  }
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlinkat(link.number(), "", target.data(), target.size());
  if (length < 0) {
    fail(errno, "cannot read " + path);
  }
  return fs::path(std::string(target.data(), static_cast<std::size_t>(length)));
}

// Where the text is, or would be, be it there or not. A link that another user has planted, as in
// /tmp, is not followed: it leads where they can't write and we can.
std::string follow_links(const std::string& path) {
  std::string at = path;
  for (int links = 0; links <= max_links; ++links) {
    const std::optional<fs::path> target = read_link(at);
    if (!target) {
      return at;
    }
    at = (fs::path(at).parent_path() / *target).string();
  }
  fail(ELOOP, "cannot read " + path);
}

std::string folder_of(const std::string& path) { return fs::absolute(path).parent_path().string(); }

// Each with the mode that a folder of root's has, whatever the umask leaves.
void make_folders(const fs::path& folder) {
  fs::path at;
  for (const fs::path& name : folder) {
    at /= name;
    if (::mkdir(at.c_str(), folder_mode) == 0) {
      continue;
    }
    // Not EEXIST alone: where the file system is read-only, a folder that is there will do.
    const int error = errno;
    std::error_code unreadable;
    if (!fs::is_directory(at, unreadable)) {
      // Something else of that name is no folder.
      fail(error == EEXIST ? ENOTDIR : error, "cannot make the folder " + at.string());
    }
  }
}

// A new file beside another one, of a name that nobody can foresee. Removed at its end, unless it
// has become the other one.
class Scratch {
 public:
  explicit Scratch(std::string path) : path_(std::move(path)), file_(open(path_)) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    if (!path_.empty()) {
      ::unlink(path_.c_str());
    }
  }

  // As the file that it is to replace has it.
  void take_over(const struct stat& old) const {
    // Root's privilege; for others it is theirs already, or stays ours.
    static_cast<void>(::fchown(file_.number(), old.st_uid, old.st_gid));
    if (::fchmod(file_.number(), old.st_mode & ALLPERMS) != 0) {
      fail(errno, "cannot write " + path_);
    }
  }

  void write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t written = ::write(file_.number(), text.data(), text.size());
      if (written < 0 && errno != EINTR) {
        fail(errno, "cannot write " + path_);
      }
      text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
    if (::fsync(file_.number()) != 0) {
      fail(errno, "cannot write " + path_);
    }
  }

  void rename_to(const std::string& path) {
    if (::rename(path_.c_str(), path.c_str()) != 0) {
      fail(errno, "cannot write " + path);
    }
    path_.clear();
  }

 private:
  // Never one that is there, be it a link.
  static int open(std::string& path) {
    const std::string beside = path + ".";
    std::random_device random;
    for (int tries = 0; tries < max_scratch_names; ++tries) {
      std::array<char, 16> name{};
      static_cast<void>(std::snprintf(name.data(), name.size(), "%08x.new", random()));
      path = beside + name.data();
      const int file =
          ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, file_mode);
      if (file >= 0 || errno != EEXIST) {
        return file >= 0 ? file : refuse(path);
      }
    }
    return refuse(path);
  }

  [[noreturn]] static int refuse(const std::string& path) { fail(errno, "cannot write " + path); }

  std::string path_;
  FileDescriptor file_;
};

void sync_folder(const std::string& folder) {
  const FileDescriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.is_open() || ::fsync(directory.number()) != 0) {
    fail(errno, "cannot write the folder " + folder);
  }
}

// As open() returned it; -1: without one. Who only reads leaves nothing behind: as long as there is
// no lock, nobody has written.
int open_lock(const std::string& path, FileLock::For purpose) {
  const std::string target = follow_links(path);
  const std::string lock = target + ".lock";
  constexpr int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  int file = ::open(lock.c_str(), flags);
  if (purpose == FileLock::For::Reading) {
    return file;
  }
  if (file < 0 && errno == ENOENT) {
    make_folders(folder_of(target));
    file = ::open(lock.c_str(), flags | O_CREAT, lock_mode);
  }
  if (file < 0) {
    fail(errno, "cannot make the lock " + lock);
  }
  return file;
}

}  // namespace

bool is_file_there(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    return true;
  }
  if (errno != ENOENT) {
    fail(errno, "cannot read " + path);
  }
  return false;
}

std::string read_file(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  std::string text;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t got =
        file.is_open() ? ::read(file.number(), buffer.data(), buffer.size()) : ssize_t{-1};
    if (got < 0) {
      fail(errno, "cannot read " + path);
    }
    if (got == 0) {
      return text;
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > max_size) {
      fail(EFBIG, "cannot read " + path);
    }
  }
}

void replace_file(const std::string& path, std::string_view text) {
  const std::string target = follow_links(path);
  const std::string folder = folder_of(target);
  make_folders(folder);
  struct stat old {};
  const bool was_there = ::stat(target.c_str(), &old) == 0;
  if (was_there && !S_ISREG(old.st_mode)) {
    fail(S_ISDIR(old.st_mode) ? EISDIR : EINVAL, "cannot write " + path);
  }
  Scratch scratch(target);
  if (was_there) {
    scratch.take_over(old);
  }
  scratch.write(text);
  scratch.rename_to(target);
  sync_folder(folder);
}

void remove_file(const std::string& path) {
  if (::unlink(path.c_str()) == 0) {
    sync_folder(folder_of(path));
  } else if (errno != ENOENT) {
    fail(errno, "cannot remove " + path);
  }
}

std::optional<std::string> why_not_ours(const std::string& path) {
  struct stat status {};
  // A link may lead to a file of ours that was not meant.
  if (::stat(follow_links(path).c_str(), &status) != 0) {
    fail(errno, "cannot read " + path);
  }
  if (!is_ours(status)) {
    return "it belongs to another user";
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return "others may write to it";
  }
  return std::nullopt;
}

FileLock::FileLock(const std::string& path, For purpose) : file_(open_lock(path, purpose)) {
  const auto end = std::chrono::steady_clock::now() + longest_wait;
  while (file_.is_open() && ::flock(file_.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      fail(errno, "cannot lock " + path + ".lock");
    }
    if (InterruptGuard::interrupted()) {
      throw Failure(EINTR, "interrupted while another process had " + path + " locked", "");
    }
    if (std::chrono::steady_clock::now() >= end) {
      throw Failure(EBUSY, "another process has " + path + " locked",
                    "'fuser " + path + ".lock' tells which; try again when it has ended");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace memplug
