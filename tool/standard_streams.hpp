// SPDX-License-Identifier: MIT
// What a filter owes its standard streams: to have them, and to notice when stdout takes nothing.
#pragma once

#include <cstddef>
#include <string_view>

namespace memplug {

// Makes sure that descriptors 0 to 2 are taken, so that the device is never opened as stdout, and
// that a broken pipe is an error instead of a death. A stream that was closed stays unusable.
void prepare_standard_streams();

// Writes all of it or throws Failure.
void write_stdout(std::string_view text);

[[nodiscard]] bool stderr_is_terminal();

// Columns of what stdout writes to: what COLUMNS says, or the terminal, or 80.
[[nodiscard]] std::size_t stdout_width();
// Whether colours on stdout are seen and wanted: https://no-color.org
[[nodiscard]] bool stdout_takes_colour();

}  // namespace memplug
