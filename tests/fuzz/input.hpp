// SPDX-License-Identifier: MIT
// The fuzzer's bytes, taken from the front as what a target needs. When they are used up all that
// comes is 0, so that every input means something.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

namespace memplug::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}

  [[nodiscard]] bool empty() const { return left_ == 0; }

  template <typename Number>
  Number number() {
    static_assert(std::is_integral_v<Number> && !std::is_same_v<Number, bool>);
    Number value = 0;
    fill(&value, sizeof(value));
    return value;
  }

  bool flag() { return (number<std::uint8_t>() & 1U) != 0; }

  // 0 to end - 1, of one byte where that will do.
  unsigned long below(unsigned long end) {
    return (end <= 256 ? number<std::uint8_t>() : number<std::uint16_t>()) % end;
  }

  // Numbers in which carries and edges are likely: a small one, a power of two give or take a
  // little, or anything.
  std::uint64_t quantity() {
    const auto kind = number<std::uint8_t>();
    if (kind == 0) {
      return 0;
    }
    if (kind >= 0xf0) {
      return number<std::uint64_t>();
    }
    // -128 to 127
    const std::uint64_t byte = number<std::uint8_t>();
    const std::uint64_t offset = byte < 128 ? byte : byte - 256;
    return kind >= 0xc0 ? offset : (std::uint64_t{1} << (kind % 64U)) + offset;
  }

  std::string text(std::size_t longest) {
    std::string result(std::min(longest, left_), '\0');
    fill(result.data(), result.size());
    return result;
  }

 private:
  void fill(void* to, std::size_t size) {
    const std::size_t some = std::min(size, left_);
    if (some == 0) {
      return;
    }
    std::memcpy(to, data_, some);
    data_ += some;
    left_ -= some;
  }

  const std::uint8_t* data_;
  std::size_t left_;
};

}  // namespace memplug::fuzz

// What libFuzzer and replay_main.cpp call. Each target defines it once.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
