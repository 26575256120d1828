// SPDX-License-Identifier: MIT
// The zones' watermarks after memory came or went. The kernel computes them from the size of a
// zone, but does so anew only when certain settings are written: until then a zone that became
// small has the watermarks of a big one, and kswapd works to reach them.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "memplug/quantity.hpp"
#include "terminal/output.hpp"

namespace memplug {

// Changes below this move no watermark by much.
inline constexpr Bytes least_for_watermarks{64ULL << 20U};

class Watermarks {
 public:
  // The file of the setting vm.watermark_scale_factor.
  explicit Watermarks(std::string path) : path_(std::move(path)) {}

  // Writes the setting's own value to it. Its failure is told with --verbose only: what the command
  // was to do is done.
  void recompute(std::string_view verb, Output& output) const;

 private:
  std::string path_;
};

}  // namespace memplug
