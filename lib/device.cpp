// SPDX-License-Identifier: MIT
// Between the ABI's structures and the types of device.hpp. Knows no file descriptor.
#include "memplug/device.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "channel.hpp"
#include "other_drivers.hpp"

namespace memplug {
namespace {

// The layout that the module was built with, also where this is compiled for 32 bits.
static_assert(sizeof(memplug_info) == 176 && offsetof(memplug_info, out_features) == 48 &&
              offsetof(memplug_info, out_wanted_other_zone_size) == 136 &&
              offsetof(memplug_info, out_low_managed_size) == 152);
static_assert(sizeof(memplug_node) == 24);
static_assert(sizeof(memplug_nodes) == 32);
static_assert(sizeof(memplug_range) == 32);
static_assert(sizeof(memplug_list) == 40);
static_assert(sizeof(memplug_counters) == 104);
static_assert(sizeof(memplug_progress) == 56);
static_assert(sizeof(memplug_blocked) == 32);
static_assert(sizeof(memplug_request) == 176 && offsetof(memplug_request, ranges) == 64 &&
              offsetof(memplug_request, out_bad_why) == 168);
static_assert(sizeof(memplug_target) == 16);
static_assert(sizeof(memplug_subblock) == 64 && offsetof(memplug_subblock, node) == 40);
static_assert(sizeof(memplug_event) == 64 && offsetof(memplug_event, start) == 32);
static_assert(sizeof(memplug_quarantine) == 72 && offsetof(memplug_quarantine, out_bad_why) == 64);
static_assert(sizeof(memplug_survey) == 56 && offsetof(memplug_survey, out_next) == 40);

// A list that grows faster than it can be read is given up on.
constexpr int max_list_tries = 32;
constexpr std::uint32_t first_list_capacity = 256;
constexpr std::uint32_t survey_capacity = 4096;

void check(int error_number, const char* what) {
  if (error_number != 0) {
    throw std::system_error(error_number, std::generic_category(), what);
  }
}

template <typename Struct>
Struct sized() {
  Struct structure{};
  structure.size = sizeof(Struct);
  return structure;
}

template <typename Record>
std::uint64_t user_pointer(std::vector<Record>& records) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the ABI carries pointers as u64
  return reinterpret_cast<std::uintptr_t>(records.data());
}

// EMSGSIZE says how many records there are; by the next call there may be more.
std::uint32_t grown(std::uint32_t needed) { return needed + needed / 8 + 16; }

HeldRange to_held_range(const memplug_range& range, bool withheld) {
  HeldRange held;
  if (!withheld) {
    held.start = PhysAddr{range.start};
  }
  held.size = Bytes{range.length};
  held.node = range.node;
  if ((range.flags & MEMPLUG_RANGE_TIED) != 0) {
    held.holder = range.holder;
  }
  held.mapped = (range.flags & MEMPLUG_RANGE_MAPPED) != 0;
  held.quarantined = (range.flags & MEMPLUG_RANGE_QUARANTINED) != 0;
  held.wanted = (range.flags & MEMPLUG_RANGE_WANTED) != 0;
  return held;
}

// A newer module may know more reasons than this library.
Reason to_reason(std::uint32_t reason) {
  return reason <= MEMPLUG_REASON_QUARANTINED ? static_cast<Reason>(reason) : Reason::Unknown;
}

SubblockState to_subblock_state(std::uint32_t state) {
  return state <= MEMPLUG_SUBBLOCK_UNMANAGED ? static_cast<SubblockState>(state)
                                             : SubblockState::Busy;
}

EventType to_event_type(std::uint32_t type) {
  return type <= MEMPLUG_EVENT_QUARANTINE ? static_cast<EventType>(type) : EventType::Unknown;
}

Cause to_cause(std::uint32_t cause) {
  return cause <= MEMPLUG_CAUSE_HOTPLUG ? static_cast<Cause>(cause) : Cause::None;
}

Stop to_stop(std::uint32_t stop) {
  return stop <= MEMPLUG_STOP_EXHAUSTED ? static_cast<Stop>(stop) : Stop::Exhausted;
}

BadWhy to_bad_why(std::uint32_t why) {
  return why <= MEMPLUG_BAD_MIXED ? static_cast<BadWhy>(why) : BadWhy::Absent;
}

// What it does not know it can only wait for.
TargetState to_target_state(std::uint32_t state) {
  return state <= MEMPLUG_TARGET_BLOCKED ? static_cast<TargetState>(state) : TargetState::Working;
}

// Those that sysfs shows, and what an older module says, which looked itself.
std::vector<OtherDriver> find_others(const std::string& sysfs, const memplug_info& info) {
  constexpr std::array known{
      std::pair{MEMPLUG_OTHER_VIRTIO_MEM, OtherDriver::VirtioMem},
      std::pair{MEMPLUG_OTHER_VIRTIO_BALLOON, OtherDriver::VirtioBalloon},
      std::pair{MEMPLUG_OTHER_HV_BALLOON, OtherDriver::HvBalloon},
      std::pair{MEMPLUG_OTHER_XEN_BALLOON, OtherDriver::XenBalloon},
  };
  const std::uint32_t told =
      (info.out_features & MEMPLUG_FEATURE_OTHERS) != 0 ? info.out_others : 0;
  const auto seen = sysfs.empty() ? std::vector<OtherDriver>{} : drivers_at_work(sysfs);
  std::vector<OtherDriver> drivers;
  for (const auto& [bit, driver] : known) {
    if ((told & bit) != 0 || std::find(seen.begin(), seen.end(), driver) != seen.end()) {
      drivers.push_back(driver);
    }
  }
  return drivers;
}

static_assert(static_cast<int>(Reason::Quarantined) == MEMPLUG_REASON_QUARANTINED &&
              static_cast<int>(Reason::NoMemory) == MEMPLUG_REASON_NO_MEMORY);
static_assert(static_cast<int>(EventType::Unplugged) == MEMPLUG_EVENT_UNPLUGGED &&
              static_cast<int>(EventType::Plugged) == MEMPLUG_EVENT_PLUGGED &&
              static_cast<int>(EventType::Came) == MEMPLUG_EVENT_CAME &&
              static_cast<int>(EventType::Went) == MEMPLUG_EVENT_WENT &&
              static_cast<int>(EventType::Wanted) == MEMPLUG_EVENT_WANTED &&
              static_cast<int>(EventType::Target) == MEMPLUG_EVENT_TARGET &&
              static_cast<int>(EventType::TargetState) == MEMPLUG_EVENT_TARGET_STATE &&
              static_cast<int>(EventType::Quarantine) == MEMPLUG_EVENT_QUARANTINE);
static_assert(static_cast<int>(Cause::Request) == MEMPLUG_CAUSE_REQUEST &&
              static_cast<int>(Cause::Target) == MEMPLUG_CAUSE_TARGET &&
              static_cast<int>(Cause::Need) == MEMPLUG_CAUSE_NEED &&
              static_cast<int>(Cause::Hotplug) == MEMPLUG_CAUSE_HOTPLUG);
static_assert(static_cast<int>(SubblockState::Plugged) == MEMPLUG_SUBBLOCK_PLUGGED &&
              static_cast<int>(SubblockState::Unplugged) == MEMPLUG_SUBBLOCK_UNPLUGGED &&
              static_cast<int>(SubblockState::Busy) == MEMPLUG_SUBBLOCK_BUSY &&
              static_cast<int>(SubblockState::Unmanaged) == MEMPLUG_SUBBLOCK_UNMANAGED);
static_assert(static_cast<int>(Stop::Exhausted) == MEMPLUG_STOP_EXHAUSTED);
static_assert(static_cast<int>(BadWhy::Mixed) == MEMPLUG_BAD_MIXED);
static_assert(static_cast<int>(TargetState::None) == MEMPLUG_TARGET_NONE &&
              static_cast<int>(TargetState::Reached) == MEMPLUG_TARGET_REACHED &&
              static_cast<int>(TargetState::Working) == MEMPLUG_TARGET_WORKING &&
              static_cast<int>(TargetState::Floor) == MEMPLUG_TARGET_FLOOR &&
              static_cast<int>(TargetState::Blocked) == MEMPLUG_TARGET_BLOCKED);

memplug_request to_abi(const Request& request) {
  auto abi = sized<memplug_request>();
  const auto set = [&abi](bool wanted, std::uint32_t flag) { abi.flags |= wanted ? flag : 0; };
  set(request.start.has_value(), MEMPLUG_REQ_RANGE);
  set(request.all, MEMPLUG_REQ_ALL);
  set(request.node.has_value(), MEMPLUG_REQ_NODE);
  set(request.window.has_value(), MEMPLUG_REQ_WINDOW);
  set(request.contiguous, MEMPLUG_REQ_CONTIGUOUS);
  set(request.exact, MEMPLUG_REQ_EXACT);
  set(request.dry_run, MEMPLUG_REQ_DRY_RUN);
  set(request.tied, MEMPLUG_REQ_TIED);
  set(request.zone == ZoneChoice::Normal, MEMPLUG_REQ_NORMAL);
  set(request.zone == ZoneChoice::Low, MEMPLUG_REQ_LOW);
  abi.length = request.length.value;
  abi.start = request.start.value_or(PhysAddr{}).value;
  abi.window_start = request.window.value_or(Range{}).start.value;
  abi.window_length = request.window.value_or(Range{}).size.value;
  abi.align = request.align.value;
  abi.timeout_ns = static_cast<std::uint64_t>(request.timeout.count());
  abi.node = request.node.value_or(0);
  return abi;
}

Stretch to_stretch(const memplug_subblock& abi) {
  Stretch stretch;
  stretch.range = Range{PhysAddr{abi.start}, Bytes{abi.length}};
  stretch.state = to_subblock_state(abi.state);
  if (stretch.state != SubblockState::Unmanaged) {
    stretch.node = abi.node;
  } else {
    stretch.why = to_bad_why(abi.why);
  }
  stretch.low = (abi.flags & MEMPLUG_SUBBLOCK_LOW) != 0;
  stretch.wanted = (abi.flags & MEMPLUG_SUBBLOCK_WANTED) != 0;
  stretch.quarantined = (abi.flags & MEMPLUG_SUBBLOCK_QUARANTINED) != 0;
  if (abi.pfn != 0) {
    stretch.obstacle =
        Obstacle{abi.pfn, to_reason(abi.reason), (abi.flags & MEMPLUG_SUBBLOCK_CERTAIN) != 0};
  }
  stretch.free_pages = abi.free;
  stretch.movable_pages = abi.movable;
  stretch.anon_pages = abi.anon;
  stretch.file_pages = abi.file;
  stretch.huge_pages = abi.huge;
  return stretch;
}

void set_value(std::uint64_t value, Event& event) {
  switch (event.type) {
    case EventType::Target:
      if (value != MEMPLUG_NO_TARGET) {
        event.target = Bytes{value};
      }
      break;
    case EventType::TargetState:
      event.state = to_target_state(static_cast<std::uint32_t>(value));
      break;
    case EventType::Unplugged:
    case EventType::Plugged:
    case EventType::Came:
    case EventType::Went:
    case EventType::Wanted:
    case EventType::Quarantine:
      event.total = Bytes{value};
      break;
    case EventType::Unknown:
      break;
  }
}

Event to_event(const memplug_event& abi) {
  Event event;
  event.generation = abi.generation;
  event.time = std::chrono::nanoseconds(static_cast<std::int64_t>(abi.time_ns));
  event.type = to_event_type(abi.type);
  event.cause = to_cause(abi.cause);
  if (abi.node >= 0) {
    event.node = abi.node;
  }
  event.lost = abi.lost;
  if (abi.length != 0) {
    event.size = Bytes{abi.length};
    // Nothing that is managed begins there.
    if (abi.start != 0) {
      event.start = PhysAddr{abi.start};
    }
  }
  set_value(abi.value, event);
  return event;
}

// The same kind of memory, told of in two calls.
bool continues(const Stretch& before, const Stretch& next) {
  return before.state == next.state && before.why == next.why && before.node == next.node &&
         before.wanted == next.wanted && before.quarantined == next.quarantined &&
         (next.state == SubblockState::Unplugged || next.state == SubblockState::Unmanaged);
}

Blocked to_blocked(const memplug_blocked& abi) {
  Blocked blocked;
  blocked.range = Range{PhysAddr{abi.start}, Bytes{abi.length}};
  blocked.node = abi.node;
  blocked.reason = to_reason(abi.reason);
  if (abi.pfn != 0) {
    blocked.pfn = abi.pfn;
  }
  return blocked;
}

}  // namespace

UnmanagedError::UnmanagedError(Range part, BadWhy why)
    : std::system_error(ENXIO, std::generic_category(), "not managed memory"),
      part_(part),
      why_(why) {}

Device::Device(std::unique_ptr<Channel> channel, std::string sysfs)
    : channel_(std::move(channel)), sysfs_(std::move(sysfs)) {}
Device::Device(Device&& other) noexcept = default;
Device& Device::operator=(Device&& other) noexcept = default;
Device::~Device() = default;

Channel& Device::channel() const {
  check(channel_ ? 0 : EBADF, "the device was moved away");
  return *channel_;
}

int Device::descriptor() const { return channel().descriptor(); }

Info Device::info() {
  auto abi = sized<memplug_info>();
  check(channel().info(abi), "cannot read what the module is");
  // Everything is counted in it.
  check(abi.out_subblock_size == 0 ? EPROTO : 0, "the module has no size for a subblock");
  Info info;
  info.abi_version = abi.out_abi_version;
  info.page_size = abi.out_page_size;
  info.module_version.assign(
      std::begin(abi.out_module_version),
      std::find(std::begin(abi.out_module_version), std::end(abi.out_module_version), '\0'));
  info.features = abi.out_features;
  info.granularity = Bytes{abi.out_granularity};
  info.subblock = Bytes{abi.out_subblock_size};
  info.managed = Bytes{abi.out_managed_size};
  info.unplugged = Bytes{abi.out_unplugged_size};
  info.wanted = Bytes{abi.out_wanted_size};
  if (abi.out_target_size != MEMPLUG_NO_TARGET) {
    info.target = Bytes{abi.out_target_size};
  }
  info.floor = Bytes{abi.out_floor_size};
  info.generation = abi.out_generation;
  info.max_blocked = abi.out_max_blocked;
  info.wanted_other_zone = Bytes{abi.out_wanted_other_zone_size};
  info.target_state = to_target_state(abi.out_target_state);
  info.others = find_others(sysfs_, abi);
  info.low_managed = Bytes{abi.out_low_managed_size};
  info.low_unplugged = Bytes{abi.out_low_unplugged_size};
  info.low_reserve = Bytes{abi.out_low_reserve_size};
  return info;
}

NodeList Device::nodes() {
  std::vector<memplug_node> records(first_list_capacity);
  auto abi = sized<memplug_nodes>();
  int error_number = EMSGSIZE;
  for (int tries = 0; tries < max_list_tries && error_number == EMSGSIZE; ++tries) {
    abi.nodes = user_pointer(records);
    abi.capacity = static_cast<std::uint32_t>(records.size());
    error_number = channel().nodes(abi);
    if (error_number == EMSGSIZE) {
      records.resize(grown(abi.out_count));
    }
  }
  check(error_number, "cannot read the nodes");
  NodeList list;
  list.generation = abi.out_generation;
  records.resize(std::min<std::size_t>(records.size(), abi.out_count));
  for (const memplug_node& node : records) {
    list.nodes.push_back({node.node, Bytes{node.managed_size}, Bytes{node.unplugged_size}});
  }
  return list;
}

RangeList Device::list() { return list(0); }

RangeList Device::quarantined() { return list(MEMPLUG_LIST_QUARANTINED); }

RangeList Device::list(std::uint32_t flags) {
  std::vector<memplug_range> records(first_list_capacity);
  auto abi = sized<memplug_list>();
  abi.flags = flags;
  int error_number = EMSGSIZE;
  for (int tries = 0; tries < max_list_tries && error_number == EMSGSIZE; ++tries) {
    abi.ranges = user_pointer(records);
    abi.capacity = static_cast<std::uint32_t>(records.size());
    error_number = channel().list(abi);
    if (error_number == EMSGSIZE) {
      records.resize(grown(abi.out_count));
    }
  }
  check(error_number,
        flags == 0 ? "cannot read the unplugged ranges" : "cannot read what is in quarantine");
  RangeList list;
  list.generation = abi.out_generation;
  const bool withheld = (abi.out_flags & MEMPLUG_OUT_WITHHELD) != 0;
  records.resize(std::min<std::size_t>(records.size(), abi.out_count));
  for (const memplug_range& range : records) {
    list.ranges.push_back(to_held_range(range, withheld));
  }
  return list;
}

Counters Device::counters() {
  auto abi = sized<memplug_counters>();
  check(channel().counters(abi), "cannot read the counters");
  return Counters{abi.out_unplug_requests,
                  abi.out_plug_requests,
                  abi.out_claims,
                  abi.out_claims_failed,
                  abi.out_pages_migrated,
                  abi.out_pages_claimed,
                  abi.out_pages_released,
                  abi.out_floor_stops,
                  std::chrono::nanoseconds{abi.out_survey_ns},
                  std::chrono::nanoseconds{abi.out_claim_ns},
                  abi.out_oom_events,
                  abi.out_oom_pages};
}

std::optional<Progress> Device::progress() {
  auto abi = sized<memplug_progress>();
  if (channel().progress(abi) != 0 || abi.out_operation == MEMPLUG_OP_NONE) {
    return std::nullopt;
  }
  return Progress{Bytes{abi.out_requested}, Bytes{abi.out_done}, Bytes{abi.out_already},
                  std::chrono::nanoseconds(static_cast<std::int64_t>(abi.out_elapsed_ns))};
}

Result Device::carry_out(const Request& request, Capacity capacity) {
  std::vector<memplug_range> ranges(capacity.ranges);
  std::vector<memplug_blocked> blocked(capacity.blocked);
  memplug_request abi = to_abi(request);
  abi.ranges = user_pointer(ranges);
  abi.ranges_capacity = capacity.ranges;
  abi.blocked = user_pointer(blocked);
  abi.blocked_capacity = capacity.blocked;

  const bool unplug = request.operation == Operation::Unplug;
  const int error_number = unplug ? channel().unplug(abi) : channel().plug(abi);
  if (error_number == ENXIO) {
    throw UnmanagedError(Range{PhysAddr{abi.out_bad_start}, Bytes{abi.out_bad_length}},
                         to_bad_why(abi.out_bad_why));
  }
  check(error_number, unplug ? "cannot unplug" : "cannot plug");

  Result result;
  result.requested = Bytes{abi.out_requested};
  result.done = Bytes{abi.out_done};
  result.already = Bytes{abi.out_already};
  result.left = Bytes{abi.out_left};
  const bool withheld = (abi.out_flags & MEMPLUG_OUT_WITHHELD) != 0;
  ranges.resize(std::min<std::size_t>(ranges.size(), abi.out_ranges));
  for (const memplug_range& range : ranges) {
    result.ranges.push_back(to_held_range(range, withheld));
  }
  blocked.resize(std::min<std::size_t>(blocked.size(), abi.out_blocked));
  for (const memplug_blocked& record : blocked) {
    result.blocked.push_back(to_blocked(record));
  }
  result.truncated = (abi.out_flags & MEMPLUG_OUT_TRUNCATED) != 0;
  result.stop = to_stop(abi.out_stop);
  result.pages_migrated = abi.out_pages_migrated;
  result.elapsed = std::chrono::nanoseconds(static_cast<std::int64_t>(abi.out_elapsed_ns));
  return result;
}

std::vector<Stretch> Device::survey(Range range) {
  std::vector<Stretch> stretches;
  std::vector<memplug_subblock> records(survey_capacity);
  PhysAddr next = range.start;
  std::uint64_t left = range.size.value;
  while (left != 0) {
    auto abi = sized<memplug_survey>();
    abi.start = next.value;
    abi.length = left;
    abi.records = user_pointer(records);
    abi.capacity = survey_capacity;
    const int error_number = channel().survey(abi);
    if (error_number == EINTR) {
      continue;  // by a signal that did not end the program
    }
    check(error_number, "cannot look at memory");
    // What makes no headway would never end.
    check(abi.out_next > next.value && abi.out_next - next.value <= left &&
                  abi.out_count <= survey_capacity
              ? 0
              : EPROTO,
          "the module's survey does not go on");
    for (std::uint32_t i = 0; i < abi.out_count; ++i) {
      Stretch stretch = to_stretch(records[i]);
      if (i == 0 && !stretches.empty() && continues(stretches.back(), stretch)) {
        stretches.back().range.size += stretch.range.size;
      } else {
        stretches.push_back(stretch);
      }
    }
    left -= abi.out_next - next.value;
    next.value = abi.out_next;
  }
  return stretches;
}

QuarantineResult Device::quarantine(Range range) { return change_quarantine(range, 0); }

QuarantineResult Device::end_quarantine(Range range) {
  return change_quarantine(range, MEMPLUG_QUARANTINE_END);
}

QuarantineResult Device::change_quarantine(Range range, std::uint32_t flags) {
  auto abi = sized<memplug_quarantine>();
  abi.flags = flags;
  abi.start = range.start.value;
  abi.length = range.size.value;
  const int error_number = channel().quarantine(abi);
  if (error_number == ENXIO) {
    throw UnmanagedError(Range{PhysAddr{abi.out_bad_start}, Bytes{abi.out_bad_length}},
                         to_bad_why(abi.out_bad_why));
  }
  check(error_number, "cannot change the quarantine");
  return {Bytes{abi.out_changed}, Bytes{abi.out_quarantined}, Bytes{abi.out_unplugged}};
}

void Device::set_target(std::optional<Bytes> target) {
  auto abi = sized<memplug_target>();
  abi.target = target ? target->value : MEMPLUG_NO_TARGET;
  check(channel().target(abi), "cannot set the target");
}

Waited Device::wait(std::chrono::milliseconds timeout) {
  const int error_number = channel().wait(timeout);
  if (error_number == ETIMEDOUT) {
    return Waited::TimedOut;
  }
  if (error_number == EINTR) {
    return Waited::Interrupted;
  }
  check(error_number, "cannot wait for a change");
  return Waited::Changed;
}

std::vector<Event> Device::events() {
  std::vector<Event> events;
  std::vector<memplug_event> records;
  for (;;) {
    const int error_number = channel().read(records);
    if (error_number == EAGAIN) {
      return events;
    }
    check(error_number, "cannot read events");
    std::transform(records.begin(), records.end(), std::back_inserter(events), to_event);
  }
}

}  // namespace memplug
