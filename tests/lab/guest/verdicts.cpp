// SPDX-License-Identifier: MIT
// Holds what SURVEY says of each plugged subblock against /proc/kpageflags, page by page. What
// changes between two looks at the flags is not judged.
//
// Ends with 1 if one is wrong. Tells how many were judged, and prints the address of one that has
// slabs of one page and is free otherwise; 0: there is none.
#include <linux/kernel-page-flags.h>

#include <algorithm>
#include <vector>

#include "memplug_device.hpp"
#include "zoneinfo.hpp"

namespace {

using lab::die;

constexpr std::uint64_t page_size = 4096;
// Only in the kernel's own header.
constexpr unsigned kpf_reserved = 32;

constexpr std::uint64_t bit(unsigned number) { return std::uint64_t{1} << number; }

// Never moves and never goes away by itself.
constexpr std::uint64_t fixed = bit(KPF_SLAB) | bit(KPF_PGTABLE) | bit(KPF_OFFLINE) |
                                bit(KPF_NOPAGE) | bit(KPF_HWPOISON) | bit(kpf_reserved);
constexpr std::uint64_t loose = bit(KPF_BUDDY) | bit(KPF_LRU) | bit(KPF_THP);
constexpr std::uint64_t compound = bit(KPF_COMPOUND_HEAD) | bit(KPF_COMPOUND_TAIL);

using Flags = std::vector<std::uint64_t>;

class PageFlags {
 public:
  PageFlags() : fd_(::open("/proc/kpageflags", O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) {
      die("/proc/kpageflags: %s", std::strerror(errno));
    }
  }
  PageFlags(const PageFlags&) = delete;
  PageFlags& operator=(const PageFlags&) = delete;
  ~PageFlags() { ::close(fd_); }

  [[nodiscard]] Flags of(std::uint64_t start, std::uint64_t length) const {
    Flags flags(length / page_size);
    const std::size_t wanted = flags.size() * sizeof(flags[0]);
    if (::pread(fd_, flags.data(), wanted,
                static_cast<off_t>(start / page_size * sizeof(flags[0]))) !=
        static_cast<ssize_t>(wanted)) {
      die("/proc/kpageflags at %#llx", static_cast<unsigned long long>(start));
    }
    return flags;
  }

 private:
  int fd_;
};

struct Found {
  unsigned judged = 0;
  unsigned certain = 0;
  unsigned all_free = 0;
  unsigned with_crumbs = 0;  // slabs of one page, and nothing else that stays
  std::uint64_t crumbs = 0;
  std::uint64_t last = 0;
  unsigned wrong = 0;
};

// The subblock at `start`.
memplug_subblock survey(const lab::Device& device, std::uint64_t start, std::uint64_t length) {
  memplug_subblock record{};
  auto survey = lab::sized<memplug_survey>();
  survey.start = start;
  survey.length = length;
  survey.records = lab::user_pointer(&record);
  survey.capacity = 1;
  if (const int error = device.call(MEMPLUG_IOC_SURVEY, &survey); error != 0) {
    die("SURVEY: %s", std::strerror(error));
  }
  return record;
}

// What is wrong about it, or nullptr.
const char* find_fault(const memplug_subblock& said, const Flags& flags) {
  const auto count = [&](auto&& test) {
    return static_cast<std::uint64_t>(std::count_if(flags.begin(), flags.end(), test));
  };
  const std::uint64_t free = count([](auto page) { return (page & bit(KPF_BUDDY)) != 0; });
  // The kernel's own memory, or in a CPU's list of free pages: nothing tells them apart here.
  const std::uint64_t untold = count([](auto page) { return (page & ~bit(KPF_NOPAGE)) == 0; });
  const bool is_certain = (said.flags & MEMPLUG_SUBBLOCK_CERTAIN) != 0;
  if (count([](auto page) { return (page & fixed) != 0; }) != 0) {
    if (!is_certain || said.pfn == 0) {
      return "something stays there for good, and it is not said";
    }
  } else if (count([](auto page) { return (page & loose) == 0; }) == 0 && is_certain) {
    return "all of it is free or can be moved, and something is said to be in the way for good";
  }
  if (said.free < free || said.free > free + untold) {
    return "the count of free pages is wrong";
  }
  if (said.free + said.movable > flags.size()) {
    return "the counts are more than there is";
  }
  if (is_certain && said.reason == MEMPLUG_REASON_UNMOVABLE &&
      (flags.at(said.pfn - said.start / page_size) & loose) != 0) {
    return "what is in the way can be moved";
  }
  return nullptr;
}

void judge(const memplug_subblock& said, const Flags& flags, Found& found) {
  ++found.judged;
  found.certain += (said.flags & MEMPLUG_SUBBLOCK_CERTAIN) != 0 ? 1 : 0;
  found.all_free += said.free == flags.size() ? 1 : 0;
  const auto is_crumb = [](auto page) {
    return (page & (bit(KPF_SLAB) | compound)) == bit(KPF_SLAB);
  };
  const auto crumbs = std::count_if(flags.begin(), flags.end(), is_crumb);
  const bool else_free = std::all_of(flags.begin(), flags.end(), [&](auto page) {
    return is_crumb(page) || (page & bit(KPF_BUDDY)) != 0;
  });
  if (crumbs != 0 && else_free) {
    ++found.with_crumbs;
    found.crumbs += static_cast<std::uint64_t>(crumbs);
    found.last = said.start;
  }
  if (const char* fault = find_fault(said, flags); fault != nullptr) {
    if (found.wrong++ < 10) {
      std::fprintf(stderr,
                   "%#llx: %s: free %u, movable %u, reason %u, flags %#x, pfn %#llx, slabs %td\n",
                   static_cast<unsigned long long>(said.start), fault, said.free, said.movable,
                   said.reason, said.flags, static_cast<unsigned long long>(said.pfn), crumbs);
    }
  }
}

}  // namespace

int main() {
  const lab::Device device(O_RDONLY);
  const memplug_info info = device.info();
  const PageFlags page_flags;
  Found found;
  for (const lab::Zone& zone : lab::normal_zones()) {
    const std::uint64_t size = info.out_subblock_size;
    const std::uint64_t end = (zone.start_pfn + zone.spanned) * page_size;
    for (std::uint64_t start = zone.start_pfn * page_size; start + size <= end; start += size) {
      const Flags before = page_flags.of(start, size);
      const memplug_subblock said = survey(device, start, size);
      if (said.state == MEMPLUG_SUBBLOCK_PLUGGED && page_flags.of(start, size) == before) {
        judge(said, before, found);
      }
    }
  }
  std::fprintf(stderr,
               "verdicts: %u subblocks judged, %u certain, %u free; %u with %llu slabs of one page "
               "between free pages; %u wrong\n",
               found.judged, found.certain, found.all_free, found.with_crumbs,
               static_cast<unsigned long long>(found.crumbs), found.wrong);
  std::printf("%#llx\n", static_cast<unsigned long long>(found.last));
  return found.wrong == 0 && found.judged != 0 ? 0 : 1;
}
