// SPDX-License-Identifier: MIT
// What asks the books about all of a machine, or changes all of it in one call, in the state in
// which that is the most work. Each is done a few times under a watch, and then without it for the
// time that it takes in all.
#include "holds.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <stdexcept>
#include <vector>

#include "big_machine.hpp"
#include "hold_watch.hpp"
#include "row.hpp"

extern "C" {
#include <linux/nodemask.h>
}

namespace {

// On larger machines than are judged a call may take a second under the watch.
constexpr int watched_rounds = 5;
constexpr int watched_rounds_of_large = 2;
constexpr unsigned long large_gib = 1024;
constexpr unsigned long step = 512;
constexpr unsigned long nowhere = std::numeric_limits<unsigned long>::max();

// A machine, and one call to be looked at.
class Held {
 public:
  Held() = default;
  virtual ~Held() = default;
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  // Makes the books ready for the next call.
  virtual void prepare() {}
  virtual void call() = 0;

  void make_machine(unsigned long gib) { machine_.emplace_back(gib, busy); }

 protected:
  static constexpr unsigned long first() { return BigMachine::first_managed; }
  [[nodiscard]] unsigned long managed() const { return machine_.front().managed(); }
  [[nodiscard]] unsigned long end() const { return first() + managed(); }
  [[nodiscard]] subblock_run all() const { return {first(), managed()}; }

  static void change(subblock_run run, region_direction direction) {
    if (!memplug_region_reserve(run, direction)) {
      throw std::logic_error("it is not in the state that it was left in");
    }
    memplug_region_commit(run, direction, REGION_ASKED);
  }

  static void take_for(subblock_run run, const region_owner* owner) {
    if (!memplug_region_reserve(run, REGION_UNPLUG)) {
      throw std::logic_error("it is not plugged");
    }
    memplug_region_commit_taken(run, owner);
  }

  void take_all() const { change(all(), REGION_UNPLUG); }

  // By memory blocks, as the kernel does.
  static void offline(subblock_run run) {
    for (unsigned long i = run.first; i < run.first + run.nr; i += step) {
      const unsigned long nr = std::min(step, run.first + run.nr - i);
      if (memplug_region_leave(subblock_pfn(i), nr * subblock_pages()) != 0) {
        throw std::logic_error("something is held");
      }
      memplug_region_gone(subblock_pfn(i), nr * subblock_pages());
    }
  }

  static void online(subblock_run run) {
    if (memplug_region_update(subblock_pfn(run.first), run.nr * subblock_pages()) != 0) {
      throw std::logic_error("no memory");
    }
  }

  void want_all_here() const {
    take_all();
    offline(all());
    online(all());
  }

 private:
  std::deque<BigMachine> machine_;
};

// An mmap() of everything, while others show all of it as well.
class Mappings : public Held {
 public:
  void prepare() override {
    if (others_.empty()) {
      take_all();
      others_.resize(REGION_MAX_MAPPINGS - 1);
      for (region_mapping& other : others_) {
        map(other);
      }
    }
  }

 protected:
  void map(region_mapping& mapping) const {
    mapping.run = all();
    if (memplug_region_map(&mapping) != 0) {
      throw std::logic_error("it can't be mapped");
    }
  }
  region_mapping mapping_{};
  bool mapped_ = false;

 private:
  std::deque<region_mapping> others_;
};

class Map : public Mappings {
 public:
  void prepare() override {
    Mappings::prepare();
    if (mapped_) {
      memplug_region_unmap(&mapping_);
    }
    mapped_ = true;
  }
  void call() override { map(mapping_); }
};

class Unmap : public Mappings {
 public:
  void prepare() override {
    Mappings::prepare();
    map(mapping_);
  }
  void call() override { memplug_region_unmap(&mapping_); }
};

// All is tied to descriptors that are closed, and mapped in parts: the mappings die one by one, and
// after each what it showed is given back, as tie.c does.
class CloseMapped : public Held {
 public:
  void prepare() override {
    const unsigned long share = managed() / REGION_MAX_DESCRIPTORS;
    owners_.assign(REGION_MAX_DESCRIPTORS, region_owner{});
    for (unsigned long i = 0; i < owners_.size(); i++) {
      const unsigned long from = first() + i * share;
      region_owner& owner = owners_[i];
      if (memplug_region_enter_owner(&owner) != 0) {
        throw std::logic_error("too many owners");
      }
      take_for({from, i + 1 < owners_.size() ? share : end() - from}, &owner);
      memplug_region_settle(&owner);
    }
    mappings_.assign(REGION_MAX_MAPPINGS, region_mapping{});
    const unsigned long part = managed() / mappings_.size();
    for (unsigned long i = 0; i < mappings_.size(); i++) {
      const unsigned long from = first() + i * part;
      mappings_[i].run = {from, i + 1 < mappings_.size() ? part : end() - from};
      if (memplug_region_map(&mappings_[i]) != 0) {
        throw std::logic_error("it can't be mapped");
      }
    }
    for (region_owner& owner : owners_) {
      memplug_region_close_owner(&owner);
    }
    give_back();
  }
  void call() override {
    for (region_mapping& mapping : mappings_) {
      memplug_region_unmap(&mapping);
      give_back();
    }
    if (memplug_region_next_unplugged(0) != nowhere) {
      throw std::logic_error("something was not given back");
    }
  }

 private:
  static void give_back() {
    region_owner* owner = nullptr;
    while ((owner = memplug_region_take_closed()) != nullptr) {
      for (unsigned long i = memplug_region_next_tied(owner, 0); i != nowhere;
           i = memplug_region_next_tied(owner, i + 1)) {
        HoldWatch::look_away([i, owner] {
          if (memplug_region_reserve_owned(i, owner)) {
            memplug_region_commit({i, 1}, REGION_PLUG, REGION_ASKED);
          }
        });
      }
      memplug_region_put_closed(owner);
    }
  }

  std::vector<region_owner> owners_;
  std::vector<region_mapping> mappings_;
};

using Lister = decltype(&memplug_region_list);

// Every other subblock is a range of its own.
template <Lister lister>
class List : public Held {
 public:
  void prepare() override {
    if (!ranges_.empty()) {
      return;
    }
    for (unsigned long i = first(); i < end(); i += 2) {
      change({i, 1}, REGION_UNPLUG);
      memplug_region_quarantine({i, 1}, true);
    }
    ranges_.resize(managed() / 2);
  }
  void call() override {
    u64 generation = 0;
    if (static_cast<std::size_t>(lister(ranges_.data(), static_cast<unsigned int>(ranges_.size()),
                                        &generation)) != ranges_.size()) {
      throw std::logic_error("a range is missing");
    }
  }

 private:
  std::vector<memplug_range> ranges_;
};

class DropWanted : public Held {
 public:
  void prepare() override { want_all_here(); }
  void call() override { memplug_region_drop_wanted({0, nowhere / 2}, NUMA_NO_NODE); }
};

class DropWantedHere : public Held {
 public:
  void prepare() override { want_all_here(); }
  void call() override { memplug_region_drop_wanted_here(managed()); }
};

// The last memory block goes, and with it what was about to be plugged there for the target: it is
// not wanted when it is back. All else is wanted, and not to be looked at one by one.
class LeaveWithTarget : public Held {
 public:
  void prepare() override {
    if (prepared_) {
      online(last());
      change(last(), REGION_UNPLUG);
    } else {
      want_all_here();
      change(last(), REGION_UNPLUG);
    }
    prepared_ = true;
    if (memplug_region_set_target(managed()) != 0) {
      throw std::logic_error("not all of it is managed");
    }
  }
  void call() override { offline(last()); }

 private:
  [[nodiscard]] subblock_run last() const { return {end() - step, step}; }
  bool prepared_ = false;
};

// What a request has taken is everybody's at its end.
class Settle : public Held {
 public:
  void prepare() override {
    if (owner_.number == 0) {
      owner_.is_request = true;
      if (memplug_region_enter_owner(&owner_) != 0) {
        throw std::logic_error("too many owners");
      }
    } else {
      change(all(), REGION_PLUG);
    }
    take_for(all(), &owner_);
  }
  void call() override { memplug_region_settle(&owner_); }

 private:
  region_owner owner_{};
};

// A descriptor has all but the last subblock since long, and its request has taken that as well.
class SettleOne : public Held {
 public:
  void prepare() override {
    const subblock_run last{end() - 1, 1};
    if (owner_.number == 0) {
      if (memplug_region_enter_owner(&owner_) != 0) {
        throw std::logic_error("too many owners");
      }
      take_for({first(), managed() - 1}, &owner_);
      memplug_region_settle(&owner_);
    } else if (memplug_region_reserve_owned(last.first, &owner_)) {
      memplug_region_commit(last, REGION_PLUG, REGION_ASKED);
    }
    take_for(last, &owner_);
  }
  void call() override { memplug_region_settle(&owner_); }

 private:
  region_owner owner_{};
};

// All is tied, but to another.
class NextTied : public Held {
 public:
  void prepare() override {
    if (owner_.number == 0) {
      if (memplug_region_enter_owner(&other_) != 0 || memplug_region_enter_owner(&owner_) != 0) {
        throw std::logic_error("too many owners");
      }
      take_for(all(), &other_);
    }
  }
  void call() override { benchmark::DoNotOptimize(memplug_region_next_tied(&owner_, 0)); }

 private:
  region_owner other_{};
  region_owner owner_{};
};

// All of it is bad, and kept out as it ought to be.
class Quarantined : public Held {
 public:
  void prepare() override {
    if (!memplug_region_any_quarantined()) {
      take_all();
      memplug_region_quarantine(all(), true);
    }
  }
};

class NextToRetake : public Quarantined {
 public:
  void call() override { benchmark::DoNotOptimize(memplug_region_next_to_retake(0)); }
};

class CountQuarantined : public Quarantined {
 public:
  void call() override {
    unsigned long unplugged = 0;
    benchmark::DoNotOptimize(memplug_region_quarantined({0, nowhere / 2}, &unplugged));
  }
};

class NextAbsent : public Held {
 public:
  void prepare() override {
    if (!prepared_) {
      want_all_here();
    }
    prepared_ = true;
  }
  void call() override { benchmark::DoNotOptimize(memplug_region_next_absent(0)); }

 private:
  bool prepared_ = false;
};

// What INFO asks, with everything wanted and nothing there; and what the target's thread asks.
class Sizes : public Held {
 public:
  void prepare() override {
    if (!prepared_) {
      take_all();
      offline(all());
    }
    prepared_ = true;
  }
  void call() override {
    // "struct" because a function has the same name.
    struct region_sizes sizes {};
    memplug_region_sizes(&sizes);
    benchmark::DoNotOptimize(sizes);
    region_aim aim{};
    memplug_region_read_aim(&aim);
    benchmark::DoNotOptimize(aim);
  }

 private:
  bool prepared_ = false;
};

template <typename Case>
void hold(benchmark::State& state) {
  const auto gib = static_cast<unsigned long>(state.range(0));
  Case held;
  held.make_machine(gib);
  const HoldWatch watch;
  const int rounds = gib > large_gib ? watched_rounds_of_large : watched_rounds;
  for (int i = 0; i < rounds; i++) {
    held.prepare();
    HoldWatch::watch([&held] { held.call(); });
  }
  for ([[maybe_unused]] auto iteration : state) {
    state.PauseTiming();
    held.prepare();
    state.ResumeTiming();
    held.call();
  }
  state.SetComplexityN(static_cast<std::int64_t>(memplug_region_nr()));
  state.counters[Judge::hold_ms] = HoldWatch::longest();
}

}  // namespace

void add_holds() {
  add_row("hold/map_all", hold<Map>);
  add_row("hold/unmap_all", hold<Unmap>);
  add_row("hold/close_mapped", hold<CloseMapped>);
  add_row("hold/list", hold<List<memplug_region_list>>);
  add_row("hold/list_quarantined", hold<List<memplug_region_list_quarantined>>);
  add_row("hold/drop_wanted", hold<DropWanted>);
  add_row("hold/drop_wanted_here", hold<DropWantedHere>);
  add_row("hold/leave_with_target", hold<LeaveWithTarget>);
  add_row("hold/settle", hold<Settle>);
  add_row("hold/settle_one", hold<SettleOne>);
  add_row("hold/next_tied", hold<NextTied>);
  add_row("hold/next_to_retake", hold<NextToRetake>);
  add_row("hold/quarantined", hold<CountQuarantined>);
  add_row("hold/next_absent", hold<NextAbsent>);
  add_row("hold/sizes", hold<Sizes>);
}
