// SPDX-License-Identifier: MIT
// Tells what the soak has done: a line of progress, a table, and the same as one line of JSON.
#pragma once

#include <string>
#include <vector>

#include "soak_board.hpp"

namespace soak {

struct Figure {
  const char* key;   // in JSON
  const char* text;  // in the table
  std::uint64_t value;
};

struct Summary {
  std::uint64_t seed = 0;
  std::uint64_t seconds = 0;
  std::vector<Figure> figures;
  std::string stress_ng;
  std::string broke;  // empty: nothing
};

inline std::uint64_t total(const std::array<Count, results>& row) {
  std::uint64_t sum = 0;
  for (const Count& count : row) {
    sum += count;
  }
  return sum;
}

inline std::uint64_t all_requests(const Board& board) {
  std::uint64_t sum = 0;
  for (const auto& row : board.requests) {
    sum += total(row);
  }
  return sum;
}

inline std::string json_text(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
    }
    quoted += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return quoted + '"';
}

inline void print_table(const Summary& summary, const Board& board) {
  std::printf("\n%-20s", "requests");
  for (const char* name : result_names) {
    std::printf("%9s", name);
  }
  std::puts("");
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    std::printf("%-20s", kind_names[kind]);
    for (const Count& count : board.requests[kind]) {
      std::printf("%9llu", static_cast<unsigned long long>(count));
    }
    std::puts("");
  }
  std::puts("");
  for (const Figure& figure : summary.figures) {
    std::printf("%-40s%16llu\n", figure.text, static_cast<unsigned long long>(figure.value));
  }
  std::printf("%-40s%16s\n", "stress-ng", summary.stress_ng.c_str());
}

inline std::string json(const Summary& summary, const Board& board) {
  std::string out = "{\"seed\":" + std::to_string(summary.seed) +
                    ",\"seconds\":" + std::to_string(summary.seconds) + ",\"requests\":{";
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    out += (kind == 0 ? "" : ",") + json_text(kind_names[kind]) + ":{";
    for (std::size_t result = 0; result < results; ++result) {
      out += (result == 0 ? "" : ",") + json_text(result_names[result]) + ":" +
             std::to_string(board.requests[kind][result].load());
    }
    out += "}";
  }
  out += "}";
  for (const Figure& figure : summary.figures) {
    out += "," + json_text(figure.key) + ":" + std::to_string(figure.value);
  }
  out += ",\"stress_ng\":" + json_text(summary.stress_ng);
  out += ",\"broke\":" + (summary.broke.empty() ? "null" : json_text(summary.broke)) + "}";
  return out;
}

}  // namespace soak
