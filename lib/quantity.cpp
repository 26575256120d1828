// SPDX-License-Identifier: MIT
// Checked parsing and exact printing of quantities. Every digit is judged here: the strto family
// and CLI11 take signs, octal and overflow silently.
#include "memplug/quantity.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <optional>
#include <system_error>

#include "memplug/failure.hpp"

namespace memplug {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t max_u64 = std::numeric_limits<std::uint64_t>::max();
constexpr std::string_view size_grammar =
    "a size is decimal, such as 64M, 1.5G, 2GiB, or a number of bytes";
constexpr std::string_view range_grammar =
    "a range is 0xFIRST-0xLAST with LAST inclusive, 0xFIRST+SIZE or 0xFIRST+0xSIZE";

[[noreturn]] void reject(std::string_view kind, std::string_view text, std::string_view why) {
  throw UsageError(std::string(kind) + " '" + std::string(text) + "': " + std::string(why));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// All of the text, in this base, without sign or prefix; nothing if that is not what it is.
std::optional<std::uint64_t> parse_digits(std::string_view text, int base) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc{} || stop != end) {
    return std::nullopt;
  }
  return value;
}

bool has_leading_zero(std::string_view digits) { return digits.size() > 1 && digits[0] == '0'; }

// K and KiB count in 1024, KB in 1000; nothing is one byte.
std::optional<std::uint64_t> parse_unit(std::string_view suffix) {
  if (suffix.empty() || suffix == "B") {
    return 1;
  }
  constexpr std::string_view letters = "kmgtpe";
  const std::size_t power = letters.find(to_lower(suffix[0]));
  if (power == std::string_view::npos) {
    return std::nullopt;
  }
  std::string rest(suffix.substr(1));
  std::transform(rest.begin(), rest.end(), rest.begin(), to_lower);
  std::uint64_t base = 0;
  if (rest.empty() || rest == "ib") {
    base = 1024;
  } else if (rest == "b") {
    base = 1000;
  } else {
    return std::nullopt;
  }
  std::uint64_t unit = 1;
  for (std::size_t i = 0; i <= power; ++i) {
    unit *= base;
  }
  return unit;
}

std::size_t count_digits(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) -
                                  text.begin());
}

// The bytes of 0.DIGITS units, if they are whole.
std::optional<std::uint64_t> parse_fraction(std::string_view digits, std::uint64_t unit) {
  // By hand, from the last digit: however many there are, what is carried is less than a unit.
  std::uint64_t carried = 0;
  for (; !digits.empty(); digits.remove_suffix(1)) {
    const std::uint64_t product = static_cast<std::uint64_t>(digits.back() - '0') * unit + carried;
    if (product % 10 != 0) {
      return std::nullopt;
    }
    carried = product / 10;
  }
  return carried;
}

std::optional<PhysAddr> parse_address(std::string_view text) {
  if (!looks_like_range(text)) {
    return std::nullopt;
  }
  const auto value = parse_digits(text.substr(2), 16);
  return value ? std::optional(PhysAddr{*value}) : std::nullopt;
}

}  // namespace

PhysAddr last_byte(Range range) { return PhysAddr{range.start.value + (range.size.value - 1)}; }

Bytes parse_size(std::string_view text) {
  const std::string_view whole_digits = text.substr(0, count_digits(text));
  std::string_view rest = text.substr(whole_digits.size());
  if (whole_digits.empty()) {
    reject("size", text, size_grammar);
  }
  if (has_leading_zero(whole_digits)) {
    reject("size", text, "a leading zero could mean octal; write it without");
  }
  std::string_view fraction_digits;
  if (!rest.empty() && rest[0] == '.') {
    fraction_digits = rest.substr(1, count_digits(rest.substr(1)));
    if (fraction_digits.empty()) {
      reject("size", text, size_grammar);
    }
    rest.remove_prefix(1 + fraction_digits.size());
  }
  // As sizes are printed.
  if (rest.size() > 1 && rest[0] == ' ') {
    rest.remove_prefix(1);
  }
  const auto unit = parse_unit(rest);
  if (!unit) {
    reject("size", text,
           "unknown unit; K, M, G, T, P, E and KiB, MiB, ... count in 1024, KB, MB, ... in 1000");
  }
  const auto whole = parse_digits(whole_digits, 10);
  if (!whole || Wide{*whole} * *unit > max_u64) {
    reject("size", text, "too large");
  }
  const auto fraction = parse_fraction(fraction_digits, *unit);
  if (!fraction) {
    reject("size", text, "not a whole number of bytes");
  }
  const Wide total = Wide{*whole} * *unit + *fraction;
  if (total > max_u64) {
    reject("size", text, "too large");
  }
  return Bytes{static_cast<std::uint64_t>(total)};
}

bool looks_like_range(std::string_view text) {
  return text.starts_with("0x") || text.starts_with("0X");
}

PhysAddr parse_physical_address(std::string_view text) {
  const auto address = parse_address(text);
  if (!address) {
    reject("address", text, "an address is hexadecimal, such as 0x140000000");
  }
  return *address;
}

Range parse_range(std::string_view text) {
  const std::size_t separator = text.find_first_of("-+");
  if (separator == std::string_view::npos) {
    reject("range", text, range_grammar);
  }
  const auto first = parse_address(text.substr(0, separator));
  if (!first) {
    reject("range", text, range_grammar);
  }
  const std::string_view second = text.substr(separator + 1);
  if (text[separator] == '-') {
    const auto last = parse_address(second);
    if (!last) {
      reject("range", text, range_grammar);
    }
    if (*last < *first) {
      reject("range", text, "its last byte lies before its first");
    }
    if (last->value - first->value == max_u64) {
      reject("range", text, "too large");
    }
    return Range{*first, Bytes{last->value - first->value + 1}};
  }
  const auto hexadecimal = parse_address(second);
  const Bytes size = hexadecimal ? Bytes{hexadecimal->value} : parse_size(second);
  if (size == Bytes{}) {
    reject("range", text, "it is empty");
  }
  if (size.value - 1 > max_u64 - first->value) {
    reject("range", text, "it passes the end of the address space");
  }
  return Range{*first, size};
}

std::chrono::nanoseconds parse_duration(std::string_view text) {
  constexpr std::string_view grammar = "a time is a whole number with ms, s or m: 500ms, 30s, 5m";
  const std::string_view digits = text.substr(0, count_digits(text));
  const std::string_view suffix = text.substr(digits.size());
  std::int64_t unit = 0;
  if (suffix == "ms") {
    unit = std::nano::den / std::milli::den;
  } else if (suffix == "s") {
    unit = std::nano::den;
  } else if (suffix == "m") {
    unit = std::nano::den * 60;
  }
  const auto count = parse_digits(digits, 10);
  if (unit == 0 || digits.empty() || has_leading_zero(digits)) {
    reject("time", text, grammar);
  }
  constexpr auto max_count = std::numeric_limits<std::int64_t>::max();
  if (!count || *count > static_cast<std::uint64_t>(max_count / unit)) {
    reject("time", text, "too long");
  }
  return std::chrono::nanoseconds(static_cast<std::int64_t>(*count) * unit);
}

std::uint64_t parse_page_frame(std::string_view text) {
  const auto address = parse_address(text);
  const auto value = address ? std::optional(address->value) : parse_digits(text, 10);
  if (!value || (!address && has_leading_zero(text))) {
    reject("page frame", text, "a page frame is a number, such as 1310720 or 0x140000");
  }
  return *value;
}

std::uint64_t parse_count(std::string_view text) {
  const auto value = parse_digits(text, 10);
  if (!value || *value == 0 || has_leading_zero(text)) {
    reject("count", text, "a count is a whole number from 1 upward, such as 10");
  }
  return *value;
}

int parse_node(std::string_view text) {
  constexpr std::uint64_t max_node = std::numeric_limits<int>::max();
  const auto value = parse_digits(text, 10);
  if (!value || *value > max_node || has_leading_zero(text)) {
    reject("node", text, "a node is a whole number, such as 0");
  }
  return static_cast<int>(*value);
}

std::string print_size(Bytes size) {
  struct Unit {
    std::string_view name;
    std::uint64_t bytes;
  };
  constexpr std::array units{Unit{"TiB", 1ULL << 40U}, Unit{"GiB", 1ULL << 30U},
                             Unit{"MiB", 1ULL << 20U}, Unit{"KiB", 1ULL << 10U}};
  for (const Unit& unit : units) {
    const std::uint64_t rest_in_hundred = size.value % unit.bytes * 100;
    if (size.value < unit.bytes || rest_in_hundred % unit.bytes != 0) {
      continue;
    }
    std::string text = std::to_string(size.value / unit.bytes);
    const std::uint64_t hundredths = rest_in_hundred / unit.bytes;
    if (hundredths != 0) {
      text += '.';
      text += static_cast<char>('0' + hundredths / 10);
      if (hundredths % 10 != 0) {
        text += static_cast<char>('0' + hundredths % 10);
      }
    }
    return text.append(" ").append(unit.name);
  }
  return std::to_string(size.value) + " B";
}

std::string print_size_argument(Bytes size) {
  std::string text = print_size(size);
  if (text.ends_with(" B")) {
    return text.substr(0, text.size() - 2);
  }
  std::erase(text, ' ');
  return text;
}

std::string print_address(PhysAddr address) {
  constexpr int digits = 16;
  std::array<char, digits + 3> text{};
  std::snprintf(text.data(), text.size(), "0x%016llx",
                static_cast<unsigned long long>(address.value));
  return text.data();
}

std::string print_range(Range range) {
  return print_address(range.start) + "-" + print_address(last_byte(range));
}

std::string print_duration(std::chrono::nanoseconds duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::duration<double>>(duration).count();
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), seconds < 10 ? "%.2f s" : "%.0f s", seconds);
  return text.data();
}

}  // namespace memplug
