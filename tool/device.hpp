// SPDX-License-Identifier: MIT
// The module's commands as typed calls. Channel is the ABI itself, which tests fake; Device turns
// it into results and errors. It retries only what the ABI says to retry, and judges nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "memplug.h"
#include "quantity.hpp"

namespace memplug {

// One open descriptor. Each call returns 0 or an errno. progress() may be called by another thread
// while unplug() or plug() runs. wait() sleeps until the generation is another than info() or
// list() told last, or, after the first read(), until there are events: 0, or ETIMEDOUT, or EINTR.
// read() replaces events by those that there are, without waiting; EAGAIN: none.
class Channel {
 public:
  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  virtual ~Channel() = default;

  virtual int info(memplug_info& info) = 0;
  virtual int nodes(memplug_nodes& nodes) = 0;
  virtual int list(memplug_list& list) = 0;
  virtual int counters(memplug_counters& counters) = 0;
  virtual int progress(memplug_progress& progress) = 0;
  virtual int unplug(memplug_request& request) = 0;
  virtual int plug(memplug_request& request) = 0;
  virtual int target(memplug_target& target) = 0;
  virtual int survey(memplug_survey& survey) = 0;
  virtual int quarantine(memplug_quarantine& quarantine) = 0;
  virtual int wait(std::chrono::milliseconds timeout) = 0;
  virtual int read(std::vector<memplug_event>& events) = 0;
  // For handing it on to another process.
  [[nodiscard]] virtual int descriptor() const = 0;
};

enum class TargetState { None, Reached, Working, Floor, Blocked };
// Other drivers that take memory out of this machine or put it back.
enum class OtherDriver { VirtioMem, VirtioBalloon, HvBalloon, XenBalloon };

struct Info {
  std::uint32_t abi_version = 0;
  std::uint32_t page_size = 0;
  std::string module_version;
  std::uint64_t features = 0;  // MEMPLUG_FEATURE_*
  Bytes granularity;
  Bytes subblock;
  Bytes managed;
  Bytes unplugged;
  Bytes wanted;
  std::optional<Bytes> target;
  Bytes floor;
  std::uint64_t generation = 0;
  std::uint32_t max_blocked = 0;
  Bytes wanted_other_zone;
  TargetState target_state = TargetState::None;
  std::vector<OtherDriver> others;

  [[nodiscard]] Bytes plugged() const { return Bytes{managed.value - unplugged.value}; }
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

struct HeldRange {
  std::optional<PhysAddr> start;  // none: withheld
  Bytes size;
  int node = 0;
  std::optional<int> holder;  // of a tied range
  bool mapped = false;
  bool quarantined = false;
  bool wanted = false;  // not unplugged, but to be
};

struct RangeList {
  std::vector<HeldRange> ranges;
  std::uint64_t generation = 0;
};

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

struct Progress {
  Bytes requested;
  Bytes done;
  Bytes already;
  std::chrono::nanoseconds elapsed{};
};

enum class Operation { Unplug, Plug };
enum class Stop { None, Floor, Timeout, Interrupted, Exhausted };
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
enum class BadWhy { None, Absent, Offline, Zone, Foreign, Mixed };

struct Request {
  Operation operation = Operation::Unplug;
  Bytes length;                   // 0 with all
  std::optional<PhysAddr> start;  // exactly this range
  std::optional<Range> window;
  std::optional<int> node;
  Bytes align;
  std::chrono::nanoseconds timeout{};
  bool all = false;
  bool contiguous = false;
  bool exact = false;
  bool dry_run = false;
  bool tied = false;  // to the descriptor
};

// How many records of each kind a result may bring back.
struct Capacity {
  std::uint32_t ranges = 0;
  std::uint32_t blocked = 0;
};

struct Blocked {
  Range range;
  int node = 0;
  Reason reason = Reason::Unknown;
  std::optional<std::uint64_t> pfn;
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

struct Result {
  Bytes requested;
  Bytes done;
  Bytes already;
  Bytes left;  // plug: unplugged but not ordinary
  std::vector<HeldRange> ranges;
  std::vector<Blocked> blocked;
  bool truncated = false;
  Stop stop = Stop::None;
  std::uint64_t pages_migrated = 0;
  std::chrono::nanoseconds elapsed{};

  [[nodiscard]] Bytes shortfall() const {
    return Bytes{requested.value - done.value - already.value};
  }
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

// Errors are std::system_error with the errno of the command.
class Device {
 public:
  explicit Device(std::unique_ptr<Channel> channel) : channel_(std::move(channel)) {}

  [[nodiscard]] Info info();
  [[nodiscard]] NodeList nodes();
  [[nodiscard]] RangeList list();
  [[nodiscard]] Counters counters();
  // Nothing when no request runs on this descriptor, or none can be asked about.
  [[nodiscard]] std::optional<Progress> progress();
  // All of a range, by ascending address, without gaps.
  [[nodiscard]] std::vector<Stretch> survey(Range range);
  [[nodiscard]] Result carry_out(const Request& request, Capacity capacity);
  // Begin, or end, to keep a range of whole subblocks out as bad.
  [[nodiscard]] QuarantineResult quarantine(Range range);
  [[nodiscard]] QuarantineResult end_quarantine(Range range);
  // What is kept out, or is wanted to be.
  [[nodiscard]] RangeList quarantined();
  // Nothing: work toward no target.
  void set_target(std::optional<Bytes> target);
  // Until the generation is another than info() or list() told last.
  [[nodiscard]] Waited wait(std::chrono::milliseconds timeout);
  // What has happened since the last call, oldest first, without waiting. From the first call on,
  // which returns nothing, wait() is for events.
  [[nodiscard]] std::vector<Event> events();
  // That tied memory lives as long as; close-on-exec.
  [[nodiscard]] int descriptor() const { return channel_->descriptor(); }

 private:
  [[nodiscard]] RangeList list(std::uint32_t flags);
  [[nodiscard]] QuarantineResult change_quarantine(Range range, std::uint32_t flags);

  std::unique_ptr<Channel> channel_;
};

enum class Access { Read, Write };

// How commands get a device: after they have judged their arguments, with the access they need.
using OpenDevice = std::function<Device(Access)>;

}  // namespace memplug
