// SPDX-License-Identifier: MIT
// Small files of text, whole. Errors are Failure, with the file's name.
#pragma once

#include <string>
#include <string_view>

namespace memplug {

[[nodiscard]] bool is_file_there(const std::string& path);
[[nodiscard]] std::string read_file(const std::string& path);
// All of it or, whatever happens, what was there before. Makes the file, and its folder.
void replace_file(const std::string& path, std::string_view text);

}  // namespace memplug
