// SPDX-License-Identifier: MIT
// Bad memory as GRUB and the kernel take it. Pure. Each is one line with exactly these ranges, in
// their order, which parse_bad_memory() takes too; without ranges it is an empty string.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "memplug/quantity.hpp"

namespace memplug {

// "badram 0x0000000140000000,0xfffffffffffff000", GRUB's command: as many patterns as it takes to
// be exact. With a = for the blank, GRUB would set a variable and say nothing.
[[nodiscard]] std::string print_badram(const std::vector<Range>& ranges);
// The same as GRUB_BADRAM="...", for /etc/default/grub, which makes that command of it.
[[nodiscard]] std::string print_grub(const std::vector<Range>& ranges);
// "memmap=4K$0x140000000 memmap=...", as the kernel is to get it: no backslash before the $.
[[nodiscard]] std::string print_memmap(const std::vector<Range>& ranges);

// What Linux takes of its command line on x86: COMMAND_LINE_SIZE, less the 0 at its end.
inline constexpr std::size_t max_command_line = 2047;
// The length that a command line has with these options in it, in place of the memmap= that it has.
[[nodiscard]] std::size_t command_line_length(std::string_view options,
                                              std::string_view command_line);

}  // namespace memplug
