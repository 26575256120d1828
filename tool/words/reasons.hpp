// SPDX-License-Identifier: MIT
// The library's words for reasons, with the commands that help where memplugctl has one.
#pragma once

#include "memplug/reason_words.hpp"

namespace memplug {

[[nodiscard]] Words tool_words_for(Reason reason);

}  // namespace memplug
