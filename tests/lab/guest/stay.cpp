// SPDX-License-Identifier: MIT
// Keeps one page of its own in a state that is in the way of a claim, prints the page's physical
// address, and stays until it is killed. It knows nothing of memplug.
//
//   stay batch      in a per-CPU batch, on its way to the LRU lists: in the way for the moment
//   stay spliced    with an extra reference, from a pipe: in the way for good
//   stay huge       the same, a part of a huge page: nothing shows that it is in the way
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

namespace {

constexpr std::size_t page_size = 4096;
constexpr std::size_t huge_size = std::size_t{2} << 20;
constexpr std::size_t pages = 64;
constexpr std::uint64_t normal_start = std::uint64_t{1} << 32;

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "stay: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

std::uint64_t read_entry(const char* path, std::uint64_t index) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  std::uint64_t entry = 0;
  const auto offset = static_cast<off_t>(index * sizeof(entry));
  if (fd < 0 || ::pread(fd, &entry, sizeof(entry), offset) != sizeof(entry)) {
    die(path);
  }
  ::close(fd);
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

// The first page that is in a batch right after it was touched: a batch that is full is emptied.
const char* find_in_batch(char* memory) {
  for (std::size_t i = 0; i < pages; ++i) {
    char* page = memory + i * page_size;
    *page = 1;
    const std::uint64_t frame = frame_of(page);
    if (frame * page_size >= normal_start && !is_on_lru(frame)) {
      return page;
    }
  }
  std::fprintf(stderr, "stay: every page is on an LRU list already\n");
  std::exit(1);
}

const char* splice(const char* memory) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    die("pipe");
  }
  const iovec part{const_cast<char*>(memory), page_size};
  if (::vmsplice(ends[1], &part, 1, 0) != static_cast<ssize_t>(page_size)) {
    die("vmsplice");
  }
  return memory;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view how = argc == 2 ? argv[1] : "";
  if (how != "batch" && how != "spliced" && how != "huge") {
    std::fprintf(stderr, "usage: stay batch|spliced|huge\n");
    return 2;
  }
  // Stays on its CPU, as its batch does.
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &here);
  ::sched_setaffinity(0, sizeof(here), &here);

  // Room for a huge page that is aligned.
  void* mapped =
      ::mmap(nullptr, 2 * huge_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) {
    die("mmap");
  }
  ::madvise(mapped, 2 * huge_size, how == "huge" ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  std::size_t room = 2 * huge_size;
  auto* memory = static_cast<char*>(std::align(huge_size, huge_size, mapped, room));
  if (how != "batch") {
    std::memset(memory, 1, pages * page_size);
  }
  if (how == "huge" && !is_huge(frame_of(memory))) {
    std::fprintf(stderr, "stay: no huge page was to be had\n");
    return 1;
  }
  const char* page = how == "batch" ? find_in_batch(memory) : splice(memory);
  const unsigned long long address = frame_of(page) * page_size;
  std::printf("%#llx\n", address);
  std::fflush(stdout);
  for (;;) {
    ::pause();
  }
}
