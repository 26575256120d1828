// SPDX-License-Identifier: MIT
// no_target ROUNDS: sets a target that is far away, and none a moment later, at another point of
// the worker's way each time. From then on nothing changes by itself.
#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "memplug_device.hpp"

namespace {

using namespace std::chrono_literals;

void set_target(const lab::Device& device, std::uint64_t bytes) {
  auto target = lab::sized<memplug_target>();
  target.target = bytes;
  if (const int error = device.call(MEMPLUG_IOC_TARGET, &target); error != 0) {
    lab::die("TARGET: %s", std::strerror(error));
  }
}

void plug_everything(const lab::Device& device) {
  auto request = lab::sized<memplug_request>();
  request.flags = MEMPLUG_REQ_ALL;
  if (const int error = device.call(MEMPLUG_IOC_PLUG, &request); error != 0) {
    lab::die("PLUG: %s", std::strerror(error));
  }
  if (device.info().out_unplugged_size != 0) {
    lab::die("memory is unplugged after all of it was plugged");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const long rounds = argc == 2 ? std::strtol(argv[1], nullptr, 10) : 0;
  if (rounds <= 0) {
    lab::die("usage: no_target ROUNDS");
  }
  const lab::Device device(O_RDWR);
  const std::uint64_t managed = device.info().out_managed_size;
  long halfway = 0;
  for (long round = 0; round < rounds; ++round) {
    set_target(device, managed / 2);
    std::this_thread::sleep_for(round * 2ms);
    set_target(device, MEMPLUG_NO_TARGET);
    const memplug_info then = device.info();
    std::this_thread::sleep_for(200ms);
    const memplug_info later = device.info();
    if (later.out_generation != then.out_generation) {
      lab::die("round %ld: %llu bytes unplugged when there was no target, and %llu later", round,
               static_cast<unsigned long long>(then.out_unplugged_size),
               static_cast<unsigned long long>(later.out_unplugged_size));
    }
    const std::uint64_t taken = then.out_unplugged_size;
    halfway += taken != 0 && taken < managed / 2 ? 1 : 0;
    plug_everything(device);
  }
  std::printf("stopped half-way in %ld of %ld rounds\n", halfway, rounds);
  if (halfway == 0) {
    lab::die("the worker was never on its way");
  }
  return 0;
}
