// SPDX-License-Identifier: MIT
// Takes memory, maps it and asks who holds it, for the programs that test just that.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "memplug_device.hpp"

namespace lab {

inline void expect(bool right, const char* what) {
  if (!right) {
    die("%s", what);
  }
}

// What may take a moment, as it is done by another task.
template <typename Condition>
void wait_until(const char* what, Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      die("%s: not within a minute", what);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

struct Outcome {
  int error = 0;
  memplug_request request{};
  std::vector<memplug_range> ranges;
  std::vector<memplug_blocked> blocked;
};

inline Outcome carry_out(const Device& device, unsigned long command, memplug_request request) {
  Outcome outcome;
  outcome.ranges.resize(1024);
  outcome.blocked.resize(MEMPLUG_MAX_BLOCKED);
  request.size = sizeof(request);
  request.ranges = user_pointer(outcome.ranges.data());
  request.ranges_capacity = static_cast<std::uint32_t>(outcome.ranges.size());
  request.blocked = user_pointer(outcome.blocked.data());
  request.blocked_capacity = static_cast<std::uint32_t>(outcome.blocked.size());
  outcome.error = device.call(command, &request);
  outcome.request = request;
  outcome.ranges.resize(outcome.error == 0 ? request.out_ranges : 0);
  outcome.blocked.resize(outcome.error == 0 ? request.out_blocked : 0);
  return outcome;
}

// One contiguous range of ordinary memory, or tied to the device.
inline memplug_range take(const Device& device, std::uint64_t length, std::uint32_t flags = 0) {
  memplug_request request{};
  request.flags = MEMPLUG_REQ_CONTIGUOUS | flags;
  request.length = length;
  const Outcome outcome = carry_out(device, MEMPLUG_IOC_UNPLUG, request);
  if (outcome.error != 0 || outcome.request.out_done != length || outcome.ranges.size() != 1) {
    die("UNPLUG of %llu bytes: %s, %llu done, stop %u", static_cast<unsigned long long>(length),
        std::strerror(outcome.error), static_cast<unsigned long long>(outcome.request.out_done),
        outcome.request.out_stop);
  }
  return outcome.ranges[0];
}

inline Outcome plug(const Device& device, std::uint64_t start, std::uint64_t length) {
  memplug_request request{};
  request.flags = MEMPLUG_REQ_RANGE;
  request.start = start;
  request.length = length;
  return carry_out(device, MEMPLUG_IOC_PLUG, request);
}

inline Outcome plug_all(const Device& device) {
  memplug_request request{};
  request.flags = MEMPLUG_REQ_ALL;
  return carry_out(device, MEMPLUG_IOC_PLUG, request);
}

// What mmap() says: the memory, or nullptr with errno.
inline void* try_map(int fd, std::uint64_t start, std::size_t length,
                     int protection = PROT_READ | PROT_WRITE, int flags = MAP_SHARED) {
  void* memory = ::mmap(nullptr, length, protection, flags, fd, static_cast<off_t>(start));
  return memory == MAP_FAILED ? nullptr : memory;
}

inline std::uint64_t* map(const Device& device, std::uint64_t start, std::size_t length) {
  void* memory = try_map(device.fd(), start, length);
  if (memory == nullptr) {
    die("mmap at %#llx: %s", static_cast<unsigned long long>(start), std::strerror(errno));
  }
  return static_cast<std::uint64_t*>(memory);
}

// What the list says of one address: nothing with length 0.
inline memplug_range look_up(const Device& device, std::uint64_t address) {
  const std::vector<memplug_range> ranges = device.list();
  const auto found = std::find_if(ranges.begin(), ranges.end(), [=](const memplug_range& range) {
    return address >= range.start && address - range.start < range.length;
  });
  return found == ranges.end() ? memplug_range{} : *found;
}

}  // namespace lab
