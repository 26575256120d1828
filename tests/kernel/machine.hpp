// SPDX-License-Identifier: MIT
// A made-up machine for the module's books/state.c: what of it is memory, and of which node. It
// also counts the memory that the module's files allocate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

extern "C" {
#include "books/books.h"
#include "books/events.h"
#include "machine/ram.h"
#include "restartable_region.h"
}

// One at a time. Region's books begin empty with it and end with it.
class Machine {
 public:
  static constexpr std::uint64_t subblock_size = std::uint64_t{4} << 20;

  // No node has memory yet.
  explicit Machine(int nodes);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // The books are empty again, as if the module were loaded anew; the memory is as it was.
  static void restart();

  // Memory of a zone, or with bad what can't be managed. Region is not told.
  void add(subblock_run run, int nid, std::uint32_t bad = MEMPLUG_BAD_NONE,
           unsigned int zone = ZONE_NORMAL);
  void remove(subblock_run run);

  [[nodiscard]] std::uint32_t judge(unsigned long index) const;
  [[nodiscard]] int place_of_subblock(unsigned long index) const;
  pglist_data& node(int nid) { return nodes_.at(static_cast<std::size_t>(nid)); }
  [[nodiscard]] int nodes() const { return static_cast<int>(nodes_.size()); }

 private:
  struct Subblock {
    std::int16_t node = 0;
    std::uint16_t bad = MEMPLUG_BAD_ABSENT;
    std::uint16_t zone = ZONE_NORMAL;
  };

  std::vector<Subblock> subblocks_;
  std::vector<pglist_data> nodes_;
};

// What region has told since the machine began, oldest first, at most this many.
inline constexpr std::size_t max_events = 4096;
const std::vector<memplug_event>& machine_events();

// Bytes that kvcalloc() has given out and kvfree() has not taken back.
std::size_t kernel_bytes();

// The next so many calls of kvcalloc() succeed, all others fail; -1: all succeed.
void limit_allocations(int calls);
