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

// Sizes add up, scale, and divide into numbers; addresses move by sizes and differ by them. As with
// the numbers in them, it is the caller's that nothing wraps around.
constexpr Bytes& operator+=(Bytes& sum, Bytes more) {
  sum.value += more.value;
  return sum;
}
constexpr Bytes& operator-=(Bytes& rest, Bytes less) {
  rest.value -= less.value;
  return rest;
}
[[nodiscard]] constexpr Bytes operator+(Bytes one, Bytes other) { return one += other; }
[[nodiscard]] constexpr Bytes operator-(Bytes whole, Bytes part) { return whole -= part; }
[[nodiscard]] constexpr Bytes operator*(Bytes size, std::uint64_t times) {
  return {size.value * times};
}
[[nodiscard]] constexpr Bytes operator*(std::uint64_t times, Bytes size) { return size * times; }
[[nodiscard]] constexpr Bytes operator/(Bytes size, std::uint64_t parts) {
  return {size.value / parts};
}
// How many whole units there are.
[[nodiscard]] constexpr std::uint64_t operator/(Bytes size, Bytes unit) {
  return size.value / unit.value;
}
[[nodiscard]] constexpr Bytes operator%(Bytes size, Bytes unit) {
  return {size.value % unit.value};
}

constexpr PhysAddr& operator+=(PhysAddr& address, Bytes distance) {
  address.value += distance.value;
  return address;
}
[[nodiscard]] constexpr PhysAddr operator+(PhysAddr address, Bytes distance) {
  return address += distance;
}
[[nodiscard]] constexpr PhysAddr operator-(PhysAddr address, Bytes distance) {
  return {address.value - distance.value};
}
[[nodiscard]] constexpr Bytes operator-(PhysAddr address, PhysAddr lower) {
  return {address.value - lower.value};
}
// How far it is beyond a multiple of the unit.
[[nodiscard]] constexpr Bytes operator%(PhysAddr address, Bytes unit) {
  return {address.value % unit.value};
}

[[nodiscard]] PhysAddr last_byte(Range range);

// The parsers throw UsageError with the text they were given and what would be right.
[[nodiscard]] Bytes parse_size(std::string_view text);
[[nodiscard]] Range parse_range(std::string_view text);
// One address, hexadecimal with 0x.
[[nodiscard]] PhysAddr parse_physical_address(std::string_view text);
[[nodiscard]] std::chrono::nanoseconds parse_duration(std::string_view text);
// As the kernel's messages have it, hexadecimal with 0x, or decimal.
[[nodiscard]] std::uint64_t parse_page_frame(std::string_view text);
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
