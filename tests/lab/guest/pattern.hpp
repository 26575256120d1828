// SPDX-License-Identifier: MIT
// What is written into memory so that any word that changes, and any page in another page's place,
// is found. It must not repair anything.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lab {

inline constexpr std::size_t page_size = 4096;
inline constexpr std::size_t page_words = page_size / sizeof(std::uint64_t);

// Every word depends on the page's index, so that a page in another page's place is found too.
class Pattern {
 public:
  explicit Pattern(std::uint64_t seed) : seed_(seed) {}

  void fill(std::uint64_t index, std::uint64_t* page) const {
    std::uint64_t word = first(index);
    for (std::size_t i = 0; i < page_words; ++i, word = next(word)) {
      page[i] = word;
    }
  }

  // The first wrong word, or page_words.
  [[nodiscard]] std::size_t mismatch(std::uint64_t index, const std::uint64_t* page) const {
    std::uint64_t word = first(index);
    for (std::size_t i = 0; i < page_words; ++i, word = next(word)) {
      if (page[i] != word) {
        return i;
      }
    }
    return page_words;
  }

  // How many bytes of a page are wrong.
  [[nodiscard]] std::uint64_t wrong_bytes(std::uint64_t index, const std::uint64_t* page) const {
    std::uint64_t word = first(index);
    std::uint64_t wrong = 0;
    for (std::size_t i = 0; i < page_words; ++i, word = next(word)) {
      for (std::uint64_t difference = page[i] ^ word; difference != 0; difference >>= 8) {
        wrong += (difference & 0xff) != 0 ? 1 : 0;
      }
    }
    return wrong;
  }

 private:
  [[nodiscard]] std::uint64_t first(std::uint64_t index) const {
    return (index + 1) * 0x9E3779B97F4A7C15ULL ^ seed_;
  }
  static std::uint64_t next(std::uint64_t word) {
    return word * 6364136223846793005ULL + 1442695040888963407ULL;
  }

  std::uint64_t seed_;
};

}  // namespace lab
