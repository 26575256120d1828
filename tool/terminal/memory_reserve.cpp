// SPDX-License-Identifier: MIT
// In the heap, and not in a mapping of its own: what is given back to the kernel need not be had
// again.
#include "terminal/memory_reserve.hpp"

#include <malloc.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <thread>

namespace memplug {
namespace {

// Enough for a result of some thousand ranges.
constexpr std::size_t reserve_size = std::size_t{1} << 20U;
using Reserve = std::array<char, reserve_size>;

std::atomic<Reserve*> reserve{nullptr};
// Whose it is: the progress line of another can be done without.
std::thread::id owner;

void give_reserve_up() {
  if (std::this_thread::get_id() != owner) {
    throw std::bad_alloc();
  }
  const std::unique_ptr<Reserve> given(reserve.exchange(nullptr));
  if (!given) {
    throw std::bad_alloc();
  }
}

}  // namespace

void keep_memory_reserve() {
  ::mallopt(M_MMAP_THRESHOLD, static_cast<int>(4 * reserve_size));
  ::mallopt(M_TRIM_THRESHOLD, static_cast<int>(64 * reserve_size));
  owner = std::this_thread::get_id();
  reserve = std::make_unique<Reserve>().release();
  std::set_new_handler(give_reserve_up);
}

}  // namespace memplug
