// SPDX-License-Identifier: MIT
// The made-up machine, and the kernel's functions that ask it.
#include "machine.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>

extern "C" {
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "machine/ram.h"
}

namespace {

Machine* running = nullptr;
std::map<const void*, std::size_t> allocations;
std::size_t bytes = 0;
int allowed_allocations = -1;
std::vector<memplug_event> events;
u64 last_generation = 0;

constexpr unsigned int made_up_order = 10;  // of 4 KiB pages

// The callers are C: nothing may be thrown through them.
[[noreturn]] void die(const char* why) {
  static_cast<void>(std::fputs(why, stderr));
  std::abort();
}

}  // namespace

unsigned int machine_locks_held;
void (*machine_lock_watch)(bool taken);
void (*machine_meanwhile)();

Machine::Machine(int nodes) : nodes_(static_cast<std::size_t>(nodes)) {
  if (running != nullptr) {
    throw std::logic_error("there is a machine already");
  }
  memplug_subblock_order = made_up_order;
  running = this;
  events.clear();
  last_generation = 0;
}

void Machine::restart() {
  region_restart();
  events.clear();
  last_generation = 0;
}

Machine::~Machine() {
  region_restart();
  running = nullptr;
}

void Machine::add(subblock_run run, int nid, std::uint32_t bad, unsigned int zone_number) {
  const unsigned long end = run.first + run.nr;
  subblocks_.resize(std::max(subblocks_.size(), end));
  std::fill_n(subblocks_.begin() + static_cast<std::ptrdiff_t>(run.first), run.nr,
              Subblock{static_cast<std::int16_t>(nid), static_cast<std::uint16_t>(bad),
                       static_cast<std::uint16_t>(zone_number)});

  zone& zone = node(nid).node_zones[zone_number];
  const unsigned long first_pfn = subblock_pfn(run.first);
  const unsigned long end_pfn = subblock_pfn(end);
  if (zone.spanned_pages == 0) {
    zone = {.zone_start_pfn = first_pfn, .spanned_pages = end_pfn - first_pfn};
    return;
  }
  const unsigned long old_end = zone.zone_start_pfn + zone.spanned_pages;
  zone.zone_start_pfn = std::min(zone.zone_start_pfn, first_pfn);
  zone.spanned_pages = std::max(old_end, end_pfn) - zone.zone_start_pfn;
}

void Machine::remove(subblock_run run) {
  for (unsigned long i = run.first; i < run.first + run.nr; i++) {
    subblocks_.at(i) = Subblock{};
  }
}

std::uint32_t Machine::judge(unsigned long index) const {
  return index < subblocks_.size() ? subblocks_[index].bad : std::uint32_t{MEMPLUG_BAD_ABSENT};
}

// Of memory that is not there nobody may ask.
int Machine::place_of_subblock(unsigned long index) const {
  return place_of(subblocks_.at(index).node, subblocks_.at(index).zone);
}

const std::vector<memplug_event>& machine_events() { return events; }

void memplug_events_add(memplug_event event) {
  if (machine_locks_held == 0) {
    die("an event that is not told under the lock may come out of order\n");
  }
  if (event.generation != ++last_generation) {
    die("a generation without an event, or an event without one\n");
  }
  if (events.size() < max_events) {
    events.push_back(event);
  }
}

std::size_t kernel_bytes() { return bytes; }

void limit_allocations(int calls) { allowed_allocations = calls; }

unsigned int memplug_ram_zones = 1U << ZONE_NORMAL;

int memplug_ram_place(unsigned long pfn) {
  return running->place_of_subblock(pfn >> memplug_subblock_order);
}

int machine_nodes() { return running->nodes(); }

pglist_data* machine_node(int nid) { return &running->node(nid); }

u32 memplug_ram_judge(unsigned long start_pfn, unsigned long nr_pages) {
  if (nr_pages != subblock_pages()) {
    die("memory is judged by the subblock\n");
  }
  return running->judge(start_pfn >> memplug_subblock_order);
}

bool memplug_ram_is_in_other_zone(unsigned long pfn) {
  return running->judge(pfn >> memplug_subblock_order) == MEMPLUG_BAD_ZONE;
}

void* kvcalloc(std::size_t nr, std::size_t size, unsigned int /*flags*/) {
  might_sleep();
  if (machine_meanwhile != nullptr) {
    machine_meanwhile();
  }
  if (allowed_allocations == 0) {
    return nullptr;
  }
  allowed_allocations -= allowed_allocations > 0 ? 1 : 0;
  void* memory = std::calloc(nr, size);
  if (memory != nullptr) {
    allocations.emplace(memory, nr * size);
    bytes += nr * size;
  }
  return memory;
}

void kvfree(const void* memory) {
  might_sleep();
  if (memory == nullptr) {
    return;
  }
  const auto found = allocations.find(memory);
  if (found == allocations.end()) {
    die("kvfree: freed twice, or never allocated\n");
  }
  bytes -= found->second;
  allocations.erase(found);
  std::free(const_cast<void*>(memory));
}
