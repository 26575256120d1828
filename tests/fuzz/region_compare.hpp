// SPDX-License-Identifier: MIT
// Asks the books everything that region.h answers, and the model the same.
#pragma once

#include "region_model.hpp"

namespace memplug::fuzz {

// Ends the program where they differ. within and nid are what a request may ask about.
void compare(const RegionModel& model, const Machine& machine, subblock_run within, int nid);

}  // namespace memplug::fuzz
