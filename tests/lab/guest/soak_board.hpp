// SPDX-License-Identifier: MIT
// What the processes of the soak share: what they count, the gate at which they rest while the
// accounts are compared, and what the first of them that found something wrong has to say.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdarg>
#include <thread>

#include "memplug_device.hpp"

namespace soak {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

inline constexpr std::uint64_t page_size = 4096;
inline constexpr std::size_t max_slots = 16;

// A whole minute beyond any pause seen; also enough for a kernel that is six times as slow.
inline constexpr auto patience = 300s;

enum class Kind : std::uint8_t {
  unplug_size,
  unplug_range,
  unplug_contiguous,
  unplug_exact,
  unplug_within,
  unplug_timeout,
  plug_size,
  plug_range,
  plug_all,
  dry_run,
  target,
  list,
  count
};
inline constexpr auto kinds = static_cast<std::size_t>(Kind::count);
inline constexpr std::array<const char*, kinds> kind_names{
    "unplug by size", "unplug range", "unplug contiguous", "unplug exact", "unplug within",
    "unplug timeout", "plug by size", "plug range",        "plug all",     "dry run",
    "target",         "list"};

enum class Result : std::uint8_t { whole, part, nothing, refused, count };
inline constexpr auto results = static_cast<std::size_t>(Result::count);
inline constexpr std::array<const char*, results> result_names{"whole", "part", "nothing",
                                                               "refused"};

using Count = std::atomic<std::uint64_t>;

// Lives in shared memory, so that a process that is killed takes nothing along.
struct Board {
  std::atomic<bool> stop;
  std::atomic<bool> pause;
  // Whether this process may have the device open, or a memory block offline.
  std::array<std::atomic<bool>, max_slots> busy;
  // Whether this process is in a request.
  std::array<std::atomic<bool>, max_slots> in_request;

  std::array<std::array<Count, results>, kinds> requests;
  Count interrupted, timed_out, floor_stops;
  Count bytes_unplugged, bytes_plugged;
  Count blocks_offlined, blocks_onlined, blocks_refused, blocks_with_unplugged;
  Count bytes_verified, bytes_wrong, passes, caches_dropped;
  Count holds;

  std::atomic<bool> broken;
  std::array<char, 256> broken_why;
};

// Ends the process, and with it the soak. The reason of the first is kept.
[[noreturn]] [[gnu::format(printf, 2, 3)]] inline void broke(Board& board, const char* format,
                                                             ...) {
  std::array<char, 256> text{};
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text.data(), text.size(), format, arguments);
  va_end(arguments);
  if (!board.broken.exchange(true)) {
    board.broken_why = text;
  }
  lab::die("%s", text.data());
}

// A process rests here while the accounts are compared.
class Gate {
 public:
  Gate(Board& board, std::size_t slot) : board_(board), busy_(board.busy[slot]) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate() { busy_ = false; }

  // True: go on, and call leave() when all is as it was. False: the soak is over.
  bool enter() {
    while (!board_.stop) {
      // In this order, or the conductor could miss it.
      busy_ = true;
      if (!board_.pause) {
        return true;
      }
      busy_ = false;
      std::this_thread::sleep_for(20ms);
    }
    return false;
  }
  void leave() { busy_ = false; }

  [[nodiscard]] bool wanted_empty() const { return board_.pause || board_.stop; }

 private:
  Board& board_;
  std::atomic<bool>& busy_;
};

}  // namespace soak
