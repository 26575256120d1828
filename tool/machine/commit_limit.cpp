// SPDX-License-Identifier: MIT
// The kernel's own figures: CommitLimit is (memory - hugetlb) * overcommit_ratio % + swap, or swap
// and a fixed size (overcommit_kbytes).
#include "machine/commit_limit.hpp"

#include <algorithm>
#include <cstdint>
#include <fstream>

#include "machine/meminfo.hpp"

namespace memplug {
namespace {

std::optional<std::uint64_t> read_setting(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  return file >> value ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<Bytes> CommitLimit::room() const {
  constexpr std::uint64_t never_overcommit = 2;
  const std::string settings = root_ + "/proc/sys/vm/";
  const Meminfo meminfo(root_);
  const auto ratio = read_setting(settings + "overcommit_ratio");
  const auto limit = meminfo.size("CommitLimit");
  const auto committed = meminfo.size("Committed_AS");
  if (read_setting(settings + "overcommit_memory") != never_overcommit || !limit || !committed ||
      ratio.value_or(0) == 0 || read_setting(settings + "overcommit_kbytes").value_or(0) != 0) {
    return std::nullopt;
  }
  const std::uint64_t reserve = (read_setting(settings + "admin_reserve_kbytes").value_or(0) +
                                 read_setting(settings + "user_reserve_kbytes").value_or(0)) *
                                1024;
  const std::uint64_t taken = committed->value + reserve;
  const std::uint64_t left = limit->value - std::min(limit->value, taken);
  // In parts: a hundred times a large size need not fit.
  return Bytes{left / *ratio * 100 + left % *ratio * 100 / *ratio};
}

}  // namespace memplug
