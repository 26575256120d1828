// SPDX-License-Identifier: MIT
// Small files of text, whole. Errors are Failure, with the file's name. A symbolic link is
// followed: what is read, replaced and locked is the file that it leads to. What is replaced or
// locked, or has to be ours, is not looked for behind another user's link.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "file_descriptor.hpp"

namespace memplug {

// False only if there is none: a file that can't be looked for is an error.
[[nodiscard]] bool is_file_there(const std::string& path);
// Also of a pipe. It has a limit of a few MiB: EFBIG.
[[nodiscard]] std::string read_file(const std::string& path);
// All of it or, whatever happens, what was there before. Makes the file, and its folder; a file
// that was there keeps its mode and its owner. What is left of a write that fails is removed. Two
// writers don't get in each other's way, but whose text stays is their lock's matter.
void replace_file(const std::string& path, std::string_view text);
// For good, also after a loss of power. What is not there is no failure; of a link the link goes.
void remove_file(const std::string& path);

// Whether others may have written what is in it: it belongs to somebody else than us and root, or
// others may write to it. The file is not to be believed then. None if it is ours alone, else what
// is wrong with it.
[[nodiscard]] std::optional<std::string> why_not_ours(const std::string& path);

// One process at a time: a lock on a file beside the one at the path, with ".lock" at its end,
// which stays. Waits for it, some seconds at the most, or until the InterruptGuard has seen a
// signal.
class FileLock {
 public:
  enum class For {
    Writing,  // makes the folder and the lock
    Reading,  // where there is no lock, or none that may be had, goes without
  };

  explicit FileLock(const std::string& path, For purpose = For::Writing);

 private:
  FileDescriptor file_;
};

}  // namespace memplug
