// SPDX-License-Identifier: MIT
// Lines may be anybody's: nothing in them is trusted to be short, whole or in its place.
#include "quarantine/error_log.hpp"

#include <algorithm>
#include <array>
#include <cctype>
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

// "MC0: 1 CE read error on DIMM_A1 (... page:0x12345 offset:0x680 ...)": what is between the kind
// and the name of the DIMM is the driver's, and may be nothing.
std::optional<MemoryError> of_edac(std::string_view text) {
  constexpr std::string_view begin = "EDAC MC";
  if (!text.starts_with(begin)) {
    return std::nullopt;
  }
  text.remove_prefix(begin.size());
  const auto number_end = text.find_first_not_of("0123456789");
  if (number_end == 0 || number_end == std::string_view::npos ||
      !text.substr(number_end).starts_with(": ")) {
    return std::nullopt;
  }
  text.remove_prefix(number_end + 2);
  const auto count = number_at(text, 10);
  text.remove_prefix(std::min(text.find_first_not_of("0123456789"), text.size()));
  const bool corrected = text.starts_with(" CE ");
  if (!count || *count == 0 || !(corrected || text.starts_with(" UE "))) {
    return std::nullopt;
  }
  text.remove_prefix(std::string_view(" CE ").size());
  const auto name = text.starts_with("on ") ? text : behind(text, " on ");
  const auto details = name ? behind(*name, " (") : std::nullopt;
  // A program of that name would have its number in brackets here, or what it did.
  if (!details || std::isalnum(static_cast<unsigned char>(text.front())) == 0) {
    return std::nullopt;
  }
  const auto address = address_of_frame(number_behind(*details, "page:"),
                                        number_behind(*details, "offset:").value_or(0) % 4096);
  return address ? std::optional(MemoryError{*address, corrected, *count, ErrorTeller::Edac})
                 : std::nullopt;
}

std::optional<MemoryError> of_memory_failure(std::string_view text) {
  constexpr std::string_view begin = "Memory failure: 0x";
  if (!text.starts_with(begin)) {
    return std::nullopt;
  }
  const auto address = address_of_frame(number_at(text.substr(begin.size()), 16), 0);
  const auto end = text.find(": ", begin.size());
  if (!address || end == std::string_view::npos ||
      !text.substr(end).starts_with(": recovery action for ")) {
    return std::nullopt;
  }
  return MemoryError{*address, false, 1, ErrorTeller::MemoryFailure};
}

// What is before mc_event is a task's name and number.
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
  return MemoryError{PhysAddr{*address}, corrected < uncorrected, count.value_or(1),
                     ErrorTeller::Rasdaemon};
}

bool is_of_mcelog(std::string_view text) {
  constexpr std::array<std::string_view, 5> begins{"MCE ", "CPU ", "MISC ", "ADDR ", "STATUS "};
  return std::ranges::any_of(begins, [text](auto begin) { return text.starts_with(begin); });
}

bool may_be(const LogEntry& entry, LogSource source) {
  return entry.source == source || entry.source == LogSource::Text;
}

}  // namespace

std::optional<MemoryError> ErrorLog::MachineCheck::take(std::string_view text, ErrorTeller teller) {
  const auto check = behind(text, ": Machine Check");
  // A new one: of the one before nothing more comes.
  if (check || text.starts_with("MCE ")) {
    status.reset();
    address.reset();
  }
  if (check) {
    if (const auto bank = behind(*check, " Bank ")) {
      status = number_behind(*bank, ": ");
    }
  } else if (text.starts_with("STATUS ")) {
    status = number_behind(text, "STATUS ");
  }
  if (const auto told = number_behind(text, "ADDR ")) {
    address = PhysAddr{*told};
  }
  if (!status || !address) {
    return std::nullopt;
  }
  const std::uint64_t bits = *std::exchange(status, std::nullopt);
  const PhysAddr where = *std::exchange(address, std::nullopt);
  if ((bits & status_valid) == 0 || (bits & status_has_address) == 0 ||
      (bits & code_mask) != code_of_memory) {
    return std::nullopt;
  }
  return MemoryError{where, (bits & status_uncorrected) == 0, 1, teller};
}

std::optional<MemoryError> ErrorLog::take(const LogEntry& entry) {
  std::string_view text = entry.message;
  if (may_be(entry, LogSource::Kernel)) {
    for (const auto& of : {of_edac, of_memory_failure}) {
      if (const auto error = of(text)) {
        return error;
      }
    }
    constexpr std::string_view hardware_error = "mce: [Hardware Error]: ";
    if (text.starts_with(hardware_error)) {
      return kernels_.take(text.substr(hardware_error.size()), ErrorTeller::MachineCheck);
    }
  }
  if (may_be(entry, LogSource::Mcelog) && is_of_mcelog(text)) {
    return mcelogs_.take(text, ErrorTeller::Mcelog);
  }
  return may_be(entry, LogSource::Rasdaemon) ? of_rasdaemon(text) : std::nullopt;
}

void ErrorCounts::forget_old(LogEntry::Time now) {
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

bool ErrorCounts::is_settled(PhysAddr page) const {
  return std::ranges::any_of(settled_, [page](const Range& range) {
    return page >= range.start && page - range.start < range.size;
  });
}

void ErrorCounts::settle(Range pages) {
  // What more there may be is told of again.
  if (settled_.size() >= max_bad_ranges) {
    settled_.clear();
  }
  settled_.push_back(pages);
}

bool ErrorCounts::take(const MemoryError& error, LogEntry::Time when) {
  const PhysAddr page = error.address - error.address % bad_memory_page;
  if (is_settled(page)) {
    return false;
  }
  if (!error.corrected) {
    return true;
  }
  forget_old(when);
  std::deque<Some>& had = pages_[{page, error.teller}];
  had.push_back({when, std::min(error.count, threshold_)});
  // The newest that are too many are enough to know.
  std::uint64_t sum = 0;
  auto some = had.rbegin();
  while (some != had.rend() && sum < threshold_) {
    // Neither is more than the threshold.
    sum = std::min(sum + some->count, threshold_);
    ++some;
  }
  had.erase(had.begin(), some.base());
  return sum >= threshold_;
}

}  // namespace memplug
