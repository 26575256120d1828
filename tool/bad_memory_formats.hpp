// SPDX-License-Identifier: MIT
// Bad memory as GRUB and the kernel take it. Pure. Each is one line with exactly these ranges, in
// their order, which parse_bad_memory() takes too; without ranges it is an empty string.
#pragma once

#include <string>
#include <vector>

#include "memplug/quantity.hpp"

namespace memplug {

// "badram=0x0000000140000000,0xfffffffffffff000": as many patterns as it takes to be exact.
[[nodiscard]] std::string print_badram(const std::vector<Range>& ranges);
// The same as GRUB_BADRAM="...", for /etc/default/grub.
[[nodiscard]] std::string print_grub(const std::vector<Range>& ranges);
// "memmap=4K$0x140000000 memmap=...", as the kernel is to get it: no backslash before the $.
[[nodiscard]] std::string print_memmap(const std::vector<Range>& ranges);

}  // namespace memplug
