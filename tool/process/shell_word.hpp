// SPDX-License-Identifier: MIT
// Text in commands that are printed for a shell to run. Pure.
#pragma once

#include <string>
#include <string_view>

namespace memplug {

// The text as one word of a POSIX shell's command: as it is, or in quotes if a shell would make
// something else of it.
[[nodiscard]] std::string shell_word(std::string_view text);
// The same of a path, which then does not begin as an option does either.
[[nodiscard]] std::string shell_path(std::string_view path);

}  // namespace memplug
