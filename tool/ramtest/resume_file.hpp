// SPDX-License-Identifier: MIT
// What a memory test has found so far, in a file, for another one to go on from. The text is JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ramtest/memory_book.hpp"

namespace memplug {

struct ResumeState {
  // What was tested: results of other tests are no results.
  std::optional<std::vector<unsigned>> tests;  // none: all
  std::uint64_t loops = 1;
  KnownMemory known;
};

[[nodiscard]] std::string print_resume(const ResumeState& state);
// Throws UsageError, with the file's name, if it is anything else than that.
[[nodiscard]] ResumeState parse_resume(std::string_view text, const std::string& name);

// What both know; where both know something bad of the same memory, what the newer one does.
[[nodiscard]] KnownMemory join(const KnownMemory& older, const KnownMemory& newer);

class ResumeFile {
 public:
  explicit ResumeFile(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const { return path_; }
  // What it knows; nothing new if there is no file. Throws UsageError if its tests and loops are
  // other ones, if it is something else, or if others may have written it.
  void read(const ResumeState& asked);
  // What is known beside that.
  void write(const KnownMemory& known);
  [[nodiscard]] const KnownMemory& known() const { return state_.known; }

 private:
  std::string path_;
  ResumeState state_;
};

}  // namespace memplug
