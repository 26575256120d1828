// SPDX-License-Identifier: MIT
// Memory is mapped by huge pages where the kernel is safe for that, and by base pages elsewhere; to
// who maps it, it is the same memory either way. Everything is plugged before and after.
//   mapping_huge
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "holding.hpp"
#include "pattern.hpp"

namespace {

using lab::Device;
using lab::expect;
using lab::page_size;
using lab::page_words;

constexpr std::uint64_t huge_page = 2 << 20;
constexpr std::uint64_t length = 16 << 20;
constexpr std::size_t pages = length / page_size;
constexpr std::size_t huge_page_pages = huge_page / page_size;

// From 6.12 on, get_user_pages_fast() knows such an entry of the page table from one with pages.
// Some kernels also ask whether transparent huge pages are on; Debian has them so.
bool kernel_is_safe() {
  utsname name{};
  expect(::uname(&name) == 0, "uname");
  int major = 0;
  int minor = 0;
  expect(std::sscanf(name.release, "%d.%d", &major, &minor) == 2, "the kernel's release");
  return major > 6 || (major == 6 && minor >= 12);
}

template <typename Work>
std::size_t faults_of(Work work) {
  rusage before{};
  rusage after{};
  ::getrusage(RUSAGE_SELF, &before);
  work();
  ::getrusage(RUSAGE_SELF, &after);
  return static_cast<std::size_t>(after.ru_minflt - before.ru_minflt);
}

std::size_t faults_of_reading(const volatile std::uint64_t* memory, std::size_t count) {
  return faults_of([=] {
    for (std::size_t i = 0; i < count; ++i) {
      expect(memory[i * page_words] == 0, "it is not zero at first");
    }
  });
}

// One for each huge page, or for as many base pages.
void expect_faults(const char* what, std::size_t faults, std::size_t least) {
  // Code that runs for the first time faults as well.
  constexpr std::size_t others = 32;
  std::printf("%s: %zu faults\n", what, faults);
  if (faults < least || faults > least + others) {
    lab::die("%s: %zu faults, wanted %zu", what, faults, least);
  }
}

// One that does something to its copy of the mappings and ends by itself, or by a signal.
template <typename Work>
int status_of_child(Work work) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  expect(child >= 0, "fork");
  if (child == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  expect(::waitpid(child, &status, 0) == child, "waitpid");
  return status;
}

// `count` pages at `memory` are what the range has from its page `first` on.
void expect_contents(const lab::Pattern& pattern, const std::uint64_t* memory, std::size_t first,
                     std::size_t count, const char* what) {
  for (std::size_t i = 0; i < count; ++i) {
    expect(pattern.mismatch(first + i, memory + i * page_words) == page_words, what);
  }
}

void move(std::uint64_t* from, std::uint64_t* to, std::size_t count) {
  expect(
      ::mremap(from, count * page_size, count * page_size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to,
      "mremap");
}

void few_faults(const Device& device, std::uint64_t start) {
  std::uint64_t* memory = lab::map(device, start, length);
  expect_faults("whole", faults_of_reading(memory, pages), pages / huge_page_pages);
  ::munmap(memory, length);
  // Its ends are single pages.
  memory = lab::map(device, start + page_size, length - 2 * page_size);
  expect_faults("without its ends", faults_of_reading(memory, pages - 2), pages / huge_page_pages);
  ::munmap(memory, length - 2 * page_size);
}

void it_is_the_same_memory(const Device& device, std::uint64_t start) {
  const lab::Pattern pattern(start);
  std::uint64_t* memory = lab::map(device, start, length);
  for (std::size_t i = 0; i < pages; ++i) {
    pattern.fill(i, memory + i * page_words);
  }
  // Page by page, wherever it is mapped: too little for a huge page.
  for (std::size_t i = 0; i < pages; i += 37) {
    std::uint64_t* page = lab::map(device, start + i * page_size, page_size);
    expect(pattern.mismatch(i, page) == page_words, "a page is another, or has changed");
    ::munmap(page, page_size);
  }
  ::munmap(memory, length);
}

// What is done to a part of a huge page leaves the rest of it what it was.
void it_comes_apart(const Device& device, std::uint64_t start) {
  const lab::Pattern pattern(start);
  std::uint64_t* memory = lab::map(device, start, length);
  const auto page = [=](std::size_t i) { return memory + i * page_words; };
  expect_contents(pattern, memory, 0, pages, "what was written is not there any more");

  expect(::munmap(page(5), page_size) == 0, "munmap in the middle");
  expect_contents(pattern, memory, 0, 5, "before what was unmapped");
  expect_contents(pattern, page(6), 6, huge_page_pages - 6, "behind what was unmapped");

  const std::size_t half = huge_page_pages + huge_page_pages / 2;
  expect(::mprotect(page(half), huge_page, PROT_READ) == 0, "mprotect");
  expect_contents(pattern, page(huge_page_pages), huge_page_pages, 2 * huge_page_pages,
                  "across what is read-only");
  const int status =
      status_of_child([&] { *static_cast<volatile std::uint64_t*>(page(half)) = 1; });
  expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "what is read-only can be written");
  expect(::mprotect(page(half), huge_page, PROT_READ | PROT_WRITE) == 0, "mprotect back");
  pattern.fill(half, page(half));

  // A part of one huge page to where a part of another is; and one as a whole.
  const std::size_t third = 3 * huge_page_pages;
  move(page(third + 7), page(20), 9);
  expect_contents(pattern, page(20), third + 7, 9, "what was moved");
  expect_contents(pattern, page(third), third, 7, "before what was moved");
  expect_contents(pattern, page(third + 16), third + 16, huge_page_pages - 16,
                  "behind what was moved");
  move(page(5 * huge_page_pages), page(6 * huge_page_pages), huge_page_pages);
  expect_contents(pattern, page(6 * huge_page_pages), 5 * huge_page_pages, huge_page_pages,
                  "a huge page that was moved");

  const int forked = status_of_child([&] {
    expect_contents(pattern, page(4 * huge_page_pages), 4 * huge_page_pages, huge_page_pages,
                    "a child's");
    pattern.fill(0, page(4 * huge_page_pages));
  });
  expect(WIFEXITED(forked) && WEXITSTATUS(forked) == 0, "the child");
  expect(pattern.mismatch(0, page(4 * huge_page_pages)) == page_words,
         "what a child writes is not shared");
  ::munmap(memory, length);
}

// A reference to a page would outlive the mapping.
void nobody_pins_it(const Device& device, std::uint64_t start) {
  std::uint64_t* memory = lab::map(device, start, length);
  std::array<int, 2> ends{};
  expect(::pipe(ends.data()) == 0, "pipe");
  for (const std::size_t i : {std::size_t{0}, huge_page_pages + 3}) {
    *(memory + i * page_words) = i;
    const iovec part{memory + i * page_words, page_size};
    errno = 0;
    expect(::vmsplice(ends[1], &part, 1, 0) < 0 && errno == EFAULT, "vmsplice took it");
  }
  ::close(ends[0]);
  ::close(ends[1]);
  ::munmap(memory, length);
}

}  // namespace

int main() {
  const bool huge = kernel_is_safe();
  std::printf("huge pages: %s\n", huge ? "yes" : "not on this kernel");
  {
    const Device device;
    const std::uint64_t start =
        lab::take(device, std::max<std::uint64_t>(length, device.info().out_subblock_size)).start;
    few_faults(device, start);
    it_is_the_same_memory(device, start);
    it_comes_apart(device, start);
    nobody_pins_it(device, start);
    lab::plug_all(device);
  }
  expect(Device().info().out_unplugged_size == 0, "something is left");
  return 0;
}
