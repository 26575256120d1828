// SPDX-License-Identifier: MIT
// Text in columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace memplug {

// Columns as wide as their widest cell; sizes to the right, the rest to the left.
class Table {
 public:
  struct Column {
    std::string_view heading;
    bool right = false;
    std::size_t gap = 2;  // before it
  };
  using Row = std::vector<std::string>;

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void add(Row row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::string print(bool with_heading) const;
  // One space between, and no padding.
  [[nodiscard]] std::string print_raw(bool with_heading) const;

 private:
  [[nodiscard]] std::string line(const Row& row, const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace memplug
