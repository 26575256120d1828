// SPDX-License-Identifier: MIT
// Draws a map: for a terminal or a file of text, and as SVG.
#pragma once

#include <string>

#include "look/map.hpp"
#include "terminal/output.hpp"

namespace memplug {

struct Canvas {
  std::size_t width = 80;  // in characters
  bool colour = false;
};

// How many cells a line has, beside its address.
[[nodiscard]] std::size_t cells_in_line(const Canvas& canvas);

[[nodiscard]] std::string map_text(const Map& map, const Canvas& canvas, const OutputStyle& style);
// A document of its own: no script, no font, nothing that it would have to fetch.
[[nodiscard]] std::string map_svg(const Map& map, const OutputStyle& style);

}  // namespace memplug
