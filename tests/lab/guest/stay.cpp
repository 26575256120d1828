// SPDX-License-Identifier: MIT
// Keeps one page of its own in a state, prints the page's physical address, and stays until it is
// killed. It knows nothing of memplug.
//
// In the way of a claim:
//   stay batch      in a per-CPU batch, on its way to the LRU lists: in the way for the moment
//   stay spliced    with an extra reference, from a pipe: in the way for good
//   stay huge       the same, a part of a huge page: nothing shows that it is in the way
//   stay gigantic   a hugetlb page of 1 GiB
//   stay table      not its own, but one that holds its page table
//
// Not in the way:
//   stay locked     by mlock()
//   stay hugetlb    a hugetlb page of 2 MiB
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <linux/mman.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t page_size = 4096;
constexpr std::size_t huge_size = std::size_t{2} << 20;
constexpr std::size_t pages = 64;
constexpr std::uint64_t normal_start = std::uint64_t{1} << 32;
// Only in the kernel's own header, and of no use but for looking.
constexpr unsigned kpf_reserved = 32;

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "stay: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

void read_entries(const char* path, std::uint64_t index, std::span<std::uint64_t> entries) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  const auto offset = static_cast<off_t>(index * sizeof(std::uint64_t));
  if (fd < 0 || ::pread(fd, entries.data(), entries.size_bytes(), offset) !=
                    static_cast<ssize_t>(entries.size_bytes())) {
    die(path);
  }
  ::close(fd);
}

std::uint64_t read_entry(const char* path, std::uint64_t index) {
  std::uint64_t entry = 0;
  read_entries(path, index, {&entry, 1});
  return entry;
}

std::uint64_t frame_of(const char* page) {
  constexpr std::uint64_t frame_bits = (std::uint64_t{1} << 55) - 1;
  // clang-tidy 14 crashes on arithmetic with a pointer from std::bit_cast.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  const auto address = reinterpret_cast<std::uintptr_t>(page);
  return read_entry("/proc/self/pagemap", address / page_size) & frame_bits;
}

bool is_on_lru(std::uint64_t frame) {
  return (read_entry("/proc/kpageflags", frame) >> KPF_LRU & 1) != 0;
}

bool is_huge(std::uint64_t frame) {
  return (read_entry("/proc/kpageflags", frame) >> KPF_THP & 1) != 0;
}

// Is a frame one that a claim could have but for what this program does to it? It is of
// ZONE_NORMAL, and no page around it, as far as a claim of 4 MiB would go, is in the way for good.
// Firmware and boot keep some near the end of memory.
bool could_be_had(std::uint64_t frame) {
  if (frame * page_size < normal_start) {
    return false;
  }
  constexpr std::uint64_t reach = 1024;
  constexpr std::uint64_t for_good = std::uint64_t{1} << KPF_NOPAGE | std::uint64_t{1} << KPF_SLAB |
                                     std::uint64_t{1} << KPF_PGTABLE |
                                     std::uint64_t{1} << kpf_reserved;
  std::vector<std::uint64_t> flags(reach);
  read_entries("/proc/kpageflags", frame / reach * reach, flags);
  return std::none_of(flags.begin(), flags.end(),
                      [](std::uint64_t page) { return (page & for_good) != 0; });
}

// The first page of a new batch, so that what else is touched meanwhile does not fill it: a full
// batch is emptied. nullptr if there is none.
const char* find_in_batch(char* memory) {
  bool was_emptied = false;
  for (std::size_t i = 0; i < pages; ++i) {
    char* page = memory + i * page_size;
    *page = 1;
    const std::uint64_t frame = frame_of(page);
    if (is_on_lru(frame)) {
      was_emptied = true;
    } else if (was_emptied && could_be_had(frame)) {
      return page;
    }
  }
  return nullptr;
}

void splice(const char* memory) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    die("pipe");
  }
  const iovec part{const_cast<char*>(memory), page_size};
  if (::vmsplice(ends[1], &part, 1, 0) != static_cast<ssize_t>(page_size)) {
    die("vmsplice");
  }
}

char* map(std::size_t size, int flags) {
  void* mapped =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  if (mapped == MAP_FAILED) {
    die("mmap");
  }
  return static_cast<char*>(mapped);
}

// Where a huge page may begin; advised to be one or not to be.
char* map_for_huge(int advice) {
  std::size_t room = 2 * huge_size;
  void* mapped = map(room, 0);
  ::madvise(mapped, room, advice);
  return static_cast<char*>(std::align(huge_size, huge_size, mapped, room));
}

char* map_filled() {
  char* memory = map_for_huge(MADV_NOHUGEPAGE);
  std::memset(memory, 1, pages * page_size);
  return memory;
}

// What find() finds, in one part of memory after the other until it is not nullptr.
const char* find_somewhere(const char* what, const char* (*find)()) {
  for (int tries = 0; tries < 8; ++tries) {
    if (const char* page = find()) {
      return page;
    }
    // The next pages come from elsewhere.
    constexpr std::size_t aside = std::size_t{8} << 20;
    std::memset(map(aside, 0), 1, aside);
  }
  std::fprintf(stderr, "stay: no page is %s and not beside what stays for good\n", what);
  std::exit(1);
}

std::uint64_t batch() {
  return frame_of(
      find_somewhere("in a batch", [] { return find_in_batch(map_for_huge(MADV_NOHUGEPAGE)); }));
}

std::uint64_t spliced() {
  const char* page = find_somewhere("filled", []() -> const char* {
    const char* memory = map_filled();
    return could_be_had(frame_of(memory)) ? memory : nullptr;
  });
  splice(page);
  return frame_of(page);
}

std::uint64_t huge() {
  const char* page = find_somewhere("huge", []() -> const char* {
    char* memory = map_for_huge(MADV_HUGEPAGE);
    *memory = 1;
    const std::uint64_t frame = frame_of(memory);
    return is_huge(frame) && could_be_had(frame) ? memory : nullptr;
  });
  splice(page);
  return frame_of(page);
}

// With enough of its kind around it to fill a subblock.
std::uint64_t locked() {
  return frame_of(find_somewhere("locked", []() -> const char* {
    constexpr std::size_t size = std::size_t{32} << 20;
    char* memory = map(size, 0);
    ::madvise(memory, size, MADV_NOHUGEPAGE);
    if (::mlock(memory, size) != 0) {
      die("mlock");
    }
    const char* middle = memory + size / 2;
    return could_be_had(frame_of(middle)) ? middle : nullptr;
  }));
}

std::uint64_t hugetlb(std::size_t size, int flags) {
  char* memory = map(size, MAP_HUGETLB | flags);
  *memory = 1;
  return frame_of(memory);
}

// The page table of ZONE_NORMAL that is nearest to a frame.
std::uint64_t nearest_table(std::uint64_t near) {
  const int fd = ::open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
  std::array<std::uint64_t, 4096> flags{};
  std::uint64_t nearest = 0;
  const auto distance = [near](std::uint64_t to) {
    return std::max(near, to) - std::min(near, to);
  };
  for (std::uint64_t first = normal_start / page_size;; first += flags.size()) {
    const auto offset = static_cast<off_t>(first * sizeof(flags[0]));
    const ssize_t got = ::pread(fd, flags.data(), sizeof(flags), offset);
    if (got <= 0) {
      break;
    }
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(got) / sizeof(flags[0]); ++i) {
      if ((flags[i] >> KPF_PGTABLE & 1) != 0 && distance(first + i) < distance(nearest)) {
        nearest = first + i;
      }
    }
  }
  ::close(fd);
  if (nearest == 0) {
    std::fprintf(stderr, "stay: no page table was found\n");
    std::exit(1);
  }
  return nearest;
}

// With many new page tables, one of them, or another.
std::uint64_t table() {
  constexpr std::size_t tables = 256;
  char* memory = map((tables + 1) * huge_size, MAP_NORESERVE);
  ::madvise(memory, (tables + 1) * huge_size, MADV_NOHUGEPAGE);
  for (std::size_t i = 0; i < tables; ++i) {
    memory[i * huge_size] = 1;
  }
  // They are allocated beside the pages that they map, most of the time.
  return nearest_table(frame_of(memory + tables / 2 * huge_size));
}

struct Kind {
  std::string_view name;
  std::uint64_t (*keep)();  // returns the page's frame
};

constexpr std::array kinds{
    Kind{"batch", batch},
    Kind{"spliced", spliced},
    Kind{"huge", huge},
    Kind{"gigantic", [] { return hugetlb(std::size_t{1} << 30, MAP_HUGE_1GB); }},
    Kind{"table", table},
    Kind{"locked", locked},
    Kind{"hugetlb", [] { return hugetlb(huge_size, MAP_HUGE_2MB); }},
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view how = argc == 2 ? argv[1] : "";
  const auto* kind = std::find_if(kinds.begin(), kinds.end(),
                                  [how](const Kind& known) { return known.name == how; });
  if (kind == kinds.end()) {
    std::fprintf(stderr, "usage: stay batch|spliced|huge|gigantic|table|locked|hugetlb\n");
    return 2;
  }
  // Stays on its CPU, as its batch does.
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &here);
  ::sched_setaffinity(0, sizeof(here), &here);

  const unsigned long long address = kind->keep() * page_size;
  std::printf("%#llx\n", address);
  std::fflush(stdout);
  for (;;) {
    ::pause();
  }
}
