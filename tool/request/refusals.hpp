// SPDX-License-Identifier: MIT
// What a request that could not run, or would not, is refused with, and what to do then.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "machine/zone_names.hpp"
#include "memplug/device.hpp"
#include "memplug/failure.hpp"

namespace memplug {

[[nodiscard]] Failure unmanaged_failure(const Request& request, const UnmanagedError& error,
                                        const ZoneNames& zones);
// What may help after this errno of a command that changes something, or nothing.
[[nodiscard]] std::string step_after_refusal(int error_number);

// lacks: "has no target to work toward".
[[nodiscard]] Failure older_module(const Info& info, std::string_view lacks);
// Throws it if the module does not have this MEMPLUG_FEATURE_*.
void require_feature(const Info& info, std::uint64_t feature, std::string_view lacks);

}  // namespace memplug
