// SPDX-License-Identifier: MIT
// What the kernel tells of single page frames, where it does and lets the caller see it:
// /proc/kpageflags, and the page owner of debug kernels.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace memplug {

class PageFacts {
 public:
  // Either may be missing or forbidden: then nothing is known.
  PageFacts(std::string flags_path, std::string owner_path)
      : flags_path_(std::move(flags_path)), owner_path_(std::move(owner_path)) {}

  // Names as in tools/mm/page-types.c, in lower case: "slab", "compound_head".
  [[nodiscard]] std::optional<std::vector<std::string_view>> flags(std::uint64_t pfn) const;
  // The page owner's record of the allocation that this page is part of, as the kernel prints it.
  [[nodiscard]] std::optional<std::string> owner(std::uint64_t pfn) const;

 private:
  std::string flags_path_;
  std::string owner_path_;
};

}  // namespace memplug
