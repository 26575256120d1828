// SPDX-License-Identifier: MIT
// What a reason means and what usually helps: half sentences for stderr.
#pragma once

#include <string_view>

#include "device.hpp"

namespace memplug {

struct Words {
  std::string_view what;
  std::string_view step;
};

[[nodiscard]] Words words_for(Reason reason);
[[nodiscard]] Words words_for(BadWhy why);

}  // namespace memplug
