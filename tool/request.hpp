// SPDX-License-Identifier: MIT
// What plug and unplug share: reading SIZE|RANGE, judging a request against the device's subblock,
// carrying it out with Ctrl-C and progress, reporting the result. Which options exist is the
// verbs'.
#pragma once

#include <string>

#include "device.hpp"
#include "output.hpp"

namespace memplug {

// Fills in length, and start if the text is a RANGE.
void set_size_or_range(Request& request, const std::string& text);

// The rules that need the device's subblock; throws UsageError that names the nearest good values.
void check_against_subblock(const Request& request, Bytes subblock);

// Opens the device, runs the request, writes its report and the exit status it earns. Throws
// UsageError or Failure if it could not run.
[[nodiscard]] ExitStatus run_request(const Request& request, const OpenDevice& open_device,
                                     Output& output);

}  // namespace memplug
