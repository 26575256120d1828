// SPDX-License-Identifier: MIT
// The commands of memplug's module as typed calls. See <linux/memplug.h> for what they do, who may
// give them and how long they take: a Device turns the ABI into results and errors, retries only
// what the ABI says to retry, and judges nothing.
//
//   memplug::Device device = memplug::open_device(memplug::default_device, memplug::Access::Write);
//   memplug::Request request;
//   request.length = memplug::Bytes{std::uint64_t{64} << 20U};
//   const memplug::Result result = device.carry_out(request, {64, 64});
//
// Every error is a std::system_error with the errno of the command, as <linux/memplug.h> documents
// it; failure.hpp has those with words for people. All sizes are in bytes. A Device is for one
// thread at a time, but for progress().
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "quantity.hpp"

namespace memplug {

// The ABI below a Device; nobody's business but the library's and its tests'.
class Channel;

// How far the module is with the target: there is none; the plugged size is what it should be; the
// module is at work; the floor is in the way; memory that can't be moved is in the way.
enum class TargetState { None, Reached, Working, Floor, Blocked };
// Other drivers that take memory out of this machine or put it back.
enum class OtherDriver { VirtioMem, VirtioBalloon, HvBalloon, XenBalloon };

// What the module is, and the sizes of one moment.
struct Info {
  std::uint32_t abi_version = 0;
  std::uint32_t page_size = 0;
  std::string module_version;
  std::uint64_t features = 0;     // MEMPLUG_FEATURE_* of <linux/memplug.h>
  Bytes granularity;              // the least that this kernel can take without its neighbours
  Bytes subblock;                 // the unit of plugging: sizes and ranges are multiples of it
  Bytes managed;                  // what it can be asked for, plugged or not
  Bytes unplugged;                // of that, what Linux does not have now
  Bytes wanted;                   // to be unplugged again, as soon as its memory block lets it
  std::optional<Bytes> target;    // of the plugged size; none is set
  Bytes floor;                    // available memory that an unplug leaves
  std::uint64_t generation = 0;   // another number after every change
  std::uint32_t max_blocked = 0;  // Result::blocked is never longer
  Bytes wanted_other_zone;        // of wanted: back, but in a zone that is not managed
  TargetState target_state = TargetState::None;
  std::vector<OtherDriver> others;  // at work on this machine, as far as can be seen
  Bytes low_managed;                // of managed: below ZONE_NORMAL; 0 unless loaded with it
  Bytes low_unplugged;              // of unplugged, likewise
  Bytes low_reserve;                // what a zone there keeps at least; a quarter of it, if more

  [[nodiscard]] Bytes plugged() const { return managed - unplugged; }
};

struct NodeShare {
  int node = 0;
  Bytes managed;
  Bytes unplugged;
};

struct NodeList {
  std::vector<NodeShare> nodes;
  std::uint64_t generation = 0;
};

// Unplugged memory, or what became of it by a request.
struct HeldRange {
  std::optional<PhysAddr> start;  // none: withheld from who has no CAP_SYS_ADMIN
  Bytes size;
  int node = 0;
  std::optional<int> holder;  // of a tied range
  bool mapped = false;
  bool quarantined = false;
  bool wanted = false;  // not unplugged, but to be
};

// Of one moment, by ascending address.
struct RangeList {
  std::vector<HeldRange> ranges;
  std::uint64_t generation = 0;
};

// Since the module was loaded.
struct Counters {
  std::uint64_t unplug_requests = 0;
  std::uint64_t plug_requests = 0;
  std::uint64_t claims = 0;
  std::uint64_t claims_failed = 0;
  std::uint64_t pages_migrated = 0;
  std::uint64_t pages_claimed = 0;
  std::uint64_t pages_released = 0;
  std::uint64_t floor_stops = 0;
  std::chrono::nanoseconds survey{};
  std::chrono::nanoseconds claim{};
  std::uint64_t oom_events = 0;
  std::uint64_t oom_pages = 0;
};

// Of the request that runs.
struct Progress {
  Bytes requested;
  Bytes done;
  Bytes already;
  std::chrono::nanoseconds elapsed{};
};

enum class Operation { Unplug, Plug };
// Where an unplug may take from. Any: ZONE_NORMAL first, and only what that can't give from below
// it.
enum class ZoneChoice { Any, Normal, Low };
// Why a request ended: it is done; the floor; its timeout; a signal; there is nothing left to try.
// CommitLimit is never the module's: who asks may find that asking for more would do harm.
enum class Stop { None, Floor, Timeout, Interrupted, Exhausted, CommitLimit };
// Why memory could not be had; words_for() in reason_words.hpp has it in words.
enum class Reason {
  Unknown,
  Unmovable,
  Reserved,
  Pinned,
  Hugetlb,
  Hwpoison,
  Cma,
  Busy,
  NoMemory,
  Floor,
  Offline,
  Mapped,
  Held,
  Quarantined
};
// Why memory is not managed.
enum class BadWhy { None, Absent, Offline, Zone, Foreign, Mixed };

struct Request {
  Operation operation = Operation::Unplug;
  Bytes length;                        // 0 with all
  std::optional<PhysAddr> start;       // exactly this range; else wherever it is cheapest
  std::optional<Range> window;         // only from here
  std::optional<int> node;             // only from this node
  ZoneChoice zone = ZoneChoice::Any;   // unplug, without start: only from these zones
  Bytes align;                         // with contiguous: of the first byte; 0: a subblock
  std::chrono::nanoseconds timeout{};  // 0: none
  bool all = false;                    // plug: all that is ordinary
  bool contiguous = false;             // unplug: one run, or nothing
  bool exact = false;                  // all of it, or nothing
  bool dry_run = false;                // tell what would come of it, and change nothing
  bool tied = false;  // unplug: goes back when the Device is gone, and its mappings
};

// How many records of each kind a result may bring back. What does not fit is left out, and
// Result::truncated says so; the sizes are whole all the same.
struct Capacity {
  std::uint32_t ranges = 0;
  std::uint32_t blocked = 0;
};

// Memory that a request could not have.
struct Blocked {
  Range range;
  int node = 0;
  Reason reason = Reason::Unknown;
  std::optional<std::uint64_t> pfn;  // of the page in the way; none: not found, or withheld
};

enum class SubblockState { Plugged, Unplugged, Busy, Unmanaged };

// What is in the way of taking a subblock, as far as can be seen.
struct Obstacle {
  std::uint64_t pfn = 0;
  Reason reason = Reason::Unknown;
  bool certain = false;  // it does not go away by trying
};

// A subblock, or a stretch of neighbours that are alike. The counts are of a plugged one.
struct Stretch {
  Range range;
  SubblockState state = SubblockState::Unmanaged;
  std::optional<int> node;  // of managed memory
  bool low = false;         // managed, in a zone below ZONE_NORMAL
  BadWhy why = BadWhy::None;
  bool wanted = false;
  bool quarantined = false;
  std::optional<Obstacle> obstacle;
  std::uint32_t free_pages = 0;
  std::uint32_t movable_pages = 0;
  std::uint32_t anon_pages = 0;
  std::uint32_t file_pages = 0;
  std::uint32_t huge_pages = 0;
};

enum class EventType {
  Unknown,
  Unplugged,
  Plugged,
  Came,
  Went,
  Wanted,
  Target,
  TargetState,
  Quarantine
};
enum class Cause { None, Request, Target, Need, Hotplug };

// One change of the generation.
struct Event {
  std::uint64_t generation = 0;
  std::chrono::nanoseconds time{};  // on CLOCK_MONOTONIC
  EventType type = EventType::Unknown;
  Cause cause = Cause::None;
  std::optional<int> node;
  std::uint32_t lost = 0;         // events before this one that came too fast to be kept
  std::optional<PhysAddr> start;  // of what has a place; none also if withheld
  std::optional<Bytes> size;
  std::optional<Bytes> total;   // of what the type says: unplugged, managed, ... now
  std::optional<Bytes> target;  // of a target that was set
  std::optional<TargetState> state;
};

// A request that ran, however little came of it.
struct Result {
  Bytes requested;
  Bytes done;
  Bytes already;                  // was so before, with Request::start
  Bytes left;                     // plug: unplugged but not ordinary
  std::vector<HeldRange> ranges;  // what was done, by ascending address
  std::vector<Blocked> blocked;   // what could not be had, merged by reason
  bool truncated = false;         // there is more of these than the capacity had room for
  Stop stop = Stop::None;
  std::uint64_t pages_migrated = 0;  // moved elsewhere for it
  std::chrono::nanoseconds elapsed{};

  [[nodiscard]] Bytes shortfall() const { return requested - done - already; }
};

// What became of a range that was to be kept out as bad, or no longer.
struct QuarantineResult {
  Bytes changed;
  Bytes quarantined;  // of the range, now
  Bytes unplugged;    // of that; the rest is wanted
};

// ENXIO: a part of what was named is not managed memory. why None: the node is not
// online.
class UnmanagedError : public std::system_error {
 public:
  UnmanagedError(Range part, BadWhy why);
  [[nodiscard]] Range part() const { return part_; }
  [[nodiscard]] BadWhy why() const { return why_; }

 private:
  Range part_;
  BadWhy why_;
};

enum class Waited { Changed, TimedOut, Interrupted };

// An open device. Moving is cheap; what is tied to it goes back when it is gone. One that was moved
// from can be destroyed and assigned to; all else fails with EBADF.
class Device {
 public:
  // sysfs: where to look for other drivers; empty: nowhere.
  explicit Device(std::unique_ptr<Channel> channel, std::string sysfs = "");
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  Device(Device&& other) noexcept;
  Device& operator=(Device&& other) noexcept;
  ~Device();

  [[nodiscard]] Info info();
  [[nodiscard]] NodeList nodes();
  // All that is unplugged, in one consistent picture.
  [[nodiscard]] RangeList list();
  [[nodiscard]] Counters counters();
  // Nothing when no request runs on this descriptor, or none can be asked about. May be called by
  // another thread while carry_out() runs.
  [[nodiscard]] std::optional<Progress> progress();
  // All of a range, by ascending address, without gaps.
  [[nodiscard]] std::vector<Stretch> survey(Range range);
  // Sleeps until the request is done, its timeout has passed, or a signal came; that is a result
  // with Stop::Interrupted, not an error. Throws UnmanagedError for a range that is not managed
  // memory, and EINVAL if sizes are no multiples of Info::subblock.
  [[nodiscard]] Result carry_out(const Request& request, Capacity capacity);
  // Begin, or end, to keep a range of whole subblocks out as bad.
  [[nodiscard]] QuarantineResult quarantine(Range range);
  [[nodiscard]] QuarantineResult end_quarantine(Range range);
  // What is kept out, or is wanted to be.
  [[nodiscard]] RangeList quarantined();
  // Nothing: work toward no target. Does not wait for it.
  void set_target(std::optional<Bytes> target);
  // Until the generation is another than info() or list() told last.
  [[nodiscard]] Waited wait(std::chrono::milliseconds timeout);
  // What has happened since the last call, oldest first, without waiting. From the first call on,
  // which returns nothing, wait() is for events.
  [[nodiscard]] std::vector<Event> events();
  // For poll(), and for mmap() of unplugged memory at its physical address as the offset; tied
  // memory lives as long as this and every mapping. Close-on-exec; stays the Device's.
  [[nodiscard]] int descriptor() const;

 private:
  [[nodiscard]] Channel& channel() const;
  [[nodiscard]] RangeList list(std::uint32_t flags);
  [[nodiscard]] QuarantineResult change_quarantine(Range range, std::uint32_t flags);

  std::unique_ptr<Channel> channel_;
  std::string sysfs_;
};

// Read: to look; Write: to change or map anything.
enum class Access { Read, Write };

}  // namespace memplug
