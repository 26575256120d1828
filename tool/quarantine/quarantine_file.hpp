// SPDX-License-Identifier: MIT
// The file that remembers bad memory from one boot to the next.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "quarantine/bad_memory.hpp"

namespace memplug {

inline constexpr const char* default_quarantine_file = "/etc/memplug/quarantine";

// Who adds to it or takes something out holds a FileLock on it, from before reading it until the
// module knows, too: else two of them lose an entry, or the file and the module come apart.
class QuarantineFile {
 public:
  explicit QuarantineFile(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const { return path_; }

  // Bad pages, as parse_bad_memory() has them. Throws Failure if the file can't be read, also if
  // there is none; UsageError if something else is in it.
  [[nodiscard]] std::vector<Range> read() const;
  // The same, and nothing if there is no file.
  [[nodiscard]] std::vector<Range> read_if_there() const;
  // Adds pages at its end, and leaves what is there as it is. Makes the file, and its folder.
  void add(const std::vector<Range>& pages) const;
  // Takes pages out, at once. What is left is written anew, comments are not kept. False: they were
  // not in it, and it is as it was.
  [[nodiscard]] bool remove(const std::vector<Range>& pages) const;

 private:
  std::string path_;
};

}  // namespace memplug
