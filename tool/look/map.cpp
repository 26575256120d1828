// SPDX-License-Identifier: MIT
// Cells from a survey.
#include "look/map.hpp"

#include <algorithm>

#include "look/survey.hpp"

namespace memplug {
namespace {

// A hole of so many cells ends a section; a smaller one is shown.
constexpr std::uint64_t max_shown_hole = 8;

std::uint64_t end_of(Range range) { return range.start.value + range.size.value; }

Bytes cell_size(const std::vector<Stretch>& stretches, Bytes subblock, std::size_t max_cells) {
  std::uint64_t present = 0;
  for (const Stretch& stretch : stretches) {
    if (shade_of(stretch) != Shade::Absent) {
      present += stretch.range.size.value;
    }
  }
  Bytes cell = subblock;
  while (present / cell.value > max_cells) {
    cell.value *= 2;
  }
  return cell;
}

class Drawer {
 public:
  explicit Drawer(Bytes cell) : map_{cell, {}} {}

  void add(const Stretch& stretch) {
    const Shade shade = shade_of(stretch);
    if (shade == Shade::Absent) {
      hole_ += stretch.range.size.value;
      return;
    }
    if (begins_section(stretch)) {
      map_.sections.push_back({stretch.node, {}});
    }
    hole_ = 0;
    paint(stretch.range, shade);
  }

  [[nodiscard]] Map take() {
    for (Section& section : map_.sections) {
      for (Cell& cell : section.cells) {
        fill_up(cell);
      }
    }
    return std::move(map_);
  }

 private:
  [[nodiscard]] bool begins_section(const Stretch& stretch) const {
    if (map_.sections.empty() || hole_ > max_shown_hole * map_.cell.value) {
      return true;
    }
    // What is not managed is shown where it is.
    return stretch.node && stretch.node != map_.sections.back().node;
  }

  void paint(Range range, Shade shade) {
    std::vector<Cell>& cells = map_.sections.back().cells;
    std::uint64_t at = range.start.value;
    while (at < end_of(range)) {
      const std::uint64_t first = at / map_.cell.value * map_.cell.value;
      if (cells.empty()) {
        cells.push_back({{PhysAddr{first}, map_.cell}, {}});
      }
      while (end_of(cells.back().range) <= at) {
        cells.push_back({{PhysAddr{end_of(cells.back().range)}, map_.cell}, {}});
      }
      const std::uint64_t part = std::min(end_of(range), first + map_.cell.value) - at;
      cells.back().bytes.at(static_cast<std::size_t>(shade)) += part;
      at += part;
    }
  }

  static void fill_up(Cell& cell) {
    std::uint64_t painted = 0;
    for (const std::uint64_t part : cell.bytes) {
      painted += part;
    }
    cell.bytes.at(static_cast<std::size_t>(Shade::Absent)) += cell.range.size.value - painted;
  }

  Map map_;
  std::uint64_t hole_ = 0;
};

}  // namespace

Shade Cell::shade() const {
  Shade most = Shade::Absent;
  for (std::size_t i = 1; i < shades; ++i) {
    if (bytes.at(i) >= bytes.at(static_cast<std::size_t>(most)) && bytes.at(i) != 0) {
      most = static_cast<Shade>(i);
    }
  }
  return most;
}

Map draw_map(const std::vector<Stretch>& stretches, Bytes subblock, std::size_t max_cells) {
  Drawer drawer(cell_size(stretches, subblock, max_cells));
  for (const Stretch& stretch : stretches) {
    drawer.add(stretch);
  }
  return drawer.take();
}

Shade shade_of(const Stretch& stretch) {
  switch (stretch.state) {
    case SubblockState::Unplugged:
      return Shade::Unplugged;
    case SubblockState::Busy:
      return Shade::Busy;
    case SubblockState::Unmanaged:
      return stretch.why == BadWhy::Absent ? Shade::Absent : Shade::Unmanaged;
    case SubblockState::Plugged:
      break;
  }
  switch (outlook_of(stretch)) {
    case Outlook::Free:
      return Shade::Free;
    case Outlook::Movable:
    case Outlook::Maybe:
      return Shade::InUse;
    case Outlook::Blocked:
      break;
  }
  return Shade::Blocked;
}

std::string_view shade_name(Shade shade) {
  switch (shade) {
    case Shade::Absent:
      return "no memory";
    case Shade::Unmanaged:
      return "not managed";
    case Shade::Free:
      return "free";
    case Shade::InUse:
      return "in use";
    case Shade::Blocked:
      return "blocked";
    case Shade::Busy:
      return "busy";
    case Shade::Unplugged:
      return "unplugged";
  }
  return "no memory";
}

}  // namespace memplug
