// SPDX-License-Identifier: MIT
// In the heap, and not in a mapping of its own: what is given back to the kernel need not be had
// again.
#include "memory_reserve.hpp"

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>

namespace memplug {
namespace {

// Enough for a result of some thousand ranges.
constexpr std::size_t reserve_size = std::size_t{1} << 20U;

std::atomic<char*> reserve{nullptr};

void give_reserve_up() {
  const std::unique_ptr<char[]> given(reserve.exchange(nullptr));
  if (!given) {
    throw std::bad_alloc();
  }
}

}  // namespace

void keep_memory_reserve() {
  ::mallopt(M_MMAP_THRESHOLD, static_cast<int>(4 * reserve_size));
  ::mallopt(M_TRIM_THRESHOLD, static_cast<int>(64 * reserve_size));
  reserve = std::make_unique<char[]>(reserve_size).release();
  std::set_new_handler(give_reserve_up);
}

}  // namespace memplug
