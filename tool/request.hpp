// SPDX-License-Identifier: MIT
// What plug and unplug share: reading SIZE|RANGE, judging a request against the device's subblock,
// carrying it out with Ctrl-C and progress, reporting the result, having the watermarks recomputed.
// Which options exist is the verbs'.
#pragma once

#include <string>
#include <string_view>

#include "device.hpp"
#include "output.hpp"
#include "watermarks.hpp"

namespace memplug {

// Fills in length, and start if the text is a RANGE.
void set_size_or_range(Request& request, const std::string& text);

// The rules that need the device's subblock; throws UsageError that names the nearest good values.
void check_against_subblock(const Request& request, Bytes subblock);
// The same for a size alone, which is not below least.
void check_multiple(std::string_view what, Bytes size, Bytes subblock, Bytes least);
// The same for a range alone.
void check_range(std::string_view what, Range range, Bytes subblock);

// Opens the device, runs the request, writes its report and the exit status it earns. Watermarks
// may be null: those of the zones stay as they are. Throws UsageError or Failure if it could not
// run.
[[nodiscard]] ExitStatus run_request(const Request& request, const OpenDevice& open_device,
                                     const Watermarks* watermarks, Output& output);

}  // namespace memplug
