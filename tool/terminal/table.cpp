// SPDX-License-Identifier: MIT
// Printing a table.
#include "terminal/table.hpp"

#include <algorithm>

namespace memplug {

std::string Table::print(bool with_heading) const {
  Row heading;
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    heading.emplace_back(columns_[i].heading);
    widths.push_back(with_heading ? columns_[i].heading.size() : 0);
    for (const Row& row : rows_) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text = with_heading ? line(heading, widths) : "";
  for (const Row& row : rows_) {
    text += line(row, widths);
  }
  return text;
}

std::string Table::print_raw(bool with_heading) const {
  std::string text;
  for (std::size_t i = 0; with_heading && i < columns_.size(); ++i) {
    text += std::string(columns_[i].heading) + (i + 1 < columns_.size() ? ' ' : '\n');
  }
  for (const Row& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i] + (i + 1 < row.size() ? ' ' : '\n');
    }
  }
  return text;
}

std::string Table::line(const Row& row, const std::vector<std::size_t>& widths) const {
  std::string text;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string padding(widths[i] - row[i].size(), ' ');
    text.append(i == 0 ? 0 : columns_[i].gap, ' ');
    text += columns_[i].right ? padding + row[i] : row[i] + padding;
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text + '\n';
}

}  // namespace memplug
