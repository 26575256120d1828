// SPDX-License-Identifier: MIT
#include "words/similar.hpp"

#include <algorithm>
#include <cstddef>

namespace memplug {
namespace {

constexpr std::size_t most_changes = 2;

// The optimal string alignment distance, a row at a time.
std::size_t changes(std::string_view from, std::string_view to) {
  std::vector<std::size_t> before_last(to.size() + 1);
  std::vector<std::size_t> last(to.size() + 1);
  std::vector<std::size_t> row(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= from.size(); ++i) {
    before_last = last;
    last = row;
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t changed = from[i - 1] == to[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + changed});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[to.size()];
}

}  // namespace

std::optional<std::string> most_similar(std::string_view word,
                                        const std::vector<std::string>& known) {
  std::optional<std::string> found;
  // What is all changed is no likeness.
  std::size_t least = std::min(most_changes + 1, word.size());
  for (const std::string& one : known) {
    if (const std::size_t needed = changes(word, one); needed < least) {
      least = needed;
      found = one;
    }
  }
  return found;
}

}  // namespace memplug
