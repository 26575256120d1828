// SPDX-License-Identifier: MIT
// Which of the words that are known somebody may have meant.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace memplug {

// The one that the fewest characters, two at most, have to be put in, left out, changed or swapped
// for; the first of several. Nothing: none is that near.
[[nodiscard]] std::optional<std::string> most_similar(std::string_view word,
                                                      const std::vector<std::string>& known);

}  // namespace memplug
