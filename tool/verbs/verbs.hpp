// SPDX-License-Identifier: MIT
// All verbs there are, in the order in which --help names them.
#pragma once

#include <vector>

#include "verbs/verb.hpp"

namespace memplug {

[[nodiscard]] std::vector<Verb> all_verbs();

}  // namespace memplug
