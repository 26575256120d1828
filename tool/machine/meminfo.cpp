// SPDX-License-Identifier: MIT
#include "machine/meminfo.hpp"

#include <cstdint>
#include <fstream>

namespace memplug {

// All its sizes are in KiB.
std::optional<Bytes> Meminfo::size(std::string_view name) const {
  std::ifstream file(path_);
  std::string word;
  std::uint64_t size = 0;
  while (file >> word) {
    if (word.ends_with(':') && std::string_view(word).substr(0, word.size() - 1) == name &&
        file >> size) {
      return Bytes{size * 1024};
    }
  }
  return std::nullopt;
}

}  // namespace memplug
