// SPDX-License-Identifier: MIT
// Pictures of memory.
#include "report/map_picture.hpp"

#include <algorithm>
#include <bit>
#include <iomanip>
#include <sstream>

#include "report/report.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

struct Look {
  Shade shade;
  char letter;
  std::string_view escape;  // colours of a terminal
  std::string_view fill;    // of an SVG; told apart by people who see no red and green as well
};

constexpr std::array looks{
    Look{Shade::Absent, ' ', "", "none"},
    Look{Shade::Unmanaged, '-', "\033[90m", "#d9d9d9"},
    Look{Shade::Free, '.', "\033[30;42m", "#7fc97f"},
    Look{Shade::InUse, 'o', "\033[30;43m", "#fdc086"},
    Look{Shade::Blocked, 'x', "\033[97;41m", "#b2182b"},
    Look{Shade::Busy, '~', "\033[30;46m", "#beaed4"},
    Look{Shade::Unplugged, '#', "\033[97;44m", "#2166ac"},
};

const Look& look_of(Shade shade) { return looks.at(static_cast<std::size_t>(shade)); }

// "0x" and the digits of the largest address of most machines, 1 TiB less one.
constexpr std::size_t address_width = 12;
constexpr std::size_t least_cells = 8;
constexpr std::string_view reset = "\033[0m";

std::string coloured(const Look& look, const std::string& text, bool colour) {
  if (!colour || look.escape.empty()) {
    return text;
  }
  return std::string(look.escape) + text + std::string(reset);
}

std::string section_title(const Section& section) {
  return section.node ? "node " + std::to_string(*section.node) : "not managed";
}

// Without the leading zeros of print_address(): every column counts.
std::string short_address(PhysAddr address) {
  std::ostringstream text;
  text << std::left << "0x" << std::setw(static_cast<int>(address_width) - 2) << std::hex
       << address.value;
  return text.str();
}

// One line of cells; those that look the same share their colour.
std::string line_text(const Cell* begin, const Cell* end, bool colour) {
  std::string line = short_address(begin->range.start) + " ";
  while (begin != end) {
    const Shade shade = begin->shade();
    const Cell* next =
        std::find_if(begin, end, [shade](const Cell& cell) { return cell.shade() != shade; });
    const Look& look = look_of(shade);
    line +=
        coloured(look, std::string(static_cast<std::size_t>(next - begin), look.letter), colour);
    begin = next;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string legend_text(const Map& map, const Canvas& canvas, const OutputStyle& style) {
  std::string text;
  for (const Look& look : looks) {
    if (look.shade != Shade::Absent) {
      text += coloured(look, std::string(1, look.letter), canvas.colour) + " " +
              std::string(shade_name(look.shade)) + "  ";
    }
  }
  return text + " one is " + size_text(map.cell, style) + "\n";
}

// "free 2 MiB, blocked 2 MiB"
std::string cell_contents(const Cell& cell, const OutputStyle& style) {
  std::string text;
  for (const Look& look : looks) {
    const Bytes part{cell.bytes.at(static_cast<std::size_t>(look.shade))};
    if (part != Bytes{}) {
      text += (text.empty() ? "" : ", ") + std::string(shade_name(look.shade)) + " " +
              size_text(part, style);
    }
  }
  return text;
}

// A drawing that grows downward.
class Svg {
 public:
  Svg(const Map& map, const OutputStyle& style) : style_(style) {
    legend(map);
    for (const Section& section : map.sections) {
      add(section);
    }
  }

  [[nodiscard]] std::string print() const {
    std::ostringstream text;
    text << R"(<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width=")"
         << width << R"(" height=")" << y_ + margin << R"(" viewBox="0 0 )" << width << ' '
         << y_ + margin << R"(">
<style>text{font:12px monospace;fill:#222}.h{font-weight:bold}rect{stroke:#fff;stroke-width:1}</style>
<rect width="100%" height="100%" fill="#fff"/>
)" << body_.str()
         << "</svg>\n";
    return text.str();
  }

 private:
  static constexpr int margin = 12;
  static constexpr int side = 12;
  static constexpr int line_height = 20;
  static constexpr int cells_left = margin + 160;
  static constexpr int cells_in_row = 64;
  static constexpr int width = cells_left + cells_in_row * side + margin;
  static constexpr int legend_step = 104;

  void text_at(int x, const std::string& text, const char* kind = "") {
    body_ << "<text" << kind << R"( x=")" << x << R"(" y=")" << y_ + side - 2 << R"(">)" << text
          << "</text>\n";
  }

  void square(int x, Shade shade, const std::string& title) {
    body_ << R"(<rect x=")" << x << R"(" y=")" << y_ << R"(" width=")" << side << R"(" height=")"
          << side << R"(" fill=")" << look_of(shade).fill << R"("><title>)" << title
          << "</title></rect>\n";
  }

  void legend(const Map& map) {
    int x = margin;
    for (const Look& look : looks) {
      if (look.shade != Shade::Absent) {
        square(x, look.shade, std::string(shade_name(look.shade)));
        text_at(x + side + 4, std::string(shade_name(look.shade)));
        x += legend_step;
      }
    }
    text_at(x, "one square is " + size_text(map.cell, style_));
    y_ += line_height;
  }

  void add(const Section& section) {
    y_ += side;
    text_at(margin, section_title(section), R"( class="h")");
    y_ += line_height;
    int column = 0;
    for (const Cell& cell : section.cells) {
      if (column == 0) {
        text_at(margin, print_address(cell.range.start));
      }
      if (cell.shade() != Shade::Absent) {
        square(cells_left + column * side, cell.shade(),
               print_range(cell.range) + ": " + cell_contents(cell, style_));
      }
      if (++column == cells_in_row) {
        column = 0;
        y_ += side;
      }
    }
    y_ += column == 0 ? 0 : side;
  }

  const OutputStyle& style_;
  std::ostringstream body_;
  int y_ = margin;
};

}  // namespace

std::size_t cells_in_line(const Canvas& canvas) {
  // A power of two, so that the addresses of lines are round.
  const std::size_t room = canvas.width > address_width + 1 ? canvas.width - address_width - 1 : 0;
  return std::bit_floor(std::max(room, least_cells));
}

std::string map_text(const Map& map, const Canvas& canvas, const OutputStyle& style) {
  const std::size_t columns = cells_in_line(canvas);
  std::string text = style.quiet ? "" : legend_text(map, canvas, style);
  for (const Section& section : map.sections) {
    if (!style.quiet) {
      text += "\n" + section_title(section) + "\n";
    }
    for (std::size_t i = 0; i < section.cells.size(); i += columns) {
      const std::size_t count = std::min(columns, section.cells.size() - i);
      text += line_text(&section.cells[i], &section.cells[i] + count, canvas.colour);
    }
  }
  return text;
}

std::string map_svg(const Map& map, const OutputStyle& style) { return Svg(map, style).print(); }

}  // namespace memplug
