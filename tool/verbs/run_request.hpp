// SPDX-License-Identifier: MIT
// What the verbs that make a request share, from the device to the exit status.
#pragma once

#include "machine/surroundings.hpp"
#include "memplug/device.hpp"
#include "request/open_device.hpp"
#include "request/request.hpp"
#include "terminal/output.hpp"

namespace memplug {

// Writes the report of a request that was carried out, and explains it.
void report(const Request& request, const Info& info, const Result& result, Device& device,
            const Surroundings& surroundings, Output& output);
// Opens the device, carries the request out and reports it. Returns the exit status that it earns.
[[nodiscard]] ExitStatus run_request(const Request& request, Manner manner,
                                     const OpenDevice& open_device,
                                     const Surroundings& surroundings, Output& output);

}  // namespace memplug
