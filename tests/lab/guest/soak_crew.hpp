// SPDX-License-Identifier: MIT
// The processes that the conductor starts, kills, holds up and waits for. One that ends by itself
// has found something wrong.
#pragma once

#include <memory>
#include <random>

#include "process.hpp"
#include "soak_books.hpp"
#include "soak_content.hpp"
#include "soak_holder.hpp"
#include "soak_hotplug.hpp"
#include "soak_requester.hpp"

namespace soak {

inline constexpr std::array<Holding, 5> holdings{
    {{"anonymous memory in huge pages", Store::huge_pages, 256, nullptr},
     {"anonymous memory in base pages", Store::base_pages, 128, nullptr},
     {"tmpfs", Store::tmpfs, 192, "/tmp/soak-content"},
     {"clean page cache", Store::clean_disk, 256, "/mnt/soak-clean"},
     {"dirty page cache", Store::dirty_disk, 64, "/mnt/soak-dirty"}}};

class Crew {
 public:
  Crew(Board& board, std::size_t requesters, std::uint64_t seed)
      : board_(board), memory_(normal_memory()), random_(seed), hotplug_slot_(requesters) {
    for (const Holding& holding : holdings) {
      const std::uint64_t own_seed = random_();
      others_.emplace_back(
          [&board, holding, own_seed] { Content(board, holding, own_seed).run(); });
    }
    const std::uint64_t own_seed = random_();
    others_.emplace_back([this, own_seed] { Hotplug(board_, hotplug_slot_, own_seed).run(); });
    others_.emplace_back(
        [this, own_seed] { Holder(board_, hotplug_slot_ + 1, own_seed + 1).run(); });
    for (std::size_t slot = 0; slot < requesters; ++slot) {
      requesters_.push_back(new_requester(slot));
    }
  }

  void watch() {
    for (auto* list : {&others_, &requesters_}) {
      for (lab::Process& process : *list) {
        if (const auto status = process.ended()) {
          throw Wrong(reason(list == &others_ ? "a holder or hotplug" : "a requester", *status));
        }
      }
    }
  }

  // SIGKILL for one of them, or SIGINT, after which it goes on.
  void disturb() {
    const std::size_t slot = random_() % requesters_.size();
    lab::Process& victim = requesters_[slot];
    // Before its first request it may not have said yet that SIGINT is not to end it.
    if (random_() % 3 == 0 && board_.in_request[slot]) {
      victim.signal(SIGINT);
      ++interrupts_;
      return;
    }
    const bool in_request = board_.in_request[slot];
    victim.signal(SIGKILL);
    const auto status = victim.await(patience);
    if (!status) {
      throw Wrong("a process that was killed does not end");
    }
    if (!WIFSIGNALED(*status)) {
      throw Wrong(reason("a requester", *status));
    }
    ++kills_;
    kills_in_request_ += in_request ? 1 : 0;
    board_.in_request[slot] = false;
    victim = new_requester(slot);
  }

  // Until nobody has the device open or a block offline.
  void pause() {
    board_.pause = true;
    const auto deadline = Clock::now() + patience;
    while (std::any_of(board_.busy.begin(), board_.busy.end(),
                       [](const std::atomic<bool>& busy) { return busy.load(); })) {
      watch();
      if (Clock::now() > deadline) {
        throw Wrong("a process is still in a request although all were told to rest");
      }
      std::this_thread::sleep_for(10ms);
    }
  }

  void resume() { board_.pause = false; }

  void finish() {
    board_.stop = true;
    for (auto* list : {&requesters_, &others_}) {
      for (lab::Process& process : *list) {
        const auto status = process.await(patience);
        if (!status) {
          throw Wrong("a process does not end");
        }
        if (!lab::succeeded(*status)) {
          throw Wrong(reason("a process that was to finish", *status));
        }
      }
    }
  }

  [[nodiscard]] std::uint64_t kills() const { return kills_; }
  [[nodiscard]] std::uint64_t kills_in_request() const { return kills_in_request_; }
  [[nodiscard]] std::uint64_t interrupts() const { return interrupts_; }

 private:
  lab::Process new_requester(std::size_t slot) {
    board_.busy[slot] = false;
    const std::uint64_t seed = random_();
    return lab::Process([this, slot, seed] { Requester(board_, slot, memory_, seed).run(); });
  }

  // What it found, or else how it ended.
  [[nodiscard]] std::string reason(const char* who, int status) const {
    if (board_.broken) {
      return board_.broken_why.data();
    }
    return std::string(who) + (WIFSIGNALED(status)
                                   ? " was ended by signal " + std::to_string(WTERMSIG(status))
                                   : " ended with " + std::to_string(WEXITSTATUS(status)));
  }

  Board& board_;
  Span memory_;
  std::mt19937_64 random_;
  std::size_t hotplug_slot_;
  std::vector<lab::Process> others_;
  std::vector<lab::Process> requesters_;
  std::uint64_t kills_ = 0;
  std::uint64_t kills_in_request_ = 0;
  std::uint64_t interrupts_ = 0;
};

}  // namespace soak
