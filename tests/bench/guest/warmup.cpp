// SPDX-License-Identifier: MIT
// Has the kernel write to so many pages once, and gives them back: what the host does when a guest
// first writes to a page is then done. Measures nothing.
//
//   warmup MEBIBYTES
#include <sys/mman.h>

#include <string>

#include "memplug_device.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: warmup MEBIBYTES\n", stderr);
    return 2;
  }
  const std::size_t length = std::stoul(argv[1]) << 20;
  // The kernel zeroes what it hands out.
  void* memory = ::mmap(nullptr, length, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) {
    lab::die("mmap of %s MiB: %s", argv[1], std::strerror(errno));
  }
  return 0;
}
