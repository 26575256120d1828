// SPDX-License-Identifier: MIT
// lab: also-32bit
// How results come back: arrays that are small, missing or can't be written, the needed counts,
// a second request on a busy descriptor, PROGRESS beside a request, and poll().
#include <poll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "ioctl_rows.hpp"

namespace {

using lab::Device;
using lab::Pages;
using lab::Table;
using lab::user_pointer;

memplug_request of_length(std::uint64_t length, std::uint32_t flags = 0) {
  auto request = lab::sized<memplug_request>();
  request.flags = flags;
  request.length = length;
  return request;
}

void plug_all(const Device& device) {
  auto request = of_length(0, MEMPLUG_REQ_ALL);
  if (device.call(MEMPLUG_IOC_PLUG, &request) != 0 || device.info().out_unplugged_size != 0) {
    lab::die("what the test unplugged can't be plugged");
  }
}

// Where this many subblocks in a row can be had.
std::uint64_t find_room(const Device& device, std::uint64_t length) {
  memplug_range range{};
  auto request = of_length(length, MEMPLUG_REQ_CONTIGUOUS);
  request.ranges = user_pointer(&range);
  request.ranges_capacity = 1;
  if (device.call(MEMPLUG_IOC_UNPLUG, &request) != 0 || request.out_done != length) {
    lab::die("no run of %llu bytes can be had", static_cast<unsigned long long>(length));
  }
  plug_all(device);
  return range.start;
}

// Leaves three subblocks in a row with the middle one unplugged, so that a request for the
// window's two others has two ranges to tell of.
memplug_request unplug_around(const Device& device, std::uint64_t room, std::uint64_t subblock) {
  auto middle = of_length(subblock, MEMPLUG_REQ_RANGE);
  middle.start = room + subblock;
  if (device.call(MEMPLUG_IOC_UNPLUG, &middle) != 0 || middle.out_done != subblock) {
    lab::die("the middle subblock can't be had");
  }
  auto request = of_length(2 * subblock, MEMPLUG_REQ_WINDOW);
  request.window_start = room;
  request.window_length = 3 * subblock;
  return request;
}

void small_arrays(Table& table, const Device& device, std::uint64_t room, std::uint64_t subblock) {
  constexpr std::uint64_t untouched = 0x5555555555555555;
  for (const std::uint32_t capacity : {0U, 1U, 2U, 3U, 100000U}) {
    auto request = unplug_around(device, room, subblock);
    std::vector<memplug_range> ranges(capacity + 2);
    std::memset(ranges.data(), 0x55, ranges.size() * sizeof(ranges[0]));
    request.ranges = user_pointer(ranges.data());
    request.ranges_capacity = capacity;
    const int error = device.call(MEMPLUG_IOC_UNPLUG, &request);
    table.rebase();
    const std::string name = "UNPLUG of two ranges, capacity " + std::to_string(capacity);
    table.row(name, error, 0);
    table.claim(name + ": both are counted", request.out_ranges == 2);
    table.claim(name + ": truncated or not",
                ((request.out_flags & MEMPLUG_OUT_TRUNCATED) != 0) == (capacity < 2));
    const auto written = static_cast<std::size_t>(
        std::count_if(ranges.begin(), ranges.end(),
                      [&](const memplug_range& range) { return range.length == subblock; }));
    table.claim(name + ": as many as fit are written", written == std::min(capacity, 2U));
    table.claim(name + ": nothing behind the array is",
                ranges[capacity].start == untouched && ranges[capacity].length == untouched);
    table.claim(name + ": the first is the lowest",
                capacity == 0 || (ranges[0].start == room && ranges[0].length == subblock));
    plug_all(device);
    table.rebase();
  }

  // All of memory has several stretches that can't be had; the array has room for one.
  std::array<memplug_blocked, 2> blocked{};
  auto request = of_length(device.info().out_managed_size, MEMPLUG_REQ_DRY_RUN);
  request.blocked = user_pointer(blocked.data());
  request.blocked_capacity = 1;
  table.row("UNPLUG of all, room for one blocked", device.call(MEMPLUG_IOC_UNPLUG, &request), 0);
  table.claim("it tells how many there are, up to the limit",
              request.out_blocked >= 1 && request.out_blocked <= MEMPLUG_MAX_BLOCKED);
  table.claim("it is truncated if there is more than one",
              request.out_blocked == 1 || (request.out_flags & MEMPLUG_OUT_TRUNCATED) != 0);
  table.claim("one is written, whole subblocks with a reason",
              blocked[0].length != 0 && blocked[0].length % subblock == 0 &&
                  blocked[0].start % subblock == 0 && blocked[1].length == 0);
}

void unwritable_arrays(Table& table, const Device& device, std::uint64_t subblock) {
  Pages pages;
  pages.protect(0, Pages::page, PROT_READ);
  struct Array {
    const char* name;
    std::uint64_t address;
  };
  const std::array<Array, 3> arrays = {{{"NULL", 0},
                                        {"unwritable", user_pointer(pages.data())},
                                        {"kernel", ~std::uint64_t{0} - (Pages::page - 1)}}};
  for (const Array& array : arrays) {
    auto request = of_length(subblock);
    request.ranges = array.address;
    request.ranges_capacity = 8;
    table.row(std::string("UNPLUG into a ranges array that is ") + array.name,
              device.call(MEMPLUG_IOC_UNPLUG, &request), EFAULT);
    auto blocked = of_length(subblock);
    blocked.blocked = array.address;
    blocked.blocked_capacity = 8;
    table.row(std::string("UNPLUG into a blocked array that is ") + array.name,
              device.call(MEMPLUG_IOC_UNPLUG, &blocked), EFAULT);
  }
  auto request = of_length(subblock);
  Pages frozen;
  std::memcpy(frozen.data(), &request, sizeof(request));
  frozen.protect(0, Pages::page, PROT_READ);
  table.row("UNPLUG with a structure that can't be written",
            device.call(MEMPLUG_IOC_UNPLUG, frozen.data()), EFAULT);

  if (device.call(MEMPLUG_IOC_UNPLUG, &request) != 0) {
    lab::die("a subblock can't be had");
  }
  table.rebase();
  auto plug = of_length(subblock);
  plug.ranges = user_pointer(pages.data());
  plug.ranges_capacity = 8;
  table.row("PLUG into a ranges array that is unwritable", device.call(MEMPLUG_IOC_PLUG, &plug),
            EFAULT);
  plug_all(device);
  table.rebase();
}

// What could be written when the request began and can't be when it ends: then the work was done,
// and has to be undone. The first page holds the structure, the second the array.
void vanishing_results(Table& table, const Device& device, std::size_t vanishing,
                       const char* name) {
  constexpr std::uint64_t wanted = 512ULL << 20;
  Pages pages;
  auto request = of_length(wanted);
  request.ranges = user_pointer(pages.data() + Pages::page);
  request.ranges_capacity = 64;
  std::memcpy(pages.data(), &request, sizeof(request));
  std::atomic<bool> ended = false;
  int error = -1;
  std::thread runner([&] {
    error = device.call(MEMPLUG_IOC_UNPLUG, pages.data());
    ended = true;
  });
  while (!ended && device.progress().out_done == 0) {
    std::this_thread::yield();
  }
  pages.protect(vanishing, Pages::page, PROT_READ);
  runner.join();
  table.claim(std::string(name) + " vanishes during an UNPLUG: EFAULT", error == EFAULT);
  table.claim("  and what was taken was given back", device.info().out_unplugged_size == 0);
  plug_all(device);
  table.rebase();
}

void needed_counts(Table& table, const Device& device, std::uint64_t room, std::uint64_t subblock) {
  auto outer = unplug_around(device, room, subblock);
  outer.length = subblock;
  outer.window_start = room + 2 * subblock;
  outer.window_length = subblock;
  // What was given back last is used first: the kernel may have put a page of its own there.
  do {
    outer.window_start += subblock;
    if (outer.window_start > room + 64 * subblock || device.call(MEMPLUG_IOC_UNPLUG, &outer) != 0) {
      lab::die("two separate ranges can't be had");
    }
  } while (device.list().size() != 2);
  table.rebase();

  std::vector<memplug_range> ranges(2);
  auto list = lab::sized<memplug_list>();
  list.ranges = user_pointer(ranges.data());
  list.capacity = 1;
  table.row("LIST of two, room for one", device.call(MEMPLUG_IOC_LIST, &list), EMSGSIZE);
  table.claim("  tells that two are needed", list.out_count == 2);
  table.claim("  and wrote none", ranges[0].length == 0);
  list.capacity = 0;
  list.ranges = 0;
  list.out_count = 0;
  table.row("LIST of two, capacity 0", device.call(MEMPLUG_IOC_LIST, &list), EMSGSIZE);
  table.claim("  tells that two are needed", list.out_count == 2);
  list.capacity = 2;
  table.row("LIST into NULL", device.call(MEMPLUG_IOC_LIST, &list), EFAULT);
  Pages pages;
  pages.protect(0, Pages::page, PROT_READ);
  list.ranges = user_pointer(pages.data());
  table.row("LIST into unwritable memory", device.call(MEMPLUG_IOC_LIST, &list), EFAULT);
  list.ranges = user_pointer(ranges.data());
  table.row("LIST of two, room for two", device.call(MEMPLUG_IOC_LIST, &list), 0);
  table.claim("  both are there, ascending",
              list.out_count == 2 && ranges[0].start == room + subblock &&
                  ranges[1].start == room + 3 * subblock && ranges[0].length == subblock &&
                  ranges[1].length == subblock && list.out_flags == 0);

  memplug_node node{};
  auto nodes = lab::sized<memplug_nodes>();
  nodes.nodes = user_pointer(&node);
  table.row("NODES, capacity 0", device.call(MEMPLUG_IOC_NODES, &nodes), EMSGSIZE);
  table.claim("  tells as many as INFO, and wrote none",
              nodes.out_count == device.info().out_nr_nodes && node.managed_size == 0);
  nodes.capacity = nodes.out_count;
  nodes.nodes = user_pointer(pages.data());
  table.row("NODES into unwritable memory", device.call(MEMPLUG_IOC_NODES, &nodes), EFAULT);
  plug_all(device);
  table.rebase();

  list.capacity = 0;
  table.row("LIST of nothing, capacity 0", device.call(MEMPLUG_IOC_LIST, &list), 0);
  table.claim("  tells 0", list.out_count == 0);
}

// While a long request runs on the descriptor; it is interrupted by nobody and ends by itself.
void beside_a_request(Table& table, const Device& device, std::uint64_t subblock) {
  table.claim(
      "PROGRESS when nothing runs: all 0",
      device.progress().out_operation == MEMPLUG_OP_NONE && device.progress().out_requested == 0);
  constexpr std::uint64_t wanted = 1ULL << 30;
  memplug_request request = of_length(wanted);
  std::atomic<bool> ended = false;
  int error = -1;
  std::thread runner([&] {
    error = device.call(MEMPLUG_IOC_UNPLUG, &request);
    ended = true;
  });
  bool seen = false;
  bool busy = false;
  bool info_works = false;
  std::uint64_t last_done = 0;
  bool monotonous = true;
  while (!ended) {
    const memplug_progress progress = device.progress();
    if (progress.out_operation != MEMPLUG_OP_UNPLUG) {
      std::this_thread::yield();
      continue;
    }
    seen = seen || progress.out_requested == wanted;
    monotonous = monotonous && progress.out_done >= last_done && progress.out_done <= wanted;
    last_done = progress.out_done;
    if (!busy) {
      auto second = of_length(subblock, MEMPLUG_REQ_DRY_RUN);
      const int unplug = device.call(MEMPLUG_IOC_UNPLUG, &second);
      const int plug = device.call(MEMPLUG_IOC_PLUG, &second);
      const bool still = device.progress().out_operation == MEMPLUG_OP_UNPLUG;
      busy = still && unplug == EBUSY && plug == EBUSY;
      info_works = device.info().out_managed_size != 0;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  runner.join();
  table.claim("a long request succeeds with all of this beside it",
              error == 0 && request.out_done == wanted);
  table.claim("PROGRESS on its descriptor shows it", seen);
  table.claim("PROGRESS only goes up", monotonous);
  table.claim("a second UNPLUG and a PLUG on its descriptor: EBUSY", busy);
  table.claim("INFO beside it works", info_works);
  std::printf("       %llu MiB in %llu ms, %llu pages moved\n",
              static_cast<unsigned long long>(request.out_done >> 20),
              static_cast<unsigned long long>(request.out_elapsed_ns / 1000000),
              static_cast<unsigned long long>(request.out_pages_migrated));
  plug_all(device);
  table.claim("PROGRESS afterwards: NONE", device.progress().out_operation == MEMPLUG_OP_NONE);
  table.rebase();
}

// PROGRESS on a descriptor on which one short request follows another: none of them can have run
// for longer than there have been any.
void beside_short_requests(Table& table, std::uint64_t subblock) {
  constexpr int requests = 2000;
  std::atomic<bool> ended = false;
  int error = 0;
  const Device device(O_RDWR);
  const auto begun = std::chrono::steady_clock::now();
  std::thread runner([&] {
    for (int i = 0; i < requests && error == 0; ++i) {
      auto request = of_length(subblock, MEMPLUG_REQ_DRY_RUN);
      error = device.call(MEMPLUG_IOC_UNPLUG, &request);
    }
    ended = true;
  });
  std::uint64_t answers = 0;
  std::uint64_t seen = 0;
  std::uint64_t bad = 0;
  while (!ended) {
    const memplug_progress progress = device.progress();
    const std::chrono::nanoseconds age = std::chrono::steady_clock::now() - begun;
    ++answers;
    seen += progress.out_operation == MEMPLUG_OP_NONE ? 0 : 1;
    bad += progress.out_elapsed_ns > static_cast<std::uint64_t>(age.count()) ? 1 : 0;
  }
  runner.join();
  table.claim("many short requests with PROGRESS beside them", error == 0 && seen > 0);
  table.claim("PROGRESS: none has run for longer than there are any", bad == 0);
  std::printf("       %llu answers, %llu of a request, %llu with an impossible time\n",
              static_cast<unsigned long long>(answers), static_cast<unsigned long long>(seen),
              static_cast<unsigned long long>(bad));
}

bool readable(const Device& device, int timeout_ms) {
  pollfd entry{device.fd(), POLLIN, 0};
  if (::poll(&entry, 1, timeout_ms) < 0) {
    lab::die("poll: %s", std::strerror(errno));
  }
  return (entry.revents & POLLIN) != 0;
}

void polling(Table& table, const Device& device, std::uint64_t subblock) {
  const Device waiter(O_RDONLY);
  const Device other(O_RDONLY);
  table.claim("poll: a fresh descriptor is not readable", !readable(waiter, 0));
  auto request = of_length(subblock);
  std::thread changer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    if (device.call(MEMPLUG_IOC_UNPLUG, &request) != 0) {
      lab::die("a subblock can't be had");
    }
  });
  table.claim("poll: a change wakes who waits", readable(waiter, 10000));
  changer.join();
  table.claim("poll: readable until it is read", readable(waiter, 0));
  static_cast<void>(waiter.counters());
  static_cast<void>(waiter.progress());
  static_cast<void>(waiter.nodes());
  table.claim("poll: COUNTERS, PROGRESS and NODES don't count as reading", readable(waiter, 0));
  static_cast<void>(waiter.info());
  table.claim("poll: INFO does", !readable(waiter, 0));
  table.claim("poll: another descriptor is its own", readable(other, 0));
  static_cast<void>(other.list());
  table.claim("poll: LIST does", !readable(other, 0));
  plug_all(device);
  table.claim("poll: plugging is a change too", readable(waiter, 0) && readable(other, 0));
  auto dry = of_length(subblock, MEMPLUG_REQ_DRY_RUN);
  static_cast<void>(waiter.info());
  table.claim("poll: a dry run is none",
              device.call(MEMPLUG_IOC_UNPLUG, &dry) == 0 && !readable(waiter, 0));
  table.rebase();
}

void counting(Table& table, const Device& device, std::uint64_t subblock) {
  const memplug_counters before = device.counters();
  auto request = of_length(2 * subblock);
  if (device.call(MEMPLUG_IOC_UNPLUG, &request) != 0 || request.out_done != 2 * subblock) {
    lab::die("two subblocks can't be had");
  }
  auto dry = of_length(subblock, MEMPLUG_REQ_DRY_RUN);
  static_cast<void>(device.call(MEMPLUG_IOC_UNPLUG, &dry));
  plug_all(device);
  const memplug_counters after = device.counters();
  const std::uint64_t pages = 2 * subblock / Pages::page;
  table.claim("COUNTERS: one unplug, one plug, dry runs not counted",
              after.out_unplug_requests - before.out_unplug_requests == 1 &&
                  after.out_plug_requests - before.out_plug_requests == 1);
  table.claim("COUNTERS: the pages taken and given back",
              after.out_pages_claimed - before.out_pages_claimed == pages &&
                  after.out_pages_released - before.out_pages_released == pages);
  table.claim("COUNTERS: claims", after.out_claims > before.out_claims);
  table.claim(
      "COUNTERS: times of surveys and claims",
      after.out_survey_ns > before.out_survey_ns && after.out_claim_ns > before.out_claim_ns);
  table.rebase();
}

}  // namespace

int main() {
  Table table("results of requests");
  const Device device(O_RDWR);
  const std::uint64_t subblock = device.info().out_subblock_size;
  const std::uint64_t room = find_room(device, 4 * subblock);
  table.rebase();
  small_arrays(table, device, room, subblock);
  unwritable_arrays(table, device, subblock);
  vanishing_results(table, device, 0, "the structure");
  vanishing_results(table, device, Pages::page, "the ranges array");
  needed_counts(table, device, room, subblock);
  beside_a_request(table, device, subblock);
  beside_short_requests(table, subblock);
  polling(table, device, subblock);
  counting(table, device, subblock);
  return table.finish();
}
