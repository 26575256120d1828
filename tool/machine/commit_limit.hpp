// SPDX-License-Identifier: MIT
// With vm.overcommit_memory=2 the kernel promises processes no more memory than its CommitLimit,
// and that follows the memory that there is: when it falls below what is promised already
// (Committed_AS), nothing can start or grow any more, however much is available. The module can't
// see that limit, so the tool looks before it asks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "memplug/quantity.hpp"

namespace memplug {

class CommitLimit {
 public:
  // Where /proc is: tests give it a root of their own.
  explicit CommitLimit(std::string root) : root_(std::move(root)) {}

  // So much can be unplugged and still leaves what is promised and, on top, what the kernel keeps
  // for root and for users (vm.admin_reserve_kbytes, vm.user_reserve_kbytes). Nothing: there is no
  // such limit, or it does not depend on how much memory there is.
  [[nodiscard]] std::optional<Bytes> room() const;

 private:
  std::string root_;
};

// Why there is a limit, for a sentence that goes on; and what to do about it.
inline constexpr std::string_view commit_limit_reason =
    "vm.overcommit_memory is 2, and more would leave less memory than is promised to processes "
    "(Committed_AS), so that nothing could start or grow any more";
inline constexpr std::string_view commit_limit_step =
    "end processes, add swap or raise vm.overcommit_ratio; or --force";

}  // namespace memplug
