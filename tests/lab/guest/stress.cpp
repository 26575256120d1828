// SPDX-License-Identifier: MIT
// Processes that unplug and plug at random while others are killed in the middle of a request.
// Each checks that every answer it gets is true in itself; what is true of the whole afterwards
// is for its caller to check. It leaves unplugged whatever is unplugged when the time is up.
//
//   stress PROCESSES SECONDS SEED
//
// Every 15 s all of them let go of the device for two seconds, so that it can be unloaded.
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "memplug_device.hpp"
#include "process.hpp"
#include "zoneinfo.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using lab::die;
using namespace std::chrono_literals;

constexpr std::uint64_t page_size = 4096;

constexpr std::size_t max_processes = 64;

// Between the processes; lives in shared memory.
struct Board {
  std::array<std::atomic<bool>, max_processes>
      holds;  // whether this process may have the device open
  std::atomic<bool> stop;
  std::atomic<bool> pause;
  std::atomic<std::uint64_t> requests;
  std::atomic<std::uint64_t> refused;  // opens while the module was away
  std::atomic<std::uint64_t> bytes_moved;
};

struct Span {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
};

Span normal_memory() {
  Span span{~std::uint64_t{0}, 0};
  for (const lab::Zone& zone : lab::normal_zones()) {
    span.start = std::min(span.start, zone.start_pfn * page_size);
    span.end = std::max(span.end, (zone.start_pfn + zone.spanned) * page_size);
  }
  return span;
}

class Worker {
 public:
  Worker(Board& board, std::size_t slot, Span memory, std::uint64_t seed)
      : board_(board), holds_(board.holds[slot]), memory_(memory), random_(seed) {}

  // Until told to stop. The device is opened anew for every few requests: unloading must be
  // possible at times, and a killed process must not be the only one that ever closes.
  void run() {
    while (!board_.stop) {
      holds_ = true;
      if (board_.pause || !use_device()) {
        holds_ = false;
        std::this_thread::sleep_for(20ms);
      }
    }
    holds_ = false;
  }

 private:
  std::uint64_t up_to(std::uint64_t limit) {
    return std::uniform_int_distribution<std::uint64_t>(1, limit)(random_);
  }

  // False if there is no device at the moment.
  bool use_device() {
    const int fd = ::open(lab::device_path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
      // The module may be unloaded, or be on its way out; nothing else may be wrong.
      if (errno != ENOENT && errno != ENODEV && errno != ENXIO) {
        die("open: %s", std::strerror(errno));
      }
      ++board_.refused;
      return false;
    }
    for (std::uint64_t i = up_to(20); i > 0 && !board_.stop && !board_.pause; --i) {
      request(fd);
      ++board_.requests;
    }
    ::close(fd);
    return true;
  }

  memplug_request random_request(std::uint64_t subblock, bool& unplug) {
    auto request = lab::sized<memplug_request>();
    const std::uint64_t dice = up_to(100);
    unplug = dice <= 55;
    request.length = up_to(32) * subblock;
    if (dice % 3 == 0) {
      request.flags |= MEMPLUG_REQ_RANGE;
      const std::uint64_t subblocks = (memory_.end - memory_.start - request.length) / subblock;
      request.start = memory_.start + (up_to(subblocks) - 1) * subblock;
    } else if (unplug && dice % 7 == 0) {
      request.flags |= MEMPLUG_REQ_CONTIGUOUS;
    } else if (unplug && dice % 11 == 0) {
      request.timeout_ns = up_to(20) * 1000000;
    } else if (!unplug && dice % 13 == 0) {
      request.flags |= MEMPLUG_REQ_ALL;
      request.length = 0;
    }
    if (unplug && up_to(6) == 1) {
      request.flags |= MEMPLUG_REQ_EXACT;
    }
    if (up_to(10) == 1) {
      request.flags |= MEMPLUG_REQ_DRY_RUN;
    }
    return request;
  }

  void request(int fd) {
    auto info = lab::sized<memplug_info>();
    if (::ioctl(fd, MEMPLUG_IOC_INFO, &info) != 0) {
      die("INFO: %s", std::strerror(errno));
    }
    if (info.out_unplugged_size > info.out_managed_size) {
      die("more is unplugged than there is");
    }
    bool unplug = false;
    auto request = random_request(info.out_subblock_size, unplug);
    std::vector<memplug_range> ranges(1024);
    std::vector<memplug_blocked> blocked(MEMPLUG_MAX_BLOCKED);
    request.ranges = lab::user_pointer(ranges.data());
    request.ranges_capacity = static_cast<std::uint32_t>(ranges.size());
    request.blocked = lab::user_pointer(blocked.data());
    request.blocked_capacity = static_cast<std::uint32_t>(blocked.size());
    if (::ioctl(fd, unplug ? MEMPLUG_IOC_UNPLUG : MEMPLUG_IOC_PLUG, &request) != 0) {
      die("%s with flags %#x: %s", unplug ? "UNPLUG" : "PLUG", request.flags, std::strerror(errno));
    }
    ranges.resize(std::min<std::size_t>(request.out_ranges, ranges.size()));
    check(request, ranges);
    if ((request.flags & MEMPLUG_REQ_DRY_RUN) == 0) {
      board_.bytes_moved += request.out_done;
    }
  }

  static void check(const memplug_request& request, const std::vector<memplug_range>& ranges) {
    const std::uint64_t had = request.out_done + request.out_already;
    if (had > request.out_requested) {
      die("done %llu + already %llu is more than requested %llu",
          static_cast<unsigned long long>(request.out_done),
          static_cast<unsigned long long>(request.out_already),
          static_cast<unsigned long long>(request.out_requested));
    }
    if ((had == request.out_requested) != (request.out_stop == MEMPLUG_STOP_NONE)) {
      die("%llu of %llu bytes and stop reason %u", static_cast<unsigned long long>(had),
          static_cast<unsigned long long>(request.out_requested), request.out_stop);
    }
    if ((request.out_flags & MEMPLUG_OUT_TRUNCATED) == 0 &&
        lab::total_length(ranges) != request.out_done) {
      die("the ranges are %llu bytes, done are %llu",
          static_cast<unsigned long long>(lab::total_length(ranges)),
          static_cast<unsigned long long>(request.out_done));
    }
    const bool all_or_nothing = (request.flags & (MEMPLUG_REQ_EXACT | MEMPLUG_REQ_CONTIGUOUS)) != 0;
    if (all_or_nothing && request.out_done != 0 && had != request.out_requested) {
      die("all or nothing gave %llu of %llu bytes", static_cast<unsigned long long>(had),
          static_cast<unsigned long long>(request.out_requested));
    }
  }

  Board& board_;
  std::atomic<bool>& holds_;
  Span memory_;
  std::mt19937_64 random_;
};

class Crowd {
 public:
  Crowd(Board& board, std::size_t processes, std::uint64_t seed)
      : board_(board), memory_(normal_memory()), seed_(seed), random_(seed) {
    for (std::size_t slot = 0; slot < processes; ++slot) {
      workers_.push_back(spawn(slot));
    }
  }

  void kill_one() {
    const std::size_t slot = random_() % workers_.size();
    workers_[slot].signal(SIGKILL);
    if (reap(workers_[slot]) == SIGKILL) {
      ++kills_;
    }
    workers_[slot] = spawn(slot);
  }

  // Until nobody has the device open, and for two seconds more.
  void pause() {
    board_.pause = true;
    const auto deadline = Clock::now() + 60s;
    while (std::any_of(board_.holds.begin(), board_.holds.end(),
                       [](const std::atomic<bool>& holds) { return holds.load(); })) {
      if (Clock::now() > deadline) {
        abandon("a worker is still in a request after 60 s");
      }
      watch();
      std::this_thread::sleep_for(10ms);
    }
    std::this_thread::sleep_for(2s);
    board_.pause = false;
  }

  // A worker that ended by itself found something wrong.
  void watch() {
    for (lab::Process& worker : workers_) {
      if (worker.ended()) {
        abandon("a worker failed");
      }
    }
  }

  void finish() {
    board_.stop = true;
    for (lab::Process& worker : workers_) {
      const auto status = worker.await(60s);
      if (!status) {
        abandon("a worker is still in a request after 60 s");
      }
      if (!lab::succeeded(*status)) {
        abandon("a worker failed");
      }
    }
  }

  [[nodiscard]] std::uint64_t kills() const { return kills_; }

 private:
  lab::Process spawn(std::size_t slot) {
    board_.holds[slot] = false;
    const std::uint64_t seed = seed_ * 1000003 + ++spawned_;
    return lab::Process([this, slot, seed] { Worker(board_, slot, memory_, seed).run(); });
  }

  // The signal that ended it, or 0; one that can't be killed within 60 s hangs in the kernel.
  int reap(lab::Process& worker) {
    const auto status = worker.await(60s);
    if (!status) {
      abandon("a killed worker does not end");
    }
    if (WIFEXITED(*status)) {
      abandon("a worker failed");
    }
    return WTERMSIG(*status);
  }

  [[noreturn]] void abandon(const char* why) {
    for (const lab::Process& worker : workers_) {
      worker.signal(SIGKILL);
    }
    die("%s", why);
  }

  Board& board_;
  Span memory_;
  std::uint64_t seed_;
  std::mt19937_64 random_;
  std::vector<lab::Process> workers_;
  std::uint64_t spawned_ = 0;
  std::uint64_t kills_ = 0;
};

void run(std::size_t processes, std::chrono::seconds duration, std::uint64_t seed) {
  auto& board = lab::new_shared<Board>();
  std::printf("stress: %zu processes, %lld s, seed %llu\n", processes,
              static_cast<long long>(duration.count()), static_cast<unsigned long long>(seed));
  Crowd crowd(board, processes, seed);
  std::mt19937_64 random(seed + 1);
  const auto begin = Clock::now();
  auto next_pause = begin + 15s;
  while (Clock::now() - begin < duration) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + random() % 400));
    crowd.watch();
    crowd.kill_one();
    if (Clock::now() > next_pause) {
      crowd.pause();
      next_pause = Clock::now() + 15s;
    }
  }
  crowd.finish();
  std::printf(
      "stress: %llu requests, %llu MiB taken or given back, %llu killed, %llu opens met "
      "no device\n",
      static_cast<unsigned long long>(board.requests),
      static_cast<unsigned long long>(board.bytes_moved >> 20),
      static_cast<unsigned long long>(crowd.kills()),
      static_cast<unsigned long long>(board.refused));
  if (board.requests == 0 || crowd.kills() == 0) {
    die("nothing was tested");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int index) {
    return argc == 4 ? std::strtoull(argv[index], nullptr, 10) : 0;
  };
  if (number(1) == 0 || number(1) > max_processes || number(2) == 0) {
    std::fputs("usage: stress PROCESSES SECONDS SEED\n", stderr);
    return 2;
  }
  run(number(1), std::chrono::seconds(number(2)), number(3));
  return 0;
}
