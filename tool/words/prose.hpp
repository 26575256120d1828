// SPDX-License-Identifier: MIT
// How sizes, page frames and lines of prose are written for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "memplug/quantity.hpp"
#include "terminal/output.hpp"

namespace memplug {

// "memplugctl: unplug: TEXT\n"
[[nodiscard]] std::string prose_line(std::string_view verb, std::string_view text);
// A size for people, or in plain bytes if they asked for those.
[[nodiscard]] std::string size_text(Bytes size, const OutputStyle& style);
// "12 %"; empty if there is no whole.
[[nodiscard]] std::string percent_text(Bytes part, Bytes whole);
// As the kernel's own messages write it; "-" if there is none.
[[nodiscard]] std::string page_frame_text(std::optional<std::uint64_t> pfn);

}  // namespace memplug
