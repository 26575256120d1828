// SPDX-License-Identifier: MIT
// Dirties memory all the time, and finds out whether any of it was damaged.
//
//   dirtier SIZE     in MiB; until SIGTERM, when it tells how often it went over all of it
//
// Each pass writes a new word into every page and looks at the word of the pass before.
#include <sys/mman.h>

#include <csignal>
#include <string>

#include "memplug_device.hpp"

namespace {

volatile std::sig_atomic_t over = 0;

void end(int /*number*/) { over = 1; }

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: dirtier SIZE\n", stderr);
    return 2;
  }
  constexpr std::size_t page_words = 4096 / sizeof(std::uint64_t);
  const std::size_t size = std::stoul(argv[1]) << 20;
  std::signal(SIGTERM, end);
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    lab::die("mmap: %s", std::strerror(errno));
  }
  auto* words = static_cast<volatile std::uint64_t*>(memory);
  const std::size_t count = size / sizeof(std::uint64_t);
  std::uint64_t pass = 0;
  for (; over == 0; ++pass) {
    for (std::size_t i = 0; i < count && (over == 0 || pass == 0); i += page_words) {
      if (words[i] != (pass == 0 ? 0 : i + pass - 1)) {
        lab::die("pass %llu: byte %zu is wrong", static_cast<unsigned long long>(pass),
                 i * sizeof(std::uint64_t));
      }
      words[i] = i + pass;
    }
    if (pass == 0) {
      std::puts("filled");
      std::fflush(stdout);
    }
  }
  std::printf("%llu passes\n", static_cast<unsigned long long>(pass));
  return 0;
}
