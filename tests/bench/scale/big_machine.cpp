// SPDX-License-Identifier: MIT
// Makes machines up.
#include "big_machine.hpp"

#include <algorithm>
#include <random>
#include <stdexcept>

namespace {

constexpr unsigned long subblocks_of_gib = 256;
constexpr std::uint_fast32_t seed = 20240607;

unsigned char random_cost(std::mt19937& random, const Layout& layout) {
  unsigned int share = std::uniform_int_distribution<unsigned int>(0, 999)(random);
  if (share < layout.free) {
    return PLAN_FREE;
  }
  share -= layout.free;
  if (share < layout.kept) {
    return PLAN_KEPT;
  }
  share -= layout.kept;
  if (share < layout.partly) {
    return static_cast<unsigned char>(
        std::uniform_int_distribution<unsigned int>(1, PLAN_DEAREST)(random));
  }
  return PLAN_DEAREST;
}

}  // namespace

// Memory blocks as Linux chooses them on x86: 128 MiB, and 2 GiB for more than 64 GiB.
BigMachine::BigMachine(unsigned long gib, const Layout& layout)
    : cost_(gib * subblocks_of_gib), block_(gib > 64 ? 512 : 32) {
  use(layout);
  add_nodes(layout.nodes_by_turns);
  if (memplug_region_init() != 0) {
    throw std::runtime_error("no memory for region's books");
  }
}

void BigMachine::use(const Layout& layout) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<unsigned long> length(1, layout.longest_stretch);
  for (unsigned long i = 0; i < cost_.size();) {
    const unsigned char cost = random_cost(random, layout);
    const unsigned long end = std::min(i + length(random), cost_.size());
    for (; i < end; i++) {
      cost_[i] = cost;
    }
  }
}

void BigMachine::add_nodes(bool by_turns) {
  if (!by_turns) {
    const unsigned long half = cost_.size() / 2;
    machine_.add({first_managed, half - first_managed}, 0);
    machine_.add({half, cost_.size() - half}, 1);
    return;
  }
  for (unsigned long i = first_managed; i < cost_.size(); i += block_) {
    machine_.add({i, block_}, static_cast<int>(i / block_ % 2));
  }
}
