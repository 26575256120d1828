// SPDX-License-Identifier: MIT
// Lines may be anybody's: nothing in them is trusted to be short, whole or in its place.
#include "quarantine/error_log.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "quarantine/bad_memory.hpp"

namespace memplug {
namespace {

// Bits of a machine check's status, as Intel and AMD have them.
constexpr std::uint64_t status_valid = std::uint64_t{1} << 63U;
constexpr std::uint64_t status_uncorrected = std::uint64_t{1} << 61U;
constexpr std::uint64_t status_has_address = std::uint64_t{1} << 58U;
// The error code of a memory controller: 000F 0000 1MMM CCCC.
constexpr std::uint64_t code_mask = 0xef80;
constexpr std::uint64_t code_of_memory = 0x0080;

// What follows a word in a line; nothing: the word is not there.
std::optional<std::string_view> behind(std::string_view line, std::string_view word) {
  const auto at = line.find(word);
  return at == std::string_view::npos ? std::nullopt : std::optional(line.substr(at + word.size()));
}

// The number at the beginning of a text, with or without 0x.
std::optional<std::uint64_t> number_at(std::string_view text, int base) {
  if (base == 16 && text.starts_with("0x")) {
    text.remove_prefix(2);
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end != text.data() ? std::optional(number) : std::nullopt;
}

std::optional<std::uint64_t> number_behind(std::string_view line, std::string_view word) {
  const auto text = behind(line, word);
  return text ? number_at(*text, 16) : std::nullopt;
}

std::optional<PhysAddr> address_of_frame(std::optional<std::uint64_t> frame, std::uint64_t offset) {
  const std::uint64_t page = bad_memory_page.value;
  if (!frame || *frame > (std::numeric_limits<std::uint64_t>::max() - offset) / page) {
    return std::nullopt;
  }
  return PhysAddr{*frame * page + offset};
}

std::optional<MemoryError> of_edac(std::string_view line) {
  const auto text = behind(line, "EDAC MC");
  const auto counted = text ? behind(*text, ": ") : std::nullopt;
  if (!counted) {
    return std::nullopt;
  }
  const auto count = number_at(*counted, 10);
  const bool corrected = counted->find(" CE ") < counted->find('(');
  const bool uncorrected = counted->find(" UE ") < counted->find('(');
  const auto address = address_of_frame(number_behind(*counted, "page:"),
                                        number_behind(*counted, "offset:").value_or(0) % 4096);
  if (!count || *count == 0 || corrected == uncorrected || !address) {
    return std::nullopt;
  }
  return MemoryError{*address, corrected, *count};
}

std::optional<MemoryError> of_memory_failure(std::string_view line) {
  const auto text = behind(line, "Memory failure: ");
  const auto address = text ? address_of_frame(number_at(*text, 16), 0) : std::nullopt;
  if (!address || text->find("recovery action") == std::string_view::npos) {
    return std::nullopt;
  }
  return MemoryError{*address, false, 1};
}

std::optional<MemoryError> of_rasdaemon(std::string_view line) {
  const auto text = behind(line, "mc_event:");
  const auto address = text ? number_behind(*text, "address: ") : std::nullopt;
  if (!address) {
    return std::nullopt;
  }
  const auto corrected = text->find(" Corrected error");
  const auto uncorrected = std::min(text->find(" Uncorrected error"), text->find(" Fatal error"));
  const auto at = std::min(corrected, uncorrected);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  // The count is the word before.
  const std::string_view before = text->substr(0, at);
  const auto count = number_at(before.substr(before.find_last_of(' ') + 1), 10);
  return MemoryError{PhysAddr{*address}, corrected < uncorrected, count.value_or(1)};
}

}  // namespace

std::optional<MemoryError> ErrorLog::machine_check() {
  if (!status_ || !address_) {
    return std::nullopt;
  }
  const std::uint64_t status = *status_;
  const PhysAddr address = *address_;
  status_.reset();
  address_.reset();
  if ((status & status_valid) == 0 || (status & status_has_address) == 0 ||
      (status & code_mask) != code_of_memory) {
    return std::nullopt;
  }
  return MemoryError{address, (status & status_uncorrected) == 0, 1};
}

std::optional<MemoryError> ErrorLog::take(std::string_view line) {
  for (const auto& of : {of_edac, of_memory_failure, of_rasdaemon}) {
    if (const auto error = of(line)) {
      return error;
    }
  }
  // A new one: of the one before nothing more comes.
  if (line.find("Machine Check") != std::string_view::npos || line.starts_with("MCE ")) {
    status_.reset();
    address_.reset();
  }
  if (const auto check = behind(line, ": Machine Check")) {
    if (const auto text = behind(*check, " Bank ")) {
      status_ = number_behind(*text, ": ");
    }
  }
  if (const auto status = number_behind(line, "STATUS ")) {
    status_ = status;
  }
  if (const auto address = number_behind(line, "ADDR ")) {
    address_ = PhysAddr{*address};
  }
  return machine_check();
}

void ErrorCounts::forget_old(Clock::time_point now) {
  for (auto& [page, had] : pages_) {
    while (!had.empty() && now - had.front().when > window) {
      had.pop_front();
    }
  }
  std::erase_if(pages_, [](const auto& entry) { return entry.second.empty(); });
  // So many pages are no DIMM's; whoever writes such a log gets no memory for it.
  if (pages_.size() > max_bad_ranges) {
    pages_.clear();
  }
}

bool ErrorCounts::take(const MemoryError& error, Clock::time_point now) {
  const PhysAddr page = error.address - error.address % bad_memory_page;
  forget_old(now);
  if (error.corrected) {
    std::deque<Some>& had = pages_[page];
    had.push_back({now, std::min(error.count, threshold_)});
    std::uint64_t sum = 0;
    for (const Some& some : had) {
      // Neither is more than the threshold.
      sum = std::min(sum + some.count, threshold_);
    }
    if (sum < threshold_) {
      return false;
    }
  }
  pages_.erase(page);
  return true;
}

}  // namespace memplug
