// SPDX-License-Identifier: MIT
#include "words/prose.hpp"

#include <ios>
#include <sstream>

namespace memplug {

std::string prose_line(std::string_view verb, std::string_view text) {
  return std::string("memplugctl: ").append(verb).append(": ").append(text).append("\n");
}

std::string size_text(Bytes size, const OutputStyle& style) {
  return style.bytes ? std::to_string(size.value) : print_size(size);
}

std::string percent_text(Bytes part, Bytes whole) {
  return whole == Bytes{} ? "" : std::to_string(part.value * 100 / whole.value) + " %";
}

std::string page_frame_text(std::optional<std::uint64_t> pfn) {
  if (!pfn) {
    return "-";
  }
  std::ostringstream text;
  text << std::hex << std::showbase << *pfn;
  return text.str();
}

}  // namespace memplug
