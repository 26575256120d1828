// SPDX-License-Identifier: MIT
#include "process/shell_word.hpp"

namespace memplug {

std::string shell_word(std::string_view text) {
  // These mean themselves wherever they stand, to every shell; not so ~ and #, as the first.
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";
  if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos) {
    return std::string(text);
  }
  std::string word = "'";
  for (const char character : text) {
    // A quote ends the quotes, stands escaped, and begins them anew.
    word += character == '\'' ? std::string("'\\''") : std::string(1, character);
  }
  return word + "'";
}

std::string shell_path(std::string_view path) {
  return shell_word((path.starts_with('-') ? "./" : "") + std::string(path));
}

}  // namespace memplug
