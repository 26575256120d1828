// SPDX-License-Identifier: MIT
// What Debian's memtester says, and what that means. Pure.
#pragma once

#include <compare>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "memplug/quantity.hpp"
#include "quarantine/bad_memory.hpp"

namespace memplug {

// Of a word that was not as it should be: the page that it is in, or the two of which one has it.
struct MemtesterFailure {
  PhysAddr page;
  // All tests but the first compare the halves of the memory word by word. Whichever of two words
  // is wrong, memtester names the one in the lower half; this is the page of the other.
  std::optional<PhysAddr> other;
  // clang-tidy 14 takes the zero inside a defaulted <=> for a null pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  auto operator<=>(const MemtesterFailure&) const = default;
};

// Lines that come in pieces, as a pipe gives them.
class LineSplitter {
 public:
  // Calls for each line that is whole by now.
  template <typename Take>
  void add(std::string_view text, Take take);
  // What is left without a newline.
  [[nodiscard]] const std::string& rest() const { return rest_; }

 private:
  // memtester shows its progress without newlines; what is before the end of that tells nothing.
  static constexpr std::size_t longest = 65536;
  static constexpr std::size_t kept = 1024;

  std::string rest_;
};

template <typename Take>
void LineSplitter::add(std::string_view text, Take take) {
  rest_ += text;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    take(std::string_view(rest_).substr(begin, end - begin));
  }
  rest_.erase(0, begin);
  if (rest_.size() > longest) {
    rest_.erase(0, rest_.size() - kept);
  }
}

// Of one run over one range. However much memtester has to say, this keeps pages only.
class MemtesterOutput {
 public:
  // The range that it tests.
  explicit MemtesterOutput(Range tested) : tested_(tested) {}

  void add_stdout(std::string_view text);
  void add_stderr(std::string_view text);
  // There is no more.
  void finish();

  // Whether it has named a failure at all, in this range or not.
  [[nodiscard]] bool names_failure() const { return names_failure_; }
  [[nodiscard]] const std::set<MemtesterFailure>& failures() const { return failures_; }
  // "4.6.0"
  [[nodiscard]] const std::optional<std::string>& version() const { return version_; }
  // Its last message, printable and short.
  [[nodiscard]] std::string last_message() const;

 private:
  void take(std::string_view line, std::string& last);
  void take_failure(std::string_view line);

  Range tested_;
  LineSplitter stdout_;
  LineSplitter stderr_;
  std::string last_of_stdout_;
  std::string last_of_stderr_;
  std::optional<std::string> version_;
  std::set<MemtesterFailure> failures_;
  bool names_failure_ = false;
};

enum class Verdict { Good, Bad, None };

// wait_status: as waitpid() tells of its end.
[[nodiscard]] Verdict judge(int wait_status, const MemtesterOutput& output);
// Why there is no verdict.
[[nodiscard]] std::string explain_no_verdict(int wait_status, const MemtesterOutput& output);

}  // namespace memplug
