// SPDX-License-Identifier: MIT
// What is in quarantine stays out, or gets out as soon as it can: one promise a function.
// Everything is plugged before and after.
#include <algorithm>
#include <csignal>

#include "holding.hpp"
#include "memory_block.hpp"

namespace {

using lab::Device;
using lab::die;
using lab::expect;
using lab::Outcome;
using lab::wait_until;

const std::uint64_t subblock = Device().info().out_subblock_size;

memplug_quarantine change(const Device& device, std::uint64_t start, std::uint64_t length,
                          std::uint32_t flags) {
  auto quarantine = lab::sized<memplug_quarantine>();
  quarantine.flags = flags;
  quarantine.start = start;
  quarantine.length = length;
  if (const int error = device.call(MEMPLUG_IOC_QUARANTINE, &quarantine); error != 0) {
    die("QUARANTINE of %#llx: %s", static_cast<unsigned long long>(start), std::strerror(error));
  }
  return quarantine;
}

memplug_quarantine mark(const Device& device, std::uint64_t start, std::uint64_t length) {
  return change(device, start, length, 0);
}

memplug_quarantine end(const Device& device, std::uint64_t start, std::uint64_t length) {
  return change(device, start, length, MEMPLUG_QUARANTINE_END);
}

std::vector<memplug_range> list_quarantined(const Device& device) {
  std::vector<memplug_range> ranges(64);
  auto list = lab::sized<memplug_list>();
  list.flags = MEMPLUG_LIST_QUARANTINED;
  list.ranges = lab::user_pointer(ranges.data());
  list.capacity = static_cast<std::uint32_t>(ranges.size());
  const int error = device.call(MEMPLUG_IOC_LIST, &list);
  expect(error == 0, "LIST of what is in quarantine");
  ranges.resize(list.out_count);
  return ranges;
}

// Is all of it in quarantine, and unplugged?
bool is_out(const Device& device, std::uint64_t start, std::uint64_t length) {
  const std::vector<memplug_range> ranges = list_quarantined(device);
  return ranges.size() == 1 && ranges[0].start == start && ranges[0].length == length &&
         ranges[0].flags == MEMPLUG_RANGE_QUARANTINED;
}

void plug_what_is_ordinary(const Device& device) {
  expect(lab::plug_all(device).error == 0, "PLUG of everything");
  expect(device.list().empty() && device.info().out_wanted_size == 0, "something is left");
}

void what_is_unplugged_stays_so() {
  const Device device;
  const std::uint64_t start = lab::take(device, 4 * subblock).start;
  memplug_quarantine told = mark(device, start + subblock, 2 * subblock);
  expect(told.out_changed == 2 * subblock && told.out_quarantined == 2 * subblock &&
             told.out_unplugged == 2 * subblock,
         "the figures of the beginning");
  told = mark(device, start + subblock, 2 * subblock);
  expect(told.out_changed == 0 && told.out_unplugged == 2 * subblock, "the second time");
  const Outcome named = lab::plug(device, start, 4 * subblock);
  expect(named.error == 0 && named.request.out_done == 2 * subblock, "its neighbours are plugged");
  expect(named.blocked.size() == 1 && named.blocked[0].start == start + subblock &&
             named.blocked[0].reason == MEMPLUG_REASON_QUARANTINED,
         "why the rest is not");
  const Outcome all = lab::plug_all(device);
  expect(all.error == 0 && all.request.out_done == 0 && all.request.out_left == 2 * subblock,
         "PLUG of everything tells what it leaves");
  expect(is_out(device, start + subblock, 2 * subblock), "it is listed");
  expect(device.list().size() == 1 && device.list()[0].flags == MEMPLUG_RANGE_QUARANTINED,
         "it is listed among what is unplugged");
  told = end(device, start, 4 * subblock);
  expect(told.out_changed == 2 * subblock && told.out_quarantined == 0, "the figures of the end");
  expect(lab::look_up(device, start + subblock).flags == 0, "it is not ordinary at its end");
  plug_what_is_ordinary(device);
}

// It is in use, or free; the module takes it when it can.
void what_is_plugged_is_taken() {
  const Device device;
  const std::uint64_t start = lab::take(device, 4 * subblock).start;
  plug_what_is_ordinary(device);
  const std::uint64_t generation = device.info().out_generation;
  const memplug_quarantine told = mark(device, start, 4 * subblock);
  expect(told.out_changed == 4 * subblock, "the figures of what is plugged");
  expect(device.info().out_generation > generation, "nobody is told");
  wait_until("what is plugged is taken", [&] { return is_out(device, start, 4 * subblock); });
  expect(device.info().out_wanted_size == 0, "something is still wanted");
  end(device, start, 4 * subblock);
  plug_what_is_ordinary(device);
}

void a_descriptor_loses_what_is_marked() {
  const Device device;
  std::uint64_t start = 0;
  {
    const Device owner;
    start = lab::take(owner, 2 * subblock, MEMPLUG_REQ_TIED).start;
    mark(device, start, subblock);
    expect(lab::look_up(device, start).holder == 0, "it is still tied");
    expect(lab::look_up(device, start + subblock).holder != 0, "its neighbour is not tied");
  }
  wait_until("the rest is given back",
             [&] { return lab::look_up(device, start + subblock).length == 0; });
  expect(is_out(device, start, subblock), "it went with its descriptor");
  end(device, start, subblock);
  plug_what_is_ordinary(device);
}

// As much as there is: no target has it plugged.
void a_target_leaves_it() {
  const Device device;
  const std::uint64_t start = lab::take(device, subblock).start;
  mark(device, start, subblock);
  auto target = lab::sized<memplug_target>();
  target.target = device.info().out_managed_size;
  expect(device.call(MEMPLUG_IOC_TARGET, &target) == 0, "TARGET");
  wait_until("the target is out of reach",
             [&] { return device.info().out_target_state == MEMPLUG_TARGET_BLOCKED; });
  expect(is_out(device, start, subblock), "a target has it plugged");
  target.target = MEMPLUG_NO_TARGET;
  expect(device.call(MEMPLUG_IOC_TARGET, &target) == 0, "TARGET");
  end(device, start, subblock);
  plug_what_is_ordinary(device);
}

// A block goes and comes back, or does not go. Whether what is bad was out already when the write
// had returned that brought it back: the kernel may have been faster, but not each time.
bool goes_and_comes_back_out(const Device& device, const lab::MemoryBlock& block) {
  using namespace std::chrono_literals;
  const std::uint64_t block_size = device.info().out_memory_block_size;
  const std::uint64_t length = std::min(2 * subblock, block_size);
  const std::uint64_t before = (block_size - length) / 2 / subblock * subblock;
  const std::uint64_t start = block.number() * block_size + before;
  bool at_once = false;
  mark(device, start, length);
  if (block.take_offline(3s)) {
    const std::vector<memplug_range> away = list_quarantined(device);
    expect(away.size() == 1 && away[0].start == start && away[0].length == length &&
               away[0].flags == (MEMPLUG_RANGE_QUARANTINED | MEMPLUG_RANGE_WANTED) &&
               away[0].node == -1,
           "it is not remembered while its block is away");
    expect(block.bring_online(30s) == 0, "the block comes back");
    at_once = is_out(device, start, length);
    wait_until("it is out again", [&] { return is_out(device, start, length); });
  }
  end(device, start, length);
  plug_what_is_ordinary(device);
  return at_once;
}

void it_may_go_offline_and_comes_back_out() {
  const Device device;
  const auto blocks = lab::normal_memory_blocks();
  ::signal(SIGALRM, [](int) {});
  expect(std::any_of(blocks.rbegin(), blocks.rend(),
                     [&](const auto& block) { return goes_and_comes_back_out(device, block); }),
         "no block went offline and had what is bad out when it came back");
}

void nothing_is_marked_that_is_not_there() {
  const Device device;
  auto quarantine = lab::sized<memplug_quarantine>();
  quarantine.start = lab::take(device, subblock).start;
  quarantine.length = std::uint64_t{1} << 40;
  expect(device.call(MEMPLUG_IOC_QUARANTINE, &quarantine) == ENXIO, "more than there is");
  expect(quarantine.out_changed == 0 && quarantine.out_bad_start > quarantine.start &&
             quarantine.out_bad_why == MEMPLUG_BAD_ABSENT,
         "what is not there");
  expect(list_quarantined(device).empty(), "a part was marked");
  plug_what_is_ordinary(device);
}

}  // namespace

int main() {
  plug_what_is_ordinary(Device());
  what_is_unplugged_stays_so();
  what_is_plugged_is_taken();
  a_descriptor_loses_what_is_marked();
  a_target_leaves_it();
  it_may_go_offline_and_comes_back_out();
  nothing_is_marked_that_is_not_there();
  std::puts("quarantine: every promise was kept");
  return 0;
}
