// SPDX-License-Identifier: MIT
// Bad memory: the quarantine file, and sets of ranges. Pure. What is bad is whole pages.
// Ranges are never empty, here as in quantity.hpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "memplug/quantity.hpp"

namespace memplug {

inline constexpr Bytes bad_memory_page{4096};
// Bounds what a pattern with gaps in its mask can cost.
inline constexpr std::size_t max_bad_ranges = 4096;

// The ranges of a quarantine file, in whole pages, sorted; none overlaps or touches another.
// One entry a line; # begins a comment, and blanks around an entry don't count. A list that ends in
// a comma goes on in the next line that is not empty, which may not begin another entry:
//   0xFIRST-0xLAST, 0xFIRST+SIZE           as parse_range() takes them
//   badram ADDRESS,MASK[,ADDRESS,MASK...]  or badram= or GRUB_BADRAM=, in quotes or not: each
//                                          address that agrees with ADDRESS where MASK has a 1
//   memmap=SIZE$ADDRESS                    several of them with commas or blanks between, and
//                                          with backslashes before the $ or not
// What badram has is hexadecimal with 0x; what memmap= has is that, or decimal with K, M, G, ...
// A mask has 8 to 16 digits, and ones above them: 0xfffff000 means 0xfffffffffffff000.
// Throws UsageError with the file's name, the line, the entry and what would be right. Such is also
// the entry with which there are more than max_bad_ranges, or with which the gaps in masks alone
// have made as many.
[[nodiscard]] std::vector<Range> parse_bad_memory(std::string_view text, std::string_view name);

// A quarantine file with these ranges, in their order, below a comment.
[[nodiscard]] std::string print_bad_memory(const std::vector<Range>& ranges);

// The smallest range of whole units that has all of this one; the unit is not 0. Where the address
// space ends within a unit, so does the range. Throws UsageError if it would be the whole address
// space, whose size no Range can tell.
[[nodiscard]] Range round_outward(Range range, Bytes unit);
// Sorted, and those that overlap or touch made one. Throws UsageError as round_outward() does.
[[nodiscard]] std::vector<Range> merge(std::vector<Range> ranges);
// What is left of each range, in their order.
[[nodiscard]] std::vector<Range> subtract(const std::vector<Range>& from, Range what);

}  // namespace memplug
