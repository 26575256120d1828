// SPDX-License-Identifier: MIT
// memtester's words. They are the same in all of its versions since 4.0.
#include "ramtest/memtester_output.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <system_error>

namespace memplug {
namespace {

// Its exit status, bit by bit: 1 it did not begin, 2 the address test failed, 4 another one did.
constexpr int failed_bits = 2 | 4;
constexpr int all_bits = 1 | failed_bits;
constexpr std::size_t longest_message = 200;

PhysAddr page_of(std::uint64_t address) {
  return PhysAddr{address / bad_memory_page.value * bad_memory_page.value};
}

// The hexadecimal number after this word.
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view word) {
  const std::size_t begin = text.find(word);
  if (begin == std::string_view::npos) {
    return std::nullopt;
  }
  text.remove_prefix(begin + word.size());
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return error == std::errc{} && end != text.data() ? std::optional(value) : std::nullopt;
}

// For a terminal to see: memtester's progress has backspaces.
std::string printable(std::string_view line) {
  std::string text;
  for (const char c : line) {
    if (c >= ' ' && c <= '~') {
      text += c;
    }
  }
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  return text.substr(0, longest_message);
}

}  // namespace

void MemtesterOutput::add_stdout(std::string_view text) {
  stdout_.add(text, [this](std::string_view line) { take(line, last_of_stdout_); });
}

void MemtesterOutput::add_stderr(std::string_view text) {
  stderr_.add(text, [this](std::string_view line) { take(line, last_of_stderr_); });
}

void MemtesterOutput::finish() {
  take(stdout_.rest(), last_of_stdout_);
  take(stderr_.rest(), last_of_stderr_);
}

std::string MemtesterOutput::last_message() const {
  return last_of_stderr_.empty() ? last_of_stdout_ : last_of_stderr_;
}

void MemtesterOutput::take(std::string_view line, std::string& last) {
  constexpr std::string_view version_word = "memtester version ";
  // Its usage comes after the message that tells why.
  if (std::string text = printable(line); !text.empty() && !text.starts_with("Usage: ")) {
    last = std::move(text);
  }
  if (!version_ && line.starts_with(version_word)) {
    line.remove_prefix(version_word.size());
    version_ = printable(line.substr(0, line.find(' ')));
  }
  // In the middle of a line if both streams are one.
  if (const std::size_t begin = line.find("FAILURE: "); begin != std::string_view::npos) {
    names_failure_ = true;
    take_failure(line.substr(begin));
  }
}

void MemtesterOutput::take_failure(std::string_view line) {
  const auto address = number_after(line, "at physical address 0x");
  if (!address || *address < tested_.start.value || PhysAddr{*address} > last_byte(tested_)) {
    return;
  }
  MemtesterFailure failure{page_of(*address), std::nullopt};
  const std::uint64_t half = tested_.size.value / 2;
  const bool is_comparison = line.find("!=") != std::string_view::npos;
  if (is_comparison && *address - tested_.start.value < half) {
    const PhysAddr other = page_of(*address + half);
    if (other != failure.page) {
      failure.other = other;
    }
  }
  failures_.insert(failure);
}

Verdict judge(int wait_status, const MemtesterOutput& output) {
  if (output.names_failure()) {
    return Verdict::Bad;
  }
  if (!WIFEXITED(wait_status)) {
    return Verdict::None;
  }
  const int status = WEXITSTATUS(wait_status);
  // A shell that finds no memtester ends with 127, which has all of the bits.
  if (status <= all_bits && (status & failed_bits) != 0) {
    return Verdict::Bad;
  }
  return status == 0 ? Verdict::Good : Verdict::None;
}

std::string explain_no_verdict(int wait_status, const MemtesterOutput& output) {
  if (WIFSIGNALED(wait_status)) {
    const int signal = WTERMSIG(wait_status);
    return "signal " + std::to_string(signal) + " ended it" +
           (signal == SIGBUS ? ", as a memory error does that the machine can't correct; the "
                               "kernel's log tells if there was one"
                             : "");
  }
  const std::string message = output.last_message();
  return "it ended with status " + std::to_string(WEXITSTATUS(wait_status)) +
         (message.empty() ? "" : ": " + message);
}

}  // namespace memplug
