// SPDX-License-Identifier: MIT
// Takes 64 MiB of physically contiguous memory inside a window, maps it, and tells where it is:
// what a driver in user space, or a program for an FPGA, does with a buffer that hardware reaches
// by its physical address. The memory is tied to the descriptor: it goes back when the program
// ends, however it ends.
//
//   g++ -std=c++20 -I kmod/uapi -o claim_and_map examples/claim_and_map.cpp
//   ./claim_and_map 0x100000000 0x100000000        # window: first byte, length
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "memplug.h"

namespace {

constexpr std::uint64_t length = 64 << 20;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: claim_and_map WINDOW_START WINDOW_LENGTH\n");
    return 2;
  }
  const int device = ::open("/dev/memplug", O_RDWR | O_CLOEXEC);
  if (device < 0) {
    give_up("/dev/memplug");
  }

  memplug_range range{};
  memplug_request request{};
  request.size = sizeof(request);
  request.flags = MEMPLUG_REQ_CONTIGUOUS | MEMPLUG_REQ_WINDOW | MEMPLUG_REQ_TIED;
  request.length = length;
  request.window_start = std::strtoull(argv[1], nullptr, 0);
  request.window_length = std::strtoull(argv[2], nullptr, 0);
  request.align = length;
  // The ABI carries pointers as integers.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  request.ranges = reinterpret_cast<std::uintptr_t>(&range);
  request.ranges_capacity = 1;
  if (::ioctl(device, MEMPLUG_IOC_UNPLUG, &request) != 0) {
    give_up("UNPLUG");
  }
  // A request that ran succeeds however little it got: one run, or nothing.
  if (request.out_done != length) {
    std::fprintf(stderr, "there is no such run: stopped for reason %u\n", request.out_stop);
    return 1;
  }

  void* memory = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, device,
                        static_cast<off_t>(range.start));
  if (memory == MAP_FAILED) {
    give_up("mmap");
  }
  // All of it is zero at first.
  constexpr std::string_view text = "from C++";
  std::copy(text.begin(), text.end(), static_cast<char*>(memory));
  // The n-th byte of the mapping has the physical address range.start + n.
  std::printf("%#llx: %s\n", static_cast<unsigned long long>(range.start),
              static_cast<const char*>(memory));
  std::fflush(stdout);

  // Here the hardware would do its work; until stdin is closed.
  while (std::getchar() != EOF) {
  }
  return 0;
}
