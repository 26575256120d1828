// SPDX-License-Identifier: MIT
// How commands get a device: after they have judged their arguments, with the access they need.
#pragma once

#include <functional>

#include "memplug/device.hpp"

namespace memplug {

using OpenDevice = std::function<Device(Access)>;

}  // namespace memplug
