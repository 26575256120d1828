// SPDX-License-Identifier: MIT
// The fake module's side of the ABI: sizes are checked, lists copied, EMSGSIZE given.
#include "fake_channel.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>

namespace memplug::test {
namespace {

template <typename Record>
Record* at(std::uint64_t user_pointer) {
  // The ABI carries pointers as u64.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast,performance-no-int-to-ptr)
  return reinterpret_cast<Record*>(static_cast<std::uintptr_t>(user_pointer));
}

class FakeChannel final : public Channel {
 public:
  explicit FakeChannel(FakeModule& module) : module_(module) {}

  int info(memplug_info& info) override {
    module_.before_info(module_.info_calls++);
    return answer_with(module_.info, info, offsetof(memplug_info, out_wanted_other_zone_size));
  }

  int nodes(memplug_nodes& nodes) override {
    ++module_.node_calls;
    nodes.out_generation = module_.info.out_generation;
    return copy(module_.nodes, nodes.nodes, nodes.capacity, nodes.out_count);
  }

  int list(memplug_list& list) override {
    module_.before_list(module_.list_calls++);
    list.out_generation = module_.info.out_generation;
    list.out_flags = module_.list_flags;
    const bool quarantined = (list.flags & MEMPLUG_LIST_QUARANTINED) != 0;
    return copy(quarantined ? module_.quarantined : module_.ranges, list.ranges, list.capacity,
                list.out_count);
  }

  int counters(memplug_counters& counters) override {
    return answer_with(module_.counters, counters, offsetof(memplug_counters, out_oom_events));
  }

  int progress(memplug_progress& progress) override {
    progress.out_operation = MEMPLUG_OP_NONE;
    return 0;
  }

  int unplug(memplug_request& request) override { return run(Operation::Unplug, request); }
  int plug(memplug_request& request) override { return run(Operation::Plug, request); }

  int target(memplug_target& target) override {
    module_.target = target;
    return module_.answer_target(target);
  }

  int survey(memplug_survey& survey) override {
    const int earlier = module_.survey_calls++;
    const auto begin = std::find_if(
        module_.subblocks.begin(), module_.subblocks.end(),
        [&survey](const memplug_subblock& subblock) { return subblock.start >= survey.start; });
    const std::size_t left = static_cast<std::size_t>(module_.subblocks.end() - begin);
    const std::size_t count =
        std::min({left, module_.survey_portion, std::size_t{survey.capacity}});
    if (const int error_number = module_.answer_survey(earlier); error_number != 0) {
      return error_number;
    }
    std::copy_n(begin, count, at<memplug_subblock>(survey.records));
    survey.out_count = static_cast<std::uint32_t>(count);
    survey.out_next = count == left ? survey.start + survey.length
                                    : (begin + static_cast<std::ptrdiff_t>(count))->start;
    return 0;
  }

  int quarantine(memplug_quarantine& quarantine) override {
    module_.quarantines.push_back(quarantine);
    return module_.answer_quarantine(quarantine);
  }

  int wait(std::chrono::milliseconds timeout) override {
    return module_.answer_wait(module_.wait_calls++, timeout);
  }
  [[nodiscard]] int descriptor() const override { return module_.descriptor; }

  int read(std::vector<memplug_event>& events) override {
    if (!subscribed_) {
      subscribed_ = true;
      return EAGAIN;
    }
    events = std::exchange(module_.events, {});
    return events.empty() ? EAGAIN : 0;
  }

 private:
  template <typename Struct>
  int answer_with(const Struct& answer, Struct& out, std::size_t first_size) const {
    if (out.size != sizeof(Struct) || out.flags != 0) {
      return EINVAL;
    }
    std::memcpy(&out, &answer, module_.first_version ? first_size : sizeof(Struct));
    return 0;
  }

  template <typename Record>
  static int copy(const std::vector<Record>& records, std::uint64_t pointer, std::uint32_t capacity,
                  std::uint32_t& count) {
    count = static_cast<std::uint32_t>(records.size());
    if (capacity < count) {
      return EMSGSIZE;
    }
    std::copy(records.begin(), records.end(), at<Record>(pointer));
    return 0;
  }

  int run(Operation operation, memplug_request& request) {
    module_.operation = operation;
    module_.request = request;
    return module_.answer(request);
  }

  FakeModule& module_;
  bool subscribed_ = false;
};

}  // namespace

FakeModule::FakeModule()
    : answer(done_at(5 * gib)),
      answer_target([this](memplug_target& wanted) {
        const bool none = wanted.target == MEMPLUG_NO_TARGET;
        info.out_target_size = wanted.target;
        info.out_target_state = none ? MEMPLUG_TARGET_NONE : MEMPLUG_TARGET_WORKING;
        return 0;
      }),
      answer_quarantine([this](memplug_quarantine& asked) {
        const bool ends = (asked.flags & MEMPLUG_QUARANTINE_END) != 0;
        asked.out_changed = asked.length;
        asked.out_quarantined = ends ? 0 : asked.length;
        asked.out_unplugged = asked.out_quarantined;
        std::erase_if(quarantined, [&asked](const memplug_range& range) {
          return range.start >= asked.start && range.start < asked.start + asked.length;
        });
        if (!ends) {
          quarantined.push_back({asked.start, asked.length, MEMPLUG_RANGE_QUARANTINED, 0, 0, 0});
        }
        return 0;
      }),
      answer_wait([](int /*earlier*/, std::chrono::milliseconds timeout) {
        std::this_thread::sleep_for(timeout);
        return ETIMEDOUT;
      }) {
  info.size = sizeof(info);
  info.out_abi_version = MEMPLUG_ABI_VERSION;
  info.out_page_size = 4096;
  constexpr std::string_view version = "0.1.0";
  std::copy(version.begin(), version.end(), std::begin(info.out_module_version));
  info.out_features = MEMPLUG_FEATURE_TARGET | MEMPLUG_FEATURE_OOM | MEMPLUG_FEATURE_SURVEY |
                      MEMPLUG_FEATURE_EVENTS | MEMPLUG_FEATURE_QUARANTINE;
  info.out_granularity = 2 * mib;
  info.out_subblock_size = 4 * mib;
  info.out_memory_block_size = 128 * mib;
  info.out_managed_size = 4 * gib;
  info.out_target_size = MEMPLUG_NO_TARGET;
  info.out_floor_size = 600 * mib;
  info.out_generation = 7;
  info.out_nr_nodes = 1;
  info.out_max_blocked = MEMPLUG_MAX_BLOCKED;
  nodes = {{0, 0, 4 * gib, 0}};
  counters.size = sizeof(counters);
}

void put_ranges(memplug_request& request, const std::vector<memplug_range>& ranges) {
  request.out_ranges = static_cast<std::uint32_t>(ranges.size());
  const auto fits = std::min<std::size_t>(ranges.size(), request.ranges_capacity);
  std::copy_n(ranges.begin(), fits, at<memplug_range>(request.ranges));
  if (fits < ranges.size()) {
    request.out_flags |= MEMPLUG_OUT_TRUNCATED;
  }
}

void put_blocked(memplug_request& request, const std::vector<memplug_blocked>& blocked) {
  request.out_blocked = static_cast<std::uint32_t>(blocked.size());
  const auto fits = std::min<std::size_t>(blocked.size(), request.blocked_capacity);
  std::copy_n(blocked.begin(), fits, at<memplug_blocked>(request.blocked));
  if (fits < blocked.size()) {
    request.out_flags |= MEMPLUG_OUT_TRUNCATED;
  }
}

std::function<int(memplug_request&)> done_at(std::uint64_t start) {
  return [start](memplug_request& request) {
    request.out_requested = request.length;
    request.out_done = request.length;
    if (request.length != 0) {
      put_ranges(request, {{start, request.length, 0, request.node, 0, 0}});
    }
    return 0;
  };
}

std::function<int(memplug_request&)> done_with(std::uint64_t done, std::uint32_t stop) {
  return [done, stop](memplug_request& request) {
    request.out_requested = request.length;
    request.out_done = done;
    request.out_stop = stop;
    return 0;
  };
}

std::unique_ptr<Channel> make_channel(FakeModule& module) {
  return std::make_unique<FakeChannel>(module);
}

OpenDevice opener(FakeModule& module) {
  return [&module](Access access) {
    module.opened_for = access;
    return Device(make_channel(module), module.sysfs);
  };
}

}  // namespace memplug::test
