// SPDX-License-Identifier: MIT
// What one thread can't provoke: a second request on a descriptor whose first still runs, results
// that can't be written any more when the work is done, a descriptor closed under a request.
#pragma once

#include "fuzz_process.hpp"

namespace fuzz {

class Racer {
 public:
  Racer(Board& board, std::size_t slot, const Terrain& terrain, std::uint64_t seed)
      : board_(board), slot_(slot), terrain_(terrain), random_(seed) {}

  void run() {
    for (int left = 20; left > 0 && !board_.stop; --left) {
      rest_if_asked(board_, slot_);
      if (random_() % 2 == 0) {
        crowd_descriptor();
      } else {
        lose_results(random_() % 3 == 0 ? MEMPLUG_IOC_UNPLUG : MEMPLUG_IOC_PLUG);
      }
    }
  }

 private:
  static memplug_request request_for(std::uint64_t length, std::uint32_t flags = 0) {
    auto request = lab::sized<memplug_request>();
    request.length = length;
    request.flags = flags;
    return request;
  }

  int call(int fd, unsigned long command, memplug_request& request) {
    const int error = ::ioctl(fd, command, &request) == 0 ? 0 : errno;
    count(command, error, request);
    return error;
  }

  void count(unsigned long command, int error, const memplug_request& request) {
    const bool unplugs = command == MEMPLUG_IOC_UNPLUG;
    const auto operation = unplugs ? Operation::unplug : Operation::plug;
    const bool dry = (request.flags & MEMPLUG_REQ_DRY_RUN) != 0;
    board_.count(index_of(operation), error, came_through(error),
                 unplugs && !dry && error == 0 && request.out_done != 0);
    if (!is_documented(operation, error)) {
      lab::die("%s is not documented", ::strerrorname_np(error));
    }
  }

  // Until the request of another thread runs on this descriptor; false if it is over instead.
  static bool wait_for_request(int fd, const std::atomic<bool>& over) {
    while (!over) {
      auto progress = lab::sized<memplug_progress>();
      if (::ioctl(fd, MEMPLUG_IOC_PROGRESS, &progress) == 0 &&
          progress.out_operation != MEMPLUG_OP_NONE) {
        return true;
      }
      // Whoever waits must not have the CPU that the request needs.
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    return false;
  }

  void crowd_descriptor() {
    lab::Device device;
    const int alias = ::dup(device.fd());
    std::atomic<bool> over{false};
    std::jthread first([&] {
      auto request = request_for(128 * terrain_.subblock);
      request.timeout_ns = 60000000;
      call(alias, MEMPLUG_IOC_UNPLUG, request);
      over = true;
    });
    if (wait_for_request(device.fd(), over)) {
      const bool unplugs = random_() % 2 == 0;
      auto second = request_for(terrain_.subblock, MEMPLUG_REQ_DRY_RUN);
      call(device.fd(), unplugs ? MEMPLUG_IOC_UNPLUG : MEMPLUG_IOC_PLUG, second);
      auto third = request_for(terrain_.subblock, MEMPLUG_REQ_DRY_RUN);
      call(device.fd(), unplugs ? MEMPLUG_IOC_PLUG : MEMPLUG_IOC_UNPLUG, third);
    }
    // The request goes on, on a descriptor that has no number any more.
    ::close(alias);
  }

  // Takes away where the results go while the request runs: the argument, or its ranges.
  void lose_results(unsigned long command) {
    lab::Device device;
    const std::uint64_t length = 48 * terrain_.subblock;
    if (command == MEMPLUG_IOC_PLUG) {
      auto taken = request_for(length);
      taken.timeout_ns = 200000000;
      call(device.fd(), MEMPLUG_IOC_UNPLUG, taken);
    }
    const lab::Pages pages;
    const bool keep_argument = random_() % 2 == 0;
    auto request = request_for(length);
    request.timeout_ns = command == MEMPLUG_IOC_PLUG ? 0 : 100000000;
    // The second page is lost: the ranges are in it, or the argument.
    request.ranges = lab::user_pointer(pages.data() + (keep_argument ? lab::Pages::page : 0));
    request.ranges_capacity = 64;
    std::byte* argument = pages.data() + (keep_argument ? 0 : lab::Pages::page);
    std::memcpy(argument, &request, sizeof(request));
    std::atomic<bool> over{false};
    int error = 0;
    std::jthread worker([&] {
      error = ::ioctl(device.fd(), command, argument) == 0 ? 0 : errno;
      over = true;
    });
    // A request that PROGRESS shows has found its results writable.
    const bool runs = wait_for_request(device.fd(), over);
    pages.protect(lab::Pages::page, lab::Pages::page, PROT_NONE);
    worker.join();
    pages.protect(lab::Pages::page, lab::Pages::page, PROT_READ | PROT_WRITE);
    std::memcpy(&request, argument, sizeof(request));
    count(command, error, request);
    if (runs && error == EFAULT) {
      ++(command == MEMPLUG_IOC_PLUG ? board_.late_plug_faults : board_.late_unplug_faults);
    }
  }

  Board& board_;
  std::size_t slot_;
  Terrain terrain_;
  std::mt19937_64 random_;
};

}  // namespace fuzz
