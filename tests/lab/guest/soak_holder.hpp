// SPDX-License-Identifier: MIT
// A process that holds memory of its own: tied to its descriptor, mapped, and full of a pattern
// that nothing may change, whatever else is plugged, unplugged or taken offline meanwhile.
#pragma once

#include <random>

#include "holding.hpp"
#include "pattern.hpp"
#include "soak_board.hpp"

namespace soak {

class Holder {
 public:
  Holder(Board& board, std::size_t slot, std::uint64_t seed)
      : board_(board), slot_(slot), random_(seed) {}

  void run() {
    Gate gate(board_, slot_);
    while (gate.enter()) {
      hold(gate);
      gate.leave();
      std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 1000));
    }
  }

 private:
  static constexpr std::uint64_t page_words = page_size / sizeof(std::uint64_t);

  // Memory that closing the device gives back, also with the mappings still there.
  void hold(const Gate& gate) {
    const lab::Device device;
    const std::uint64_t subblock = device.info().out_subblock_size;
    memplug_request request{};
    request.flags = MEMPLUG_REQ_TIED;
    request.length = (1 + random_() % 8) * subblock;
    const lab::Outcome taken = lab::carry_out(device, MEMPLUG_IOC_UNPLUG, request);
    if (taken.error != 0) {
      broke(board_, "UNPLUG, tied: %s", std::strerror(taken.error));
    }
    const lab::Pattern pattern(random_());
    std::vector<std::pair<std::uint64_t*, std::uint64_t>> areas;
    for (const memplug_range& range : taken.ranges) {
      areas.emplace_back(lab::map(device, range.start, range.length), range.length);
      for_each_page(areas.back(), [&](std::uint64_t number, std::uint64_t* page) {
        if (std::any_of(page, page + page_words, [](std::uint64_t word) { return word != 0; })) {
          broke(board_, "memory that was taken anew is not zero");
        }
        pattern.fill(number, page);
      });
    }
    do {
      for (const auto& area : areas) {
        for_each_page(area, [&](std::uint64_t number, std::uint64_t* page) {
          const std::uint64_t wrong = pattern.wrong_bytes(number, page);
          board_.bytes_verified += page_size;
          board_.bytes_wrong += wrong;
          if (wrong != 0) {
            broke(board_, "%llu bytes of mapped memory are wrong",
                  static_cast<unsigned long long>(wrong));
          }
        });
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 200));
    } while (!gate.wanted_empty() && random_() % 8 != 0);
    for (const auto& [memory, length] : areas) {
      ::munmap(memory, length);
    }
    board_.holds += areas.empty() ? 0 : 1;
  }

  template <typename Work>
  static void for_each_page(const std::pair<std::uint64_t*, std::uint64_t>& area, Work work) {
    for (std::uint64_t i = 0; i < area.second / page_size; ++i) {
      work(i, area.first + i * page_words);
    }
  }

  Board& board_;
  std::size_t slot_;
  std::mt19937_64 random_;
};

}  // namespace soak
