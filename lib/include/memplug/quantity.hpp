// SPDX-License-Identifier: MIT
// Sizes, addresses, ranges, times and node numbers: checked parsing, exact printing.
// Nothing is rounded here. What a subblock is, and what a device allows, is not known here.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace memplug {

// clang-tidy 14 takes the zero inside a defaulted <=> for a null pointer.
// NOLINTBEGIN(modernize-use-nullptr)
struct Bytes {
  std::uint64_t value = 0;
  auto operator<=>(const Bytes&) const = default;
};

struct PhysAddr {
  std::uint64_t value = 0;
  auto operator<=>(const PhysAddr&) const = default;
};

// Never empty when it comes from parse_range(), and its last byte is representable.
struct Range {
  PhysAddr start;
  Bytes size;
  auto operator<=>(const Range&) const = default;
};
// NOLINTEND(modernize-use-nullptr)

[[nodiscard]] PhysAddr last_byte(Range range);

// The parsers throw UsageError with the text they were given and what would be right.
[[nodiscard]] Bytes parse_size(std::string_view text);
[[nodiscard]] Range parse_range(std::string_view text);
[[nodiscard]] std::chrono::nanoseconds parse_duration(std::string_view text);
// A number of things, not 0.
[[nodiscard]] std::uint64_t parse_count(std::string_view text);
[[nodiscard]] int parse_node(std::string_view text);

// A leading 0x tells a RANGE from a SIZE.
[[nodiscard]] bool looks_like_range(std::string_view text);

// "1.5 GiB": the largest unit that shows the value exactly with two decimals at most.
[[nodiscard]] std::string print_size(Bytes size);
// "1.5GiB": the same as parse_size() takes it.
[[nodiscard]] std::string print_size_argument(Bytes size);
[[nodiscard]] std::string print_address(PhysAddr address);
// Inclusive, as lsmem prints ranges.
[[nodiscard]] std::string print_range(Range range);
// "0.25 s", for people.
[[nodiscard]] std::string print_duration(std::chrono::nanoseconds duration);

}  // namespace memplug
