// SPDX-License-Identifier: MIT
// The rules of region.h, said a second time.
#include "region_model.hpp"

#include <algorithm>
#include <cerrno>

extern "C" {
#include <linux/nodemask.h>
}

namespace memplug::fuzz {

template <typename Is>
unsigned long RegionModel::count(Is is) const {
  return static_cast<unsigned long>(std::count_if(subblocks_.begin(), subblocks_.end(), is));
}

unsigned long RegionModel::managed() const {
  return count([](const ModelSubblock& one) { return one.managed; });
}

unsigned long RegionModel::unplugged() const {
  return count([](const ModelSubblock& one) { return one.unplugged; });
}

unsigned long RegionModel::low_managed() const {
  return count([](const ModelSubblock& one) { return one.low(); });
}

unsigned long RegionModel::low_unplugged() const {
  return count([](const ModelSubblock& one) { return one.low() && one.unplugged; });
}

unsigned long RegionModel::wanted(bool here) const {
  return count([here](const ModelSubblock& one) { return one.wanted && one.managed == here; });
}

unsigned long RegionModel::lasting() const {
  return count(
      [](const ModelSubblock& one) { return one.managed && !one.unplugged && !one.wanted; });
}

unsigned long RegionModel::droppable() const {
  return count(
      [](const ModelSubblock& one) { return one.managed && one.wanted && !one.quarantined; });
}

unsigned long RegionModel::tied_to(int owner) const {
  return count([owner](const ModelSubblock& one) { return one.owner == owner; });
}

unsigned long RegionModel::free_of(int owner) const {
  return count(
      [owner](const ModelSubblock& one) { return one.owner == owner && one.mappings == 0; });
}

unsigned long RegionModel::end_of(subblock_run run) const {
  return std::min(run.first + run.nr, size());
}

void RegionModel::drop_lowest(bool here, unsigned long nr) {
  for (ModelSubblock& one : subblocks_) {
    if (nr > 0 && one.wanted && one.managed == here && !one.quarantined) {
      one.wanted = false;
      --nr;
    }
  }
}

// By what became, or is no longer, plugged to stay; never below nothing or beyond what there is.
void RegionModel::move_target(unsigned long lasting_before) {
  if (!target_) {
    return;
  }
  const auto moved = static_cast<long>(*target_) + static_cast<long>(lasting()) -
                     static_cast<long>(lasting_before);
  target_ = static_cast<unsigned long>(std::max(moved, 0L));
  if (*target_ > managed()) {
    drop_lowest(false, *target_ - managed());
    target_ = managed();
  }
}

void RegionModel::update(const Machine& machine, subblock_run run) {
  for (unsigned long i = run.first; i < end_of(run); ++i) {
    ModelSubblock& one = subblocks_[i];
    const bool fit = machine.judge(i) == MEMPLUG_BAD_NONE;
    if (one.unplugged || one.managed == fit) {
      continue;
    }
    const unsigned long before = lasting();
    one.managed = fit;
    one.place = fit ? machine.place_of_subblock(i) : one.place;
    move_target(before);
  }
}

bool RegionModel::leave(subblock_run run) {
  for (unsigned long i = run.first; i < end_of(run); ++i) {
    if (at(i).owner != 0 || at(i).mappings != 0) {
      return false;
    }
  }
  const unsigned long before = lasting();
  for (unsigned long i = run.first; i < end_of(run); ++i) {
    ModelSubblock& one = subblocks_[i];
    one.leaving = one.leaving || one.unplugged;
    one.wanted = one.wanted || (one.unplugged && (!one.busy || one.quarantined));
    one.unplugged = false;
    one.managed = false;
  }
  move_target(before);
  return true;
}

bool RegionModel::stay(unsigned long index, bool keep) {
  const unsigned long before = lasting();
  ModelSubblock& one = subblocks_.at(index);
  const bool held = keep || one.wanted || one.busy;
  one.leaving = false;
  one.wanted = false;
  one.unplugged = held;
  move_target(before);
  return held;
}

// Also of what nobody has told that it would leave.
void RegionModel::gone(subblock_run run) {
  const unsigned long before = lasting();
  for (unsigned long i = run.first; i < end_of(run); ++i) {
    subblocks_[i].leaving = false;
    subblocks_[i].managed = false;
  }
  move_target(before);
}

bool RegionModel::reserve(subblock_run run, region_direction direction) {
  for (unsigned long i = run.first; i < run.first + run.nr; ++i) {
    if (i >= size() || !at(i).managed || at(i).busy ||
        at(i).unplugged != (direction == REGION_PLUG) ||
        (direction == REGION_PLUG && at(i).held())) {
      return false;
    }
  }
  for (unsigned long i = run.first; i < end_of(run); ++i) {
    subblocks_[i].busy = true;
  }
  return true;
}

void RegionModel::commit(subblock_run run, region_direction direction, region_mover mover,
                         int owner) {
  const unsigned long before = lasting();
  for (unsigned long i = run.first; i < end_of(run); ++i) {
    ModelSubblock& one = subblocks_[i];
    one.busy = false;
    one.unplugged = direction == REGION_UNPLUG;
    one.wanted = one.quarantined && !one.unplugged;
    one.owner = one.quarantined ? 0 : owner;
  }
  if (mover == REGION_ASKED) {
    move_target(before);
  }
}

void RegionModel::abort(subblock_run run) {
  const unsigned long before = lasting();
  for (unsigned long i = run.first; i < end_of(run); ++i) {
    ModelSubblock& one = subblocks_[i];
    one.busy = false;
    one.wanted = one.wanted || (one.quarantined && !one.unplugged);
  }
  move_target(before);
}

bool RegionModel::set_target(std::optional<unsigned long> target) {
  if (target && *target > managed()) {
    return false;
  }
  target_ = target;
  state_ = target ? MEMPLUG_TARGET_WORKING : MEMPLUG_TARGET_NONE;
  return true;
}

void RegionModel::set_state(std::uint32_t state) {
  if (target_) {
    state_ = state;
  }
}

void RegionModel::drop_wanted(subblock_run run, int nid) {
  const unsigned long before = lasting();
  for (unsigned long i = run.first; i < end_of(run); ++i) {
    ModelSubblock& one = subblocks_[i];
    if (!one.quarantined && (nid == NUMA_NO_NODE || (one.managed && one.node() == nid))) {
      one.wanted = false;
    }
  }
  move_target(before);
}

void RegionModel::drop_wanted_here(unsigned long nr) { drop_lowest(true, nr); }

int RegionModel::map(subblock_run run) {
  bool busy = false;
  for (unsigned long i = run.first; i < run.first + run.nr; ++i) {
    if (i >= size() || !at(i).unplugged) {
      return -ENXIO;
    }
    busy = busy || at(i).busy;
  }
  for (unsigned long i = run.first; !busy && i < end_of(run); ++i) {
    subblocks_[i].mappings++;
  }
  return busy ? -EBUSY : 0;
}

void RegionModel::unmap(subblock_run run) {
  for (unsigned long i = run.first; i < end_of(run); ++i) {
    subblocks_[i].mappings--;
  }
}

bool RegionModel::quarantine_one(ModelSubblock& one, bool quarantined) {
  const bool known = one.managed || one.wanted || one.leaving;
  if (one.quarantined == quarantined || (quarantined && !known)) {
    return false;
  }
  one.quarantined = quarantined;
  if (!quarantined) {
    one.wanted = false;
  } else {
    one.owner = 0;
    one.wanted = one.wanted || (!one.busy && !one.unplugged);
  }
  return true;
}

unsigned long RegionModel::quarantine(subblock_run run, bool quarantined) {
  const unsigned long before = lasting();
  unsigned long changed = 0;
  for (unsigned long i = run.first; i < end_of(run); ++i) {
    changed += quarantine_one(subblocks_[i], quarantined) ? 1U : 0U;
  }
  move_target(before);
  return changed;
}

}  // namespace memplug::fuzz
