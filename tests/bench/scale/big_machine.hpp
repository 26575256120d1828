// SPDX-License-Identifier: MIT
// Machines of many sizes, each with what is in its memory made up at random, always alike.
#pragma once

#include <vector>

#include "machine.hpp"

extern "C" {
#include "policy/planner.h"
}

// How memory is used and how nodes share it, in subblocks.
struct Layout {
  // Neighbours up to so many, a random number, are used alike.
  unsigned long longest_stretch;
  // Of a thousand subblocks so many are free, kept, and partly used; the rest is all in use.
  unsigned int free;
  unsigned int kept;
  unsigned int partly;
  // Two nodes: half and half, or taking turns from one memory block to the next.
  bool nodes_by_turns;
};

// Each subblock differs from its neighbours: runs are short, no memory block is nearly empty.
inline constexpr Layout scattered{1, 333, 100, 333, false};
// In stretches up to 256 MiB, as the kernel keeps its own pages together.
inline constexpr Layout clustered{64, 333, 100, 333, false};
// Nothing is free, all of it can be moved.
inline constexpr Layout busy{1, 0, 0, 333, false};
// More borders between nodes than any machine has.
inline constexpr Layout interleaved{1, 333, 100, 333, true};

class BigMachine {
 public:
  // Throws std::runtime_error if region can't have its books.
  BigMachine(unsigned long gib, const Layout& layout);
  ~BigMachine() = default;
  // Region's books are its own as long as it lives.
  BigMachine(const BigMachine&) = delete;
  BigMachine& operator=(const BigMachine&) = delete;

  // What each subblock really costs, PLAN_FREE to PLAN_DEAREST, or PLAN_KEPT.
  [[nodiscard]] const std::vector<unsigned char>& cost() const { return cost_; }
  // Subblocks of a memory block.
  [[nodiscard]] unsigned long block() const { return block_; }
  [[nodiscard]] unsigned long managed() const { return cost_.size() - first_managed; }

  // ZONE_NORMAL begins at 4 GiB.
  static constexpr unsigned long first_managed = 1024;

 private:
  void use(const Layout& layout);
  void add_nodes(bool by_turns);

  Machine machine_{2};
  std::vector<unsigned char> cost_;
  unsigned long block_;
};
