// SPDX-License-Identifier: MIT
// One function for each group of questions.
#include "region_compare.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "require.hpp"

extern "C" {
#include <linux/bitmap.h>
#include <linux/nodemask.h>
#include <linux/spinlock.h>
}

namespace memplug::fuzz {
namespace {

constexpr unsigned long nowhere = std::numeric_limits<unsigned long>::max();

void require_equal(unsigned long books, unsigned long model, const char* what) {
  if (books != model) {
    require(false, what, "books " + std::to_string(books) + ", model " + std::to_string(model));
  }
}

void compare_sizes(const RegionModel& model, const Machine& machine) {
  // "struct" because a function has the same name.
  struct region_sizes sizes {};
  memplug_region_sizes(&sizes);
  unsigned long elsewhere = 0;
  for (unsigned long i = 0; i < model.size(); ++i) {
    elsewhere += model.at(i).wanted && machine.judge(i) == MEMPLUG_BAD_ZONE ? 1U : 0U;
  }
  require_equal(sizes.managed, model.managed(), "managed");
  require_equal(sizes.unplugged, model.unplugged(), "unplugged");
  require_equal(sizes.low_managed, model.low_managed(), "managed below ZONE_NORMAL");
  require_equal(sizes.low_unplugged, model.low_unplugged(), "unplugged below ZONE_NORMAL");
  require_equal(sizes.wanted, model.wanted(true) + model.wanted(false), "wanted");
  require_equal(sizes.wanted_other_zone, elsewhere, "wanted in another zone");
  require_equal(sizes.target, model.target().value_or(REGION_NO_TARGET), "target");
  require_equal(sizes.target_state, model.state(), "state of the target");
  require_equal(sizes.generation, memplug_region_generation(), "generation");

  region_aim aim{};
  memplug_region_read_aim(&aim);
  require_equal(aim.target, sizes.target, "target of the aim");
  require_equal(aim.lasting, model.lasting(), "plugged to stay");
  require_equal(aim.wanted_here, model.wanted(true), "wanted here");
  require_equal(aim.droppable_here, model.droppable(), "wanted here, and to be dropped if need be");
  require_equal(aim.wanted_absent, model.wanted(false), "wanted and absent");
}

void compare_nodes(const RegionModel& model, const Machine& machine) {
  std::vector<memplug_node> nodes(static_cast<std::size_t>(machine.nodes()));
  u64 generation = 0;
  nodes.resize(
      memplug_region_nodes(nodes.data(), static_cast<unsigned int>(nodes.size()), &generation));
  auto next = nodes.begin();
  for (int nid = 0; nid < machine.nodes(); ++nid) {
    unsigned long managed = 0;
    unsigned long unplugged = 0;
    for (unsigned long i = 0; i < model.size(); ++i) {
      managed += model.at(i).managed && model.at(i).node() == nid ? 1U : 0U;
      unplugged += model.at(i).unplugged && model.at(i).node() == nid ? 1U : 0U;
    }
    if (managed == 0) {
      continue;
    }
    require(next != nodes.end() && next->node == nid, "each node with managed memory is told");
    require_equal(next->managed_size, managed * Machine::subblock_size, "managed of a node");
    require_equal(next->unplugged_size, unplugged * Machine::subblock_size, "unplugged of a node");
    ++next;
  }
  require(next == nodes.end(), "no other node is told");
}

u32 flags_of(const ModelSubblock& one) {
  return (one.owner != 0 ? MEMPLUG_RANGE_TIED : 0U) |
         (one.mappings != 0 ? MEMPLUG_RANGE_MAPPED : 0U) |
         (one.quarantined ? MEMPLUG_RANGE_QUARANTINED : 0U) | (one.low() ? MEMPLUG_RANGE_LOW : 0U) |
         (one.unplugged ? 0U : MEMPLUG_RANGE_WANTED);
}

bool is_alike(const ModelSubblock& one, const ModelSubblock& other) {
  return one.managed == other.managed && (!one.managed || one.place == other.place) &&
         one.owner == other.owner && flags_of(one) == flags_of(other);
}

using Is = bool (*)(const ModelSubblock& one);
using List = decltype(&memplug_region_list);

// Those that is() is true of, neighbours in one range if they are alike.
void compare_list(const RegionModel& model, Is is, List list) {
  std::vector<memplug_range> expected;
  for (unsigned long i = 0; i < model.size(); ++i) {
    const ModelSubblock& one = model.at(i);
    if (is(one) && i > 0 && is(model.at(i - 1)) && is_alike(one, model.at(i - 1))) {
      expected.back().length += Machine::subblock_size;
    } else if (is(one)) {
      expected.push_back({i * Machine::subblock_size, Machine::subblock_size, flags_of(one),
                          one.managed ? one.node() : NUMA_NO_NODE, one.owner, 0});
    }
  }
  std::vector<memplug_range> ranges(model.size());
  u64 generation = 0;
  const auto fit = static_cast<unsigned int>(ranges.size() / 2);
  const auto count = static_cast<std::size_t>(list(ranges.data(), fit, &generation));
  require_equal(count, expected.size(), "ranges");
  require_equal(generation, memplug_region_generation(), "generation of the list");
  for (std::size_t i = 0; i < std::min<std::size_t>(count, fit); ++i) {
    require_equal(ranges[i].start, expected[i].start, "start of a range");
    require_equal(ranges[i].length, expected[i].length, "length of a range");
    require_equal(ranges[i].flags, expected[i].flags, "flags of a range");
    require_equal(static_cast<unsigned long>(ranges[i].holder),
                  static_cast<unsigned long>(expected[i].holder), "holder of a range");
    require_equal(static_cast<unsigned long>(ranges[i].node),
                  static_cast<unsigned long>(expected[i].node), "node of a range");
  }
}

void compare_quarantined(const RegionModel& model, subblock_run within) {
  unsigned long marked = 0;
  unsigned long unplugged = 0;
  for (unsigned long i = within.first; i < std::min(within.first + within.nr, model.size()); ++i) {
    marked += model.at(i).quarantined ? 1U : 0U;
    unplugged += model.at(i).quarantined && model.at(i).unplugged ? 1U : 0U;
  }
  unsigned long told = 0;
  require_equal(memplug_region_quarantined(within, &told), marked, "how much is bad");
  require_equal(told, unplugged, "how much of it is unplugged");
}

void compare_view(const RegionModel& model, region_direction direction, subblock_run within,
                  int nid) {
  const unsigned long nr = memplug_region_nr();
  std::vector<unsigned long> ready(nr / BITS_PER_LONG + 1);
  std::vector<unsigned long> busy(ready.size());
  std::vector<unsigned long> seams(ready.size());
  region_view view{};
  view.nr = nr;
  view.ready = ready.data();
  view.busy = busy.data();
  view.seams = seams.data();
  memplug_region_snapshot(direction, within, nid, &view);
  region_view counted{};
  for (unsigned long i = 0; i < std::min(nr, model.size()); ++i) {
    const ModelSubblock& one = model.at(i);
    const bool in = one.managed && i >= within.first && i - within.first < within.nr &&
                    (nid == NUMA_NO_NODE || one.node() == nid);
    const bool there = one.unplugged == (direction == REGION_UNPLUG);
    const bool seam =
        i > 0 && one.managed && model.at(i - 1).managed && one.place != model.at(i - 1).place;
    const bool may_go = in && !one.busy && !there;
    const bool is_held = may_go && direction == REGION_PLUG && one.held();
    require(test_bit(i, ready.data()) == (may_go && !is_held), "ready", i);
    require(test_bit(i, busy.data()) == ((in && one.busy) || is_held), "busy", i);
    require(test_bit(i, seams.data()) == seam, "border between places", i);
    counted.nr_ready += may_go && !is_held ? 1 : 0;
    counted.nr_busy += (in && one.busy) || is_held ? 1 : 0;
    counted.nr_held += is_held ? 1 : 0;
    counted.nr_already += in && !one.busy && there ? 1 : 0;
  }
  require_equal(view.nr_ready, counted.nr_ready, "how many are ready");
  require_equal(view.nr_busy, counted.nr_busy, "how many are busy");
  require_equal(view.nr_held, counted.nr_held, "how many are held");
  require_equal(view.nr_already, counted.nr_already, "how many are so already");
}

// Of all that is known; what is not managed is of no zone, and stays where it is.
void compare_split(const RegionModel& model) {
  const unsigned long nr = memplug_region_nr();
  std::vector<unsigned long> map(nr / BITS_PER_LONG + 1, ~0UL);
  std::vector<unsigned long> low(map.size(), ~0UL);
  memplug_region_split_low(map.data(), low.data(), nr);
  for (unsigned long i = 0; i < std::min(nr, model.size()); ++i) {
    require(test_bit(i, low.data()) == model.at(i).low(), "below ZONE_NORMAL", i);
    require(test_bit(i, map.data()) != model.at(i).low(), "not below ZONE_NORMAL", i);
  }
}

void compare_walks(const RegionModel& model) {
  unsigned long unplugged = memplug_region_next_unplugged(0);
  unsigned long absent = memplug_region_next_absent(0);
  unsigned long leaving = memplug_region_next_leaving(0);
  unsigned long bad = memplug_region_next_to_retake(0);
  for (unsigned long i = 0; i < model.size(); ++i) {
    const ModelSubblock& one = model.at(i);
    require((unplugged == i) == one.unplugged, "the next unplugged", i);
    require((absent == i) == (one.wanted && !one.managed), "the next absent", i);
    require((leaving == i) == one.leaving, "the next leaving", i);
    require((bad == i) == (one.quarantined && one.managed && !one.unplugged && !one.busy),
            "the next to be taken again", i);
    require(memplug_region_is_unplugged(i) == one.unplugged, "is it unplugged", i);
    require(memplug_region_node(i) == (one.managed ? one.node() : NUMA_NO_NODE), "its node", i);
    require(memplug_region_place(i) == (one.managed ? one.place : NO_PLACE), "its place", i);
    unplugged = unplugged == i ? memplug_region_next_unplugged(i + 1) : unplugged;
    absent = absent == i ? memplug_region_next_absent(i + 1) : absent;
    leaving = leaving == i ? memplug_region_next_leaving(i + 1) : leaving;
    bad = bad == i ? memplug_region_next_to_retake(i + 1) : bad;
  }
  require(unplugged == nowhere && absent == nowhere && leaving == nowhere && bad == nowhere,
          "walks end");
}

void compare_unmanaged(const RegionModel& model, subblock_run within) {
  const auto is_managed = [&model](unsigned long i) {
    return i < model.size() && model.at(i).managed;
  };
  const unsigned long end = within.first + within.nr;
  unsigned long first = within.first;
  while (first < end && is_managed(first)) {
    ++first;
  }
  unsigned long last = first;
  while (last < end && !is_managed(last)) {
    ++last;
  }
  subblock_run bad{};
  require(memplug_region_find_unmanaged(within, &bad) == (first < end), "is a part unmanaged");
  if (first < end) {
    require_equal(bad.first, first, "where the unmanaged part begins");
    require_equal(bad.nr, last - first, "how long it is");
  }
  bool any = false;
  for (unsigned long i = within.first; i < end; ++i) {
    any = any || is_managed(i);
  }
  require(memplug_region_has_managed(within) == any, "is a part managed");
  require(memplug_region_is_managed(within) == (first == end), "is all of it managed");
}

}  // namespace

void compare(const RegionModel& model, const Machine& machine, subblock_run within, int nid) {
  compare_sizes(model, machine);
  compare_nodes(model, machine);
  compare_list(
      model, [](const ModelSubblock& one) { return one.unplugged; }, memplug_region_list);
  compare_list(
      model, [](const ModelSubblock& one) { return one.quarantined; },
      memplug_region_list_quarantined);
  compare_quarantined(model, within);
  compare_split(model);
  compare_walks(model);
  compare_unmanaged(model, within);
  compare_view(model, REGION_UNPLUG, within, nid);
  compare_view(model, REGION_PLUG, within, nid);
  require(machine_locks_held == 0, "no lock is left held");
}

}  // namespace memplug::fuzz
