// SPDX-License-Identifier: MIT
// An unplug that tries again after the kernel has dropped what slab keeps for speed alone.
#pragma once

#include <functional>

#include "memplug/device.hpp"
#include "output.hpp"
#include "slab_reclaim.hpp"

namespace memplug {

using RunRequest = std::function<Result(const Request&)>;

// Runs the request, and again for the rest of it as long as memory is in the way and the last pass
// brought some, a few times at most. Returns one result for all; what fails after the first pass
// ends the passes and costs nothing that was taken. Throws what the first one throws, and Failure if
// slab can't be reclaimed.
[[nodiscard]] Result run_in_passes(const Request& request, const SlabReclaim& slab,
                                   const RunRequest& run, Output& output);

}  // namespace memplug
