// SPDX-License-Identifier: MIT
// The module's planner on the books of a made-up machine, as a request drives it: whatever fails
// on the way, each run is one that may be taken, and when it ends nothing that could be is left.
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "input.hpp"
#include "machine.hpp"
#include "require.hpp"

extern "C" {
#include <linux/bitmap.h>
#include <linux/nodemask.h>

#include "policy/planner.h"
}

namespace memplug::fuzz {
namespace {

constexpr unsigned long most_subblocks = 320;
constexpr int nodes = 3;
constexpr unsigned long low_subblocks = 40;

void require_of(const subblock_run& run, bool holds, const char* what) {
  if (!holds) {
    require(false, what, std::to_string(run.nr) + " from " + std::to_string(run.first));
  }
}

class Bitmap {
 public:
  explicit Bitmap(unsigned long bits) : words_(BITS_TO_LONGS(bits) + 1) {}

  unsigned long* data() { return words_.data(); }
  [[nodiscard]] bool test(unsigned long bit) const { return test_bit(bit, words_.data()); }
  void clear(unsigned long bit) { bitmap_clear(words_.data(), bit, 1); }
  void set(unsigned long bit) { bitmap_set(words_.data(), bit, 1); }
  bool operator==(const Bitmap& other) const { return words_ == other.words_; }

 private:
  std::vector<unsigned long> words_;
};

// Stretches of memory of all nodes with holes in it, some unplugged and some busy. The lowest are
// below ZONE_NORMAL.
void populate(Machine& machine, Input& input, unsigned long nr) {
  memplug_ram_zones = 1U << ZONE_NORMAL | 1U << ZONE_DMA32;
  for (unsigned long i = 0; i < nr;) {
    const unsigned long length = std::min(1 + input.below(48), nr - i);
    const int nid = static_cast<int>(input.below(nodes));
    const bool absent = input.below(8) == 7;
    machine.add({i, length}, nid, absent ? MEMPLUG_BAD_ABSENT : MEMPLUG_BAD_NONE,
                i < low_subblocks ? ZONE_DMA32 : ZONE_NORMAL);
    i += length;
  }
  require(memplug_region_init() == 0, "the books begin");
  for (auto changes = input.below(8); changes > 0; --changes) {
    const subblock_run run{input.below(nr), 1 + input.below(24)};
    if (memplug_region_reserve(run, REGION_UNPLUG) && input.flag()) {
      memplug_region_commit(run, REGION_UNPLUG, REGION_ASKED);
    }
  }
}

class Request {
 public:
  Request(const Machine& machine, Input& input)
      : machine_(machine), input_(input), nr_(memplug_region_nr()), cost_(nr_ + 1) {
    region_view view{};
    view.nr = nr_;
    view.ready = candidates_.data();
    view.busy = busy_.data();
    view.seams = seams_.data();
    if (input.flag()) {
      nid_ = static_cast<int>(input.below(nodes));
    }
    if (input.flag()) {
      window_ = {input.below(most_subblocks), 1 + input.below(most_subblocks)};
    }
    memplug_region_snapshot(REGION_UNPLUG, window_, nid_, &view);
    fill_costs();
    constexpr std::array<unsigned long, 4> blocks{0, 1, 8, 32};
    plan_.candidates = candidates_.data();
    plan_.splits = splits_.data();
    plan_.seams = seams_.data();
    plan_.cost = cost_.data();
    plan_.nr = nr_;
    plan_.block = blocks.at(input.below(blocks.size()));
    plan_.max_free_run = input.below(100);
    plan_.max_run = input.below(100);
    memplug_plan_start(&plan_);
  }

  void take_piecemeal() {
    unsigned long missing = input_.below(most_subblocks);
    subblock_run run{};
    while (next(missing, run)) {
      missing -= is_taken(run) ? run.nr : 0;
    }
    require(missing == 0 || !is_any_left(), "nothing is left where less is taken");
  }

  void take_contiguous() {
    const unsigned long length = 1 + input_.below(96);
    const unsigned long align = 1UL << input_.below(8);
    for (unsigned long places = 0; places <= nr_; ++places) {
      subblock_run run{};
      const subblock_run best = cheapest_place(length, align);
      const Bitmap before = candidates_;
      const bool found = memplug_plan_next_contiguous(&plan_, length, align, &run);
      require(candidates_ == before, "looking for a place clears no candidate");
      require(found == (best.nr != 0), "a place is found if there is one");
      if (!found) {
        return;
      }
      require_of(run, run.first == best.first && run.nr == best.nr,
                 "the place is the cheapest, and the highest of those");
      check_members(run);
      // the one in the way
      candidates_.clear(run.first + input_.below(run.nr));
    }
    require(false, "the places come to an end");
  }

 private:
  void fill_costs() {
    for (unsigned long i = 0; i < nr_;) {
      const unsigned long length = 1 + input_.below(32);
      auto cost = input_.below(PLAN_DEAREST + 3);
      if (cost > PLAN_DEAREST) {
        cost = cost == PLAN_DEAREST + 1 ? PLAN_KEPT : PLAN_UNKNOWN;
      }
      for (const unsigned long end = std::min(i + length, nr_); i < end; ++i) {
        cost_[i] = static_cast<unsigned char>(cost);
      }
    }
  }

  [[nodiscard]] bool is_any_left() const {
    for (unsigned long i = 0; i < nr_; ++i) {
      if (candidates_.test(i) && cost_[i] <= PLAN_DEAREST) {
        return true;
      }
    }
    return false;
  }

  // Of memory that may be taken, in the window, of the node, in one piece.
  void check_members(const subblock_run& run) const {
    for (unsigned long i = run.first; i < run.first + run.nr; ++i) {
      require_of(run, i < nr_ && machine_.judge(i) == MEMPLUG_BAD_NONE, "a run is of memory");
      require_of(run, !memplug_region_is_unplugged(i), "a run is plugged");
      require_of(run, !busy_.test(i), "a run is nobody else's");
      require_of(run, cost_[i] <= PLAN_DEAREST, "a run is not in the way or unknown");
      require_of(run, i >= window_.first && i - window_.first < window_.nr,
                 "a run lies in the window");
      const int place = machine_.place_of_subblock(i);
      require_of(run, nid_ == NUMA_NO_NODE || place_node(place) == nid_, "a run is of the node");
      require_of(run, place == machine_.place_of_subblock(run.first), "a run is of one place");
    }
  }

  bool next(unsigned long missing, subblock_run& run) {
    Bitmap before = candidates_;
    if (!memplug_plan_next(&plan_, missing, &run)) {
      require(candidates_ == before, "no run, no change");
      return false;
    }
    // each is taken, or one of those that the input has fail
    require(++runs_ <= nr_ + failures_, "planning comes to an end");
    require_of(run, run.nr >= 1 && run.nr <= missing, "a run is no longer than wanted");
    check_members(run);
    const unsigned long limit = plan_.level == PLAN_FREE ? plan_.max_free_run : plan_.max_run;
    require_of(run, run.nr <= limit && limit <= PLAN_MAX_RUN, "a run keeps its limit");
    for (unsigned long i = run.first; i < run.first + run.nr; ++i) {
      require_of(run, before.test(i), "a run is of candidates");
      require_of(run, i == run.first || !splits_.test(i), "what was split is not joined");
      before.clear(i);
    }
    require_of(run, candidates_ == before, "a run is handed out once");
    check_order(run);
    return true;
  }

  // While nothing has failed, the cheaper comes before the dearer.
  void check_order(const subblock_run& run) {
    if (failures_ != 0) {
      return;
    }
    for (unsigned long i = run.first; i < run.first + run.nr; ++i) {
      require_of(run, cost_[i] >= last_cost_, "the cheapest comes first");
      require_of(run, cost_[i] == cost_[run.first], "a run is of one cost");
    }
    last_cost_ = cost_[run.first];
  }

  // What becomes of a run is the input's to say. Without an input all is taken.
  bool is_taken(const subblock_run& run) {
    const auto fate = input_.below(8);
    failures_ += fate >= 4 ? 1 : 0;
    switch (fate) {
      case 4:
        split(run, false);
        return false;
      case 5:
        split(run, true);
        return false;
      case 6:
        memplug_plan_give_back(&plan_, run);
        return false;
      case 7:
        change_costs(run);
        return false;
      default:
        return true;
    }
  }

  void split(const subblock_run& run, bool is_known) {
    Bitmap blocked(PLAN_MAX_RUN);
    for (unsigned long i = 0; is_known && i < run.nr; ++i) {
      if (input_.below(4) == 3) {
        blocked.set(i);
      }
    }
    memplug_plan_split(&plan_, run, blocked.data());
  }

  // A look has told what the run costs; it may be cheaper than was thought only if the plan starts
  // anew.
  void change_costs(const subblock_run& run) {
    const bool anew = input_.flag();
    for (unsigned long i = run.first; i < run.first + run.nr; ++i) {
      const auto cost = static_cast<unsigned int>(input_.below(PLAN_DEAREST + 1));
      memplug_plan_set_cost(&plan_, i, anew ? cost : std::max<unsigned int>(cost, cost_[i]));
    }
    memplug_plan_give_back(&plan_, run);
    if (anew) {
      memplug_plan_start(&plan_);
    }
  }

  // By trying each. nr 0: there is none.
  [[nodiscard]] subblock_run cheapest_place(unsigned long length, unsigned long align) const {
    subblock_run best{};
    unsigned long least = std::numeric_limits<unsigned long>::max();
    for (unsigned long first = 0; first + length <= nr_; first += align) {
      unsigned long sum = 0;
      unsigned long i = first;
      while (i < first + length && candidates_.test(i) && cost_[i] <= PLAN_DEAREST &&
             (i == first || !seams_.test(i))) {
        sum += cost_[i++];
      }
      if (i == first + length && sum <= least) {
        least = sum;
        best = {first, length};
      }
    }
    return best;
  }

  const Machine& machine_;
  Input& input_;
  unsigned long nr_;
  int nid_ = NUMA_NO_NODE;
  subblock_run window_{0, std::numeric_limits<unsigned long>::max() / 2};
  Bitmap candidates_{nr_};
  Bitmap busy_{nr_};
  Bitmap seams_{nr_};
  Bitmap splits_{nr_};
  std::vector<unsigned char> cost_;
  plan plan_{};
  unsigned long runs_ = 0;
  unsigned long failures_ = 0;
  unsigned char last_cost_ = PLAN_FREE;
};

}  // namespace
}  // namespace memplug::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memplug::fuzz;
  Input input(data, size);
  Machine machine(nodes);
  populate(machine, input, 1 + input.below(most_subblocks));
  Request request(machine, input);
  if (input.flag()) {
    request.take_contiguous();
  } else {
    request.take_piecemeal();
  }
  return 0;
}
