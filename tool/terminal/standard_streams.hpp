// SPDX-License-Identifier: MIT
// What a filter owes its standard streams: to have them, and to notice when stdout takes nothing.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace memplug {

// Makes sure that descriptors 0 to 2 are taken, so that the device is never opened as stdout, and
// that a broken pipe is an error instead of a death, and so is a file that may not grow. A stream
// that was closed stays unusable.
void prepare_standard_streams();

// Writes all of it or throws Failure. Waits for a reader, also where stdout is not to block, for as
// long as given_up() says no; it is asked after each signal.
void write_stdout(std::string_view text, const std::function<bool()>& given_up);

// Whether stderr is a terminal that can clear a line.
[[nodiscard]] bool stderr_takes_progress();
// Columns of that terminal now, or 80.
[[nodiscard]] std::size_t stderr_width();

// Columns of what stdout writes to: what COLUMNS says, or the terminal, or 80.
[[nodiscard]] std::size_t stdout_width();
// Whether colours on stdout are seen and wanted: https://no-color.org
[[nodiscard]] bool stdout_takes_colour();

}  // namespace memplug
