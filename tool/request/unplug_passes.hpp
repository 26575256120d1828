// SPDX-License-Identifier: MIT
// An unplug that tries again after the kernel has dropped what slab keeps for speed alone.
#pragma once

#include <functional>

#include "machine/slab_reclaim.hpp"
#include "memplug/device.hpp"
#include "terminal/output.hpp"

namespace memplug {

using RunRequest = std::function<Result(const Request&)>;

// Runs the request, and again for the rest of it where kernel memory is in the way or there is no
// room to move things to: a few times at most, for as long as that brings something. Returns one
// result for all: sums, but for what was in the way and why it ended, which are the last pass's.
// Signals and the request's time are heeded before each step; the kernel's dropping itself can't be
// cut short. What fails after the first pass ends the passes and costs nothing that was taken.
// Throws what the first one throws, and Failure if slab can't be reclaimed.
[[nodiscard]] Result run_in_passes(const Request& request, const SlabReclaim& slab,
                                   const RunRequest& run, Output& output);

}  // namespace memplug
