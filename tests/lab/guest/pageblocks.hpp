// SPDX-License-Identifier: MIT
// Counts the memory that could still have been had: blocks in ZONE_NORMAL, none of whose pages is
// offline, absent or held by the kernel. Looks only; asks memplug nothing.
#pragma once

#include <linux/kernel-page-flags.h>

#include <algorithm>
#include <vector>

#include "zoneinfo.hpp"

namespace lab {

// Free, or of a kind that can be moved. A page in a per-CPU list of free pages shows no flag at all
// and counts as the kernel's; claims have just emptied these lists, so there are few.
inline bool can_leave(std::uint64_t flags) {
  constexpr std::uint64_t fixed = std::uint64_t{1} << KPF_NOPAGE | std::uint64_t{1} << KPF_SLAB |
                                  std::uint64_t{1} << KPF_HWPOISON |
                                  std::uint64_t{1} << KPF_OFFLINE | std::uint64_t{1} << KPF_PGTABLE;
  constexpr std::uint64_t loose = std::uint64_t{1} << KPF_BUDDY | std::uint64_t{1} << KPF_LRU |
                                  std::uint64_t{1} << KPF_THP | std::uint64_t{1} << KPF_HUGE;
  return (flags & fixed) == 0 && (flags & loose) != 0;
}

// What /proc/kpageflags says of these page frames.
inline std::vector<std::uint64_t> page_flags(std::uint64_t pfn, std::uint64_t nr) {
  std::vector<std::uint64_t> flags(nr);
  const std::size_t wanted = flags.size() * sizeof(flags[0]);
  const int fd = ::open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    die("/proc/kpageflags: %s", std::strerror(errno));
  }
  const ssize_t got = ::pread(fd, flags.data(), wanted, static_cast<off_t>(pfn * sizeof(flags[0])));
  ::close(fd);
  if (got != static_cast<ssize_t>(wanted)) {
    die("/proc/kpageflags at page frame %#llx", static_cast<unsigned long long>(pfn));
  }
  return flags;
}

// Bytes in whole blocks of that size, which is a multiple of the page size.
inline std::uint64_t claimable_left(std::uint64_t block_bytes) {
  const std::uint64_t block_pages = block_bytes / 4096;
  std::uint64_t blocks = 0;
  for (const Zone& zone : normal_zones()) {
    const std::uint64_t end = zone.start_pfn + zone.spanned;
    for (std::uint64_t pfn = zone.start_pfn; pfn + block_pages <= end; pfn += block_pages) {
      const std::vector<std::uint64_t> flags = page_flags(pfn, block_pages);
      blocks += std::all_of(flags.begin(), flags.end(), can_leave) ? 1 : 0;
    }
  }
  return blocks * block_bytes;
}

}  // namespace lab
