// SPDX-License-Identifier: MIT
// Reads INFO over and over until SIGTERM, and prints how often that was. Needs no privilege but to
// open the device for reading.
#include <csignal>

#include "memplug_device.hpp"

namespace {

volatile std::sig_atomic_t ended = 0;

}  // namespace

int main() {
  const lab::Device device(O_RDONLY);
  std::signal(SIGTERM, [](int /*signal*/) { ended = 1; });
  unsigned long reads = 0;
  while (ended == 0) {
    static_cast<void>(device.info());
    ++reads;
  }
  std::printf("%lu\n", reads);
  return 0;
}
