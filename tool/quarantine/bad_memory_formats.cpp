// SPDX-License-Identifier: MIT
// Ranges as patterns and as options of the kernel.
#include "quarantine/bad_memory_formats.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>

namespace memplug {
namespace {

std::string print_patterns(const std::vector<Range>& ranges) {
  std::string text;
  for (const Range& range : ranges) {
    std::uint64_t start = range.start.value;
    for (std::uint64_t left = range.size.value; left != 0;) {
      // The largest that fits and that begins at a multiple of itself; 0 is one of everything.
      const std::uint64_t lowest_bit = start & (~start + 1);
      const std::uint64_t fitting = std::bit_floor(left);
      const std::uint64_t piece = start == 0 ? fitting : std::min(lowest_bit, fitting);
      text += text.empty() ? "" : ",";
      text += print_address(PhysAddr{start}) + "," + print_address(PhysAddr{~(piece - 1)});
      start += piece;
      left -= piece;
    }
  }
  return text;
}

// The largest unit that shows it exactly.
std::string print_kernel_size(Bytes size) {
  struct Unit {
    char letter;
    unsigned bits;
  };
  for (const Unit unit : {Unit{'G', 30}, Unit{'M', 20}, Unit{'K', 10}}) {
    if (size.value % (1ULL << unit.bits) == 0) {
      return std::to_string(size.value >> unit.bits) + unit.letter;
    }
  }
  return std::to_string(size.value);
}

std::string print_short_address(PhysAddr address) {
  std::array<char, 16> digits{};
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), address.value, 16);
  return "0x" + std::string(digits.data(), end);
}

}  // namespace

std::string print_badram(const std::vector<Range>& ranges) {
  return ranges.empty() ? "" : "badram " + print_patterns(ranges) + "\n";
}

std::string print_grub(const std::vector<Range>& ranges) {
  return ranges.empty() ? "" : "GRUB_BADRAM=\"" + print_patterns(ranges) + "\"\n";
}

std::string print_memmap(const std::vector<Range>& ranges) {
  std::string text;
  for (const Range& range : ranges) {
    text += text.empty() ? "memmap=" : " memmap=";
    text += print_kernel_size(range.size) + "$" + print_short_address(range.start);
  }
  return text.empty() ? "" : text + "\n";
}

std::size_t command_line_length(std::string_view options, std::string_view command_line) {
  constexpr std::string_view blanks = " \t\n";
  std::size_t length = options.size();
  while (!command_line.empty()) {
    const std::size_t end = std::min(command_line.find_first_of(blanks), command_line.size());
    const std::string_view word = command_line.substr(0, end);
    command_line.remove_prefix(std::min(end + 1, command_line.size()));
    if (!word.empty() && !word.starts_with("memmap=")) {
      length += word.size() + 1;
    }
  }
  return length;
}

}  // namespace memplug
