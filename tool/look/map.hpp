// SPDX-License-Identifier: MIT
// The picture of memory before it is drawn: cells of equal size in sections. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "memplug/device.hpp"

namespace memplug {

// What a cell shows. Later ones win where two have the same share of it.
enum class Shade { Absent, Unmanaged, Free, InUse, Blocked, Busy, Unplugged };
inline constexpr std::size_t shades = 7;

struct Cell {
  Range range;
  std::array<std::uint64_t, shades> bytes{};  // of each shade

  // What most of it is.
  [[nodiscard]] Shade shade() const;
};

// Memory without a large hole, of one node, or not managed.
struct Section {
  std::optional<int> node;
  std::vector<Cell> cells;
};

struct Map {
  Bytes cell;
  std::vector<Section> sections;
};

// At most about max_cells cells, none smaller than a subblock, beginning at multiples of their
// size. Stretches come as Device::survey() gives them.
[[nodiscard]] Map draw_map(const std::vector<Stretch>& stretches, Bytes subblock,
                           std::size_t max_cells);

[[nodiscard]] Shade shade_of(const Stretch& stretch);
// "in use"
[[nodiscard]] std::string_view shade_name(Shade shade);

}  // namespace memplug
