// SPDX-License-Identifier: MIT
// Every parser of quantity.hpp on any text, and every printer on any number: what is taken means
// what it says, what is printed parses back, and what is refused is refused with UsageError.
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>

#include "input.hpp"
#include "memplug/failure.hpp"
#include "memplug/quantity.hpp"
#include "require.hpp"

namespace memplug::fuzz {
namespace {

constexpr std::uint64_t max_u64 = std::numeric_limits<std::uint64_t>::max();

// Nothing if it is refused. Anything but UsageError ends the program.
template <typename Parse>
auto accepted(Parse parse, const std::string& text) -> std::optional<decltype(parse(text))> {
  try {
    return parse(text);
  } catch (const UsageError& error) {
    const std::string message = error.what();
    require(message.find('\'') != std::string::npos, "a refusal names the text", message);
    return std::nullopt;
  }
}

bool is_only(const std::string& text, const char* characters) {
  return text.find_first_not_of(characters) == std::string::npos;
}

// The libc's opinion of a plain decimal number that fits.
std::optional<std::uint64_t> plain_number(const std::string& text) {
  if (text.empty() || !is_only(text, "0123456789") || (text.size() > 1 && text[0] == '0')) {
    return std::nullopt;
  }
  errno = 0;
  const std::uint64_t value = std::strtoull(text.c_str(), nullptr, 10);
  return errno == 0 ? std::optional(value) : std::nullopt;
}

void try_size(const std::string& text) {
  const auto size = accepted(parse_size, text);
  const auto plain = plain_number(text);
  require(!plain || (size && size->value == *plain), "a plain number is that many bytes", text);
  if (!size) {
    return;
  }
  require(is_only(text, "0123456789. kKmMgGtTpPeEiIbB"), "a size has digits and a unit", text);
  require(is_only(text.substr(0, 1), "0123456789"), "a size begins with a digit", text);
  require(plain || !is_only(text, "0123456789"), "digits that are taken are a plain number", text);
  require(parse_size(print_size_argument(*size)) == *size, "a printed size parses back", text);
  const auto more = accepted(parse_size, "1" + text);
  require(!more || *more > *size, "one more digit in front is more, or too much", text);
}

void try_range(const std::string& text) {
  const auto range = accepted(parse_range, text);
  if (!range) {
    return;
  }
  require(looks_like_range(text), "a range looks like one", text);
  require(range->size.value != 0, "a range is not empty", text);
  require(range->size.value - 1 <= max_u64 - range->start.value,
          "a range ends within the address space", text);
  require(last_byte(*range) >= range->start, "a range ends after its beginning", text);
  require(parse_range(print_range(*range)) == *range, "a printed range parses back", text);
}

void try_duration(const std::string& text) {
  const auto duration = accepted(parse_duration, text);
  if (!duration) {
    return;
  }
  require(duration->count() >= 0, "a time is not negative", text);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(*duration);
  require(ms == *duration, "a time is whole milliseconds", text);
  require(parse_duration(std::to_string(ms.count()) + "ms") == *duration,
          "the same time in milliseconds is the same", text);
  require(!print_duration(*duration).empty(), "a time can be printed", text);
}

void try_node(const std::string& text) {
  if (const auto node = accepted(parse_node, text)) {
    require(std::to_string(*node) == text, "a node is written in one way only", text);
  }
}

void try_numbers(Input input) {
  const Bytes size{input.quantity()};
  const PhysAddr address{input.quantity()};
  const std::string size_text = print_size_argument(size);
  require(parse_size(size_text) == size, "any size parses back", size_text);
  std::string spaced = print_size(size);
  require(size_text + " B" == spaced || spaced.erase(spaced.find(' '), 1) == size_text,
          "both ways to print a size say the same", spaced);

  const Range range{address, size};
  const bool valid = size.value != 0 && size.value - 1 <= max_u64 - address.value;
  const std::string with_size = print_address(address) + "+" + size_text;
  const auto parsed = accepted(parse_range, with_size);
  require(valid == parsed.has_value(), "a range is taken if it is one", with_size);
  if (valid) {
    require(*parsed == range, "a range with a size means it", with_size);
    const std::string printed = print_range(range);
    require(printed.size() == 37, "ranges are printed in equal width", printed);
    require(parse_range(printed) == range, "any range parses back", printed);
  }
  require(!print_duration(std::chrono::nanoseconds(input.number<std::int64_t>())).empty(),
          "any time can be printed");
}

}  // namespace
}  // namespace memplug::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using memplug::fuzz::Input;
  const std::string text = Input(data, size).text(size);
  memplug::fuzz::try_size(text);
  memplug::fuzz::try_range(text);
  memplug::fuzz::try_duration(text);
  memplug::fuzz::try_node(text);
  memplug::fuzz::try_numbers(Input(data, size));
  return 0;
}
