// SPDX-License-Identifier: MIT
// Reads the two files one page frame at a time.
#include "machine/page_facts.hpp"

#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "file_descriptor.hpp"

namespace memplug {
namespace {

struct FlagName {
  unsigned bit;
  std::string_view name;
};

constexpr std::array flag_names{
    FlagName{KPF_LOCKED, "locked"},
    FlagName{KPF_ERROR, "error"},
    FlagName{KPF_REFERENCED, "referenced"},
    FlagName{KPF_UPTODATE, "uptodate"},
    FlagName{KPF_DIRTY, "dirty"},
    FlagName{KPF_LRU, "lru"},
    FlagName{KPF_ACTIVE, "active"},
    FlagName{KPF_SLAB, "slab"},
    FlagName{KPF_WRITEBACK, "writeback"},
    FlagName{KPF_RECLAIM, "reclaim"},
    FlagName{KPF_BUDDY, "buddy"},
    FlagName{KPF_MMAP, "mmap"},
    FlagName{KPF_ANON, "anonymous"},
    FlagName{KPF_SWAPCACHE, "swapcache"},
    FlagName{KPF_SWAPBACKED, "swapbacked"},
    FlagName{KPF_COMPOUND_HEAD, "compound_head"},
    FlagName{KPF_COMPOUND_TAIL, "compound_tail"},
    FlagName{KPF_HUGE, "huge"},
    FlagName{KPF_UNEVICTABLE, "unevictable"},
    FlagName{KPF_HWPOISON, "hwpoison"},
    FlagName{KPF_NOPAGE, "nopage"},
    FlagName{KPF_KSM, "ksm"},
    FlagName{KPF_THP, "thp"},
    FlagName{KPF_OFFLINE, "offline"},
    FlagName{KPF_ZERO_PAGE, "zero_page"},
    FlagName{KPF_IDLE, "idle"},
    FlagName{KPF_PGTABLE, "pgtable"},
};

// The buddy allocator's largest blocks: an allocation is aligned to its size.
constexpr unsigned max_order = 18;
// The kernel prints from its first page frame on, which is 0 or, on x86, 1.
constexpr std::uint64_t max_first_pfn = 1;
constexpr std::size_t longest_record = 4096;

FileDescriptor open_to_read(const std::string& path) {
  return FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

// The number after a word, decimal or, with 0x, hexadecimal.
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view word) {
  const std::size_t place = text.find(word);
  if (place == std::string_view::npos) {
    return std::nullopt;
  }
  text.remove_prefix(place + word.size());
  const bool hexadecimal = text.substr(0, 2) == "0x";
  text.remove_prefix(hexadecimal ? 2 : 0);
  std::uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, hexadecimal ? 16 : 10);
  return error == std::errc{} ? std::optional(number) : std::nullopt;
}

// The record of the allocation that begins at this page frame.
std::optional<std::string> read_record(const FileDescriptor& file, std::uint64_t head) {
  for (std::uint64_t first = 0; first <= max_first_pfn && first <= head; ++first) {
    std::string record(longest_record, '\0');
    const auto got =
        ::pread(file.number(), record.data(), record.size(), static_cast<off_t>(head - first));
    record.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    if (number_after(record, "PFN ") == head) {
      record.erase(record.find_last_not_of('\n') + 1);
      return record;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::vector<std::string_view>> PageFacts::flags(std::uint64_t pfn) const {
  const FileDescriptor file = open_to_read(flags_path_);
  std::uint64_t bits = 0;
  if (!file.is_open() || ::pread(file.number(), &bits, sizeof(bits),
                                 static_cast<off_t>(pfn * sizeof(bits))) != sizeof(bits)) {
    return std::nullopt;
  }
  std::vector<std::string_view> names;
  for (const FlagName& flag : flag_names) {
    if ((bits >> flag.bit & 1U) != 0) {
      names.push_back(flag.name);
    }
  }
  return names;
}

std::optional<std::string> PageFacts::owner(std::uint64_t pfn) const {
  const FileDescriptor file = open_to_read(owner_path_);
  if (!file.is_open()) {
    return std::nullopt;
  }
  std::optional<std::uint64_t> tried;
  for (unsigned order = 0; order <= max_order; ++order) {
    const std::uint64_t head = pfn >> order << order;
    if (head == tried) {
      continue;
    }
    tried = head;
    auto record = read_record(file, head);
    if (record && number_after(*record, "order ").value_or(0) >= order) {
      return record;
    }
  }
  return std::nullopt;
}

}  // namespace memplug
