// SPDX-License-Identifier: MIT
// What the verbs that make requests share: reading SIZE|RANGE, judging a request against the
// device's subblock and the commit limit, carrying it out with Ctrl-C and progress, reporting the
// result, having the watermarks recomputed. Which options exist is the verbs'.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "machine/surroundings.hpp"
#include "memplug/device.hpp"
#include "request/open_device.hpp"
#include "terminal/output.hpp"

namespace memplug {

// Fills in length, and start if the text is a RANGE.
void set_size_or_range(Request& request, const std::string& text);

// The rules that need the device's subblock; throws UsageError that names the nearest good values.
void check_against_subblock(const Request& request, Bytes subblock);
// The same for a size alone, which is not below least.
void check_multiple(std::string_view what, Bytes size, Bytes subblock, Bytes least);
// Of what is only looked at: whole subblocks; if that is more than was named, it is said.
[[nodiscard]] Range widened(std::string_view verb, Range range, Bytes subblock,
                            const Output& output);
// That what is asked of a zone can be: its memory is managed. Throws Failure.
void require_zone(const Request& request, const Info& info);
// The same for a range alone.
void check_range(std::string_view what, Range range, Bytes subblock);

// How the machine around it is dealt with.
struct Manner {
  bool keep_watermarks = false;
  bool force = false;         // whatever the commit limit
  bool reclaim_slab = false;  // of an unplug: try again after that
};

// Runs the request. Throws UsageError or Failure if it could not run.
[[nodiscard]] Result carry_out(const Request& request, Manner manner, Device& device,
                               const Info& info, const Surroundings& surroundings, Output& output);
// What of it an unplug may ask for without --force; nothing: there is no such limit.
[[nodiscard]] std::optional<Bytes> most_to_unplug(const CommitLimit& commit_limit, Bytes subblock);

}  // namespace memplug
