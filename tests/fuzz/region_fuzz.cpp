// SPDX-License-Identifier: MIT
// The module's books under any sequence of requests, targets and memory hotplug that the module
// lets happen: after each step they say what the model says, and what changed is told.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <list>
#include <vector>

#include "input.hpp"
#include "region_compare.hpp"
#include "require.hpp"

extern "C" {
#include <linux/nodemask.h>
}

namespace memplug::fuzz {
namespace {

constexpr unsigned long block = 8;
constexpr unsigned long blocks = 16;
constexpr unsigned long blocks_at_first = 6;
constexpr unsigned long low_blocks = 2;
constexpr unsigned long nr = blocks * block;
constexpr int nodes = 3;
constexpr std::size_t most_mappings = 8;
constexpr int most_steps = 32;

class Session {
 public:
  explicit Session(Input& input) : input_(input) {
    memplug_ram_zones = 1U << ZONE_NORMAL | 1U << ZONE_DMA32;
    for (unsigned long i = 0; i < blocks_at_first; ++i) {
      const int nid = static_cast<int>(input.below(nodes));
      add({i * block, block}, nid);
      states_[i] = Block::Online;
    }
    require(memplug_region_init() == 0, "the books begin");
    model_.update(machine_, {0, nr});
    check();
  }

  void step() {
    const RegionModel before = model_;
    const u64 generation = memplug_region_generation();
    const unsigned long woken = memplug_region_wait_queue()->woken;
    loaded_anew_ = false;
    act();
    check();
    if (loaded_anew_) {
      return;
    }
    const bool told = memplug_region_generation() != generation;
    require(told || without_busy(before) == without_busy(model_),
            "what changes is a new generation");
    require(told == (memplug_region_wait_queue()->woken != woken),
            "a new generation wakes who waits");
  }

 private:
  // Unseen: it began to leave before the module was loaded, which saw it online.
  enum class Block { Absent, Online, Leaving, Unseen, Offline };
  struct Reservation {
    subblock_run run;
    region_direction direction;
  };
  // A descriptor; its number is its opener's process id.
  struct Owner {
    region_owner books{};
    int number = 0;
    bool in_books = false;
    bool taken = false;
  };

  // Reserving is seen by requests only, and leaving by the notifier.
  static std::vector<std::array<bool, 3>> visible(const RegionModel& model) {
    std::vector<std::array<bool, 3>> result;
    for (unsigned long i = 0; i < model.size(); ++i) {
      result.push_back({model.at(i).managed, model.at(i).unplugged, model.at(i).wanted});
    }
    return result;
  }
  struct Visible {
    std::vector<std::array<bool, 3>> subblocks;
    std::optional<unsigned long> target;
    std::uint32_t state;
    bool operator==(const Visible&) const = default;
  };
  static Visible without_busy(const RegionModel& model) {
    return {visible(model), model.target(), model.state()};
  }

  void act() {
    switch (input_.below(26)) {
      case 0:
      case 1:
      case 2:
        reserve(REGION_UNPLUG);
        break;
      case 3:
      case 4:
        reserve(REGION_PLUG);
        break;
      case 5:
      case 6:
      case 7:
      case 8:
        end_reservation();
        break;
      case 9:
        begin_offline();
        break;
      case 10:
        end_offline();
        break;
      case 11:
        bring_online();
        break;
      case 12:
        set_target();
        break;
      case 13:
        set_target_state();
        break;
      case 14:
        drop_wanted();
        break;
      case 15:
        drop_wanted_here();
        break;
      case 16:
        load_anew();
        break;
      case 17:
      case 18:
        end_reservation(some_owner());
        break;
      case 19:
      case 20:
        map();
        break;
      case 21:
        unmap();
        break;
      case 22:
        close_owner();
        break;
      case 23:
        give_back();
        break;
      case 24:
        put_owner();
        break;
      default:
        quarantine();
        break;
    }
  }

  // The whole of the books, or the part that the input points at.
  void check() {
    const subblock_run within{input_.below(nr), input_.below(nr + 8)};
    const int nid = static_cast<int>(input_.below(nodes + 1)) - 1;
    if (within.nr == 0) {
      compare(model_, machine_, {0, nr}, nid);
    } else {
      compare(model_, machine_, within, nid);
    }
  }

  // The lowest blocks are below ZONE_NORMAL, whatever their node.
  void add(subblock_run run, int nid, std::uint32_t bad = MEMPLUG_BAD_NONE) {
    machine_.add(run, nid, bad, run.first < low_blocks * block ? ZONE_DMA32 : ZONE_NORMAL);
  }

  subblock_run some_run() { return {input_.below(nr), 1 + input_.below(24)}; }

  subblock_run some_block(Block wanted) {
    const unsigned long start = input_.below(blocks);
    for (unsigned long i = 0; i < blocks; ++i) {
      const unsigned long number = (start + i) % blocks;
      if (states_.at(number) == wanted) {
        return {number * block, block};
      }
    }
    return {0, 0};
  }

  // One at a time goes, as the kernel has it.
  [[nodiscard]] bool is_one_leaving() {
    return std::any_of(states_.begin(), states_.end(), [](Block state) {
      return state == Block::Leaving || state == Block::Unseen;
    });
  }

  Block& state_of(subblock_run run) { return states_.at(run.first / block); }

  void reserve(region_direction direction) {
    const subblock_run run = some_run();
    const bool expected = model_.reserve(run, direction);
    require(memplug_region_reserve(run, direction) == expected, "what is free can be reserved");
    if (expected) {
      reservations_.push_back({run, direction});
    }
  }

  // As the requests do: what went meanwhile, or is no longer unplugged, is aborted. No claim ends
  // while hotplug is under way; giving back may.
  void end_reservation(const Owner* owner = nullptr) {
    if (reservations_.empty()) {
      return;
    }
    const auto number = static_cast<std::ptrdiff_t>(input_.below(reservations_.size()));
    const auto [run, direction] = reservations_[static_cast<std::size_t>(number)];
    const auto mover = input_.flag() ? REGION_OWN : REGION_ASKED;
    const unsigned long done = input_.below(run.nr + 1);
    const bool may_commit = direction == REGION_PLUG || some_block(Block::Leaving).nr == 0;
    reservations_.erase(reservations_.begin() + number);
    for (unsigned long i = run.first; i < run.first + run.nr; ++i) {
      const subblock_run one{i, 1};
      const bool fit = direction == REGION_PLUG ? memplug_region_is_unplugged(i)
                                                : memplug_region_is_managed(one);
      // the kernel gives out nothing of a block that is about to go
      const bool had = direction == REGION_PLUG || state_of(one) != Block::Unseen;
      if (may_commit && fit && had && i - run.first < done && owner != nullptr &&
          direction == REGION_UNPLUG) {
        memplug_region_commit_taken(one, &owner->books);
        memplug_region_settle(&owner->books);
        model_.commit(one, direction, REGION_ASKED, owner->number);
      } else if (may_commit && fit && had && i - run.first < done) {
        memplug_region_commit(one, direction, mover);
        model_.commit(one, direction, mover);
      } else {
        memplug_region_abort(one);
        model_.abort(one);
      }
    }
  }

  // One block at a time, as the hotplug lock has it.
  void begin_offline() {
    const subblock_run run = some_block(Block::Online);
    if (run.nr == 0 || is_one_leaving()) {
      return;
    }
    const bool expected = model_.leave(run);
    require(memplug_region_leave(subblock_pfn(run.first), run.nr * subblock_pages()) ==
                (expected ? 0 : -EBUSY),
            "what nobody holds may go");
    if (expected) {
      state_of(run) = Block::Leaving;
    }
  }

  void end_offline() {
    subblock_run run = some_block(Block::Leaving);
    if (run.nr == 0) {
      run = some_block(Block::Unseen);
    }
    if (run.nr == 0) {
      return;
    }
    if (input_.flag()) {
      update(run);
      for (unsigned long i = memplug_region_next_leaving(0); i < nr;
           i = memplug_region_next_leaving(i + 1)) {
        const bool keep = input_.below(8) == 7;
        require(memplug_region_stay(i, keep) == model_.stay(i, keep),
                "what is wanted is held again");
      }
      state_of(run) = Block::Online;
      return;
    }
    // its pages may say anything by then
    add(run, 0, MEMPLUG_BAD_OFFLINE);
    memplug_region_gone(subblock_pfn(run.first), run.nr * subblock_pages());
    model_.gone(run);
    state_of(run) = Block::Offline;
    if (input_.flag()) {
      machine_.remove(run);
      state_of(run) = Block::Absent;
    }
  }

  // On any node, all of it or but a part fit to be managed.
  void bring_online() {
    const subblock_run run = some_block(input_.flag() ? Block::Offline : Block::Absent);
    if (run.nr == 0 || is_one_leaving()) {
      return;
    }
    constexpr std::array<std::uint32_t, 4> kinds{MEMPLUG_BAD_NONE, MEMPLUG_BAD_NONE,
                                                 MEMPLUG_BAD_ZONE, MEMPLUG_BAD_MIXED};
    const int nid = static_cast<int>(input_.below(nodes));
    const unsigned long fit = input_.below(block + 1);
    add(run, nid, kinds.at(input_.below(kinds.size())));
    add({run.first, fit}, nid);
    state_of(run) = Block::Online;
    const unsigned long nr_before = memplug_region_nr();
    const bool grows = run.first + run.nr > nr_before;
    if (grows && input_.below(4) == 3) {
      // more than six are needed
      limit_allocations(static_cast<int>(input_.below(6)));
      require(memplug_region_update(subblock_pfn(run.first), run.nr * subblock_pages()) == -ENOMEM,
              "without memory the books can't grow");
      limit_allocations(-1);
      require(memplug_region_nr() == nr_before, "and then they don't");
      return;
    }
    update(run);
  }

  // The module goes, and is loaded anew; what it saw leave has to end first. Meanwhile a block may
  // begin to leave, or be about to come back: of what is online then it sees only the end.
  void load_anew() {
    reservations_.clear();
    mappings_.clear();
    while (some_block(Block::Leaving).nr != 0) {
      end_offline();
    }
    const subblock_run leaving = input_.flag() ? some_block(Block::Online) : subblock_run{0, 0};
    if (leaving.nr != 0 && !is_one_leaving()) {
      state_of(leaving) = Block::Unseen;
    }
    loaded_anew_ = true;
    Machine::restart();
    owners_ = {};
    model_ = RegionModel{nr};
    require(memplug_region_init() == 0, "the books begin anew");
    model_.update(machine_, {0, nr});
  }

  void update(subblock_run run) {
    require(memplug_region_update(subblock_pfn(run.first), run.nr * subblock_pages()) == 0,
            "with memory the books can grow");
    model_.update(machine_, run);
  }

  void set_target() {
    if (input_.below(4) == 0) {
      require(memplug_region_set_target(REGION_NO_TARGET) == 0, "no target can always be set");
      model_.set_target(std::nullopt);
      return;
    }
    const unsigned long target = input_.below(nr + 8);
    const bool taken = model_.set_target(target);
    require(memplug_region_set_target(target) == (taken ? 0 : -ERANGE),
            "a target is no more than is managed");
  }

  void set_target_state() {
    const auto state = static_cast<std::uint32_t>(1 + input_.below(4));
    const bool old = input_.flag();
    memplug_region_set_target_state(state, memplug_region_generation() - (old ? 1 : 0));
    if (!old) {
      model_.set_state(state);
    }
  }

  void drop_wanted() {
    const subblock_run run = input_.flag() ? some_run() : subblock_run{0, nr};
    const int nid = static_cast<int>(input_.below(nodes + 1)) - 1;
    memplug_region_drop_wanted(run, nid);
    model_.drop_wanted(run, nid);
  }

  void drop_wanted_here() {
    const unsigned long some = input_.below(24);
    memplug_region_drop_wanted_here(some);
    model_.drop_wanted_here(some);
  }

  // The books learn of one when it is first to have something. Nobody, if none is open.
  const Owner* some_owner() {
    Owner& owner = owners_.at(input_.below(owners_.size()));
    if (owner.in_books && !owner.books.closed) {
      return &owner;
    }
    for (Owner& another : owners_) {
      if (!another.in_books) {
        enter(another);
        return &another;
      }
    }
    return nullptr;
  }

  void enter(Owner& owner) {
    owner.number = static_cast<int>(&owner - owners_.data()) + 1;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast,performance-no-int-to-ptr)
    owner.books.opener = reinterpret_cast<pid*>(static_cast<std::uintptr_t>(owner.number));
    owner.books.is_request = false;
    require(memplug_region_enter_owner(&owner.books) == 0, "there is room for descriptors");
    owner.in_books = true;
    owner.taken = false;
  }

  void map() {
    const subblock_run run = some_run();
    if (mappings_.size() == most_mappings) {
      return;
    }
    region_mapping& mapping = mappings_.emplace_back();
    mapping.run = run;
    const int expected = model_.map(run);
    require(memplug_region_map(&mapping) == expected,
            "what is unplugged and at rest can be mapped");
    if (expected != 0) {
      mappings_.pop_back();
    }
  }

  void unmap() {
    if (mappings_.empty()) {
      return;
    }
    const auto which =
        std::next(mappings_.begin(), static_cast<std::ptrdiff_t>(input_.below(mappings_.size())));
    memplug_region_unmap(&*which);
    model_.unmap(which->run);
    mappings_.erase(which);
  }

  void close_owner() {
    Owner& owner = owners_.at(input_.below(owners_.size()));
    if (owner.in_books && !owner.books.closed) {
      memplug_region_close_owner(&owner.books);
    }
  }

  // As tie.c does. Whatever the order of events: what is closed and has something free, or nothing,
  // is found, unless somebody has it.
  void give_back() {
    const region_owner* found = memplug_region_take_closed();
    if (found == nullptr) {
      for (const Owner& owner : owners_) {
        require(!owner.in_books || !owner.books.closed || owner.taken ||
                    (model_.free_of(owner.number) == 0 && model_.tied_to(owner.number) != 0),
                "a closed owner is found");
      }
      return;
    }
    auto* const owner = std::find_if(owners_.begin(), owners_.end(),
                                     [found](const Owner& one) { return &one.books == found; });
    require(owner != owners_.end() && owner->in_books && owner->books.closed && !owner->taken,
            "it is a closed owner that nobody has");
    owner->taken = true;
    for (unsigned long i = memplug_region_next_tied(found, 0); i < nr;
         i = memplug_region_next_tied(found, i + 1)) {
      require(model_.at(i).owner == owner->number && model_.at(i).mappings == 0, "it is its own");
      require(memplug_region_reserve_owned(i, found), "it may be given back");
      memplug_region_commit({i, 1}, REGION_PLUG, REGION_ASKED);
      model_.commit({i, 1}, REGION_PLUG, REGION_ASKED);
    }
    require(model_.free_of(owner->number) == 0, "all that is free is given back");
  }

  void put_owner() {
    for (Owner& owner : owners_) {
      if (owner.in_books && owner.taken) {
        owner.taken = false;
        const bool over = model_.tied_to(owner.number) == 0;
        require(memplug_region_put_closed(&owner.books) == over, "the last of it is its end");
        owner.in_books = !over;
      }
    }
  }

  void quarantine() {
    const subblock_run run = some_run();
    const bool quarantined = input_.flag();
    const unsigned long changed = model_.quarantine(run, quarantined);
    require(memplug_region_quarantine(run, quarantined) == changed, "what is bad is marked");
  }

  Input& input_;
  Machine machine_{nodes};
  RegionModel model_{nr};
  std::array<Block, blocks> states_{};
  std::vector<Reservation> reservations_;
  std::array<Owner, 4> owners_{};
  // The books have their addresses.
  std::list<region_mapping> mappings_;
  bool loaded_anew_ = false;
};

}  // namespace
}  // namespace memplug::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memplug::fuzz;
  Input input(data, size);
  {
    Session session(input);
    for (int i = 0; i < most_steps && !input.empty(); ++i) {
      session.step();
    }
  }
  require(kernel_bytes() == 0, "the end of the books frees all of them");
  return 0;
}
