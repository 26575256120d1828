// SPDX-License-Identifier: MIT
// What a request has taken is its own until it has answered: nobody else plugs it, maps it or takes
// it for unplugged, and a roll-back gives all of it back. And there is room for any number of
// requests at a time.
//
//   rollback MEBIBYTES      so much that it takes a while; nothing else may be unplugged
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <string>

#include "holding.hpp"

namespace {

using lab::Device;
using lab::die;
using lab::expect;
using lab::Outcome;
using std::chrono::milliseconds;

void ignore_but_return(int /*signal*/) {}

template <typename Body>
pid_t start(Body body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) {
    die("fork: %s", std::strerror(errno));
  }
  if (child == 0) {
    body();
    std::_Exit(0);
  }
  return child;
}

void expect_end(pid_t child) {
  int status = 0;
  expect(::waitpid(child, &status, 0) == child, "waitpid");
  expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a child has failed");
}

// All or nothing, until a signal ends it.
void unplug_in_vain(const Device& device, std::uint64_t length) {
  struct sigaction action {};
  action.sa_handler = ignore_but_return;
  ::sigaction(SIGINT, &action, nullptr);
  memplug_request request{};
  request.flags = MEMPLUG_REQ_EXACT;
  request.length = length;
  const Outcome outcome = lab::carry_out(device, MEMPLUG_IOC_UNPLUG, request);
  expect(outcome.error == 0, "the request that is interrupted");
  expect(outcome.request.out_stop == MEMPLUG_STOP_INTERRUPTED, "it was not interrupted");
  expect(outcome.request.out_done == 0, "all or nothing was interrupted, and has kept something");
}

bool is_all_busy(const Outcome& outcome, std::uint64_t start, std::uint64_t length) {
  return outcome.error == 0 && outcome.request.out_done == 0 && outcome.request.out_already == 0 &&
         outcome.blocked.size() == 1 && outcome.blocked[0].reason == MEMPLUG_REASON_BUSY &&
         outcome.blocked[0].start == start && outcome.blocked[0].length == length;
}

// Nobody else gets at a subblock that a running request has taken.
void expect_out_of_reach(const Device& other, std::uint64_t start, std::uint64_t subblock) {
  const Outcome plugged = lab::plug(other, start, subblock);
  expect(is_all_busy(plugged, start, subblock), "PLUG of what another request has taken");
  const Outcome rest = lab::plug_all(other);
  expect(rest.error == 0 && rest.request.out_done == 0, "PLUG of everything");
  expect(rest.request.out_left == 0, "it is told of as if it would stay");
  memplug_request request{};
  request.flags = MEMPLUG_REQ_RANGE;
  request.start = start;
  request.length = subblock;
  expect(is_all_busy(lab::carry_out(other, MEMPLUG_IOC_UNPLUG, request), start, subblock),
         "UNPLUG of what another request has taken");
  errno = 0;
  expect(lab::try_map(other.fd(), start, 4096) == nullptr && errno == EBUSY,
         "mmap() of what another request has taken");
}

void roll_back(std::uint64_t length) {
  // The descriptor is both processes': so the request can be watched.
  const Device device;
  const Device other;
  const std::uint64_t subblock = other.info().out_subblock_size;
  const pid_t child = start([&] { unplug_in_vain(device, length); });
  std::vector<memplug_range> taken;
  while (taken.empty()) {
    expect(::waitpid(child, nullptr, WNOHANG) == 0,
           "the request was over before anything was seen");
    taken = other.list();
    std::this_thread::sleep_for(milliseconds(1));
  }
  expect(taken[0].flags == 0, "what a request takes is listed as ordinary");
  expect_out_of_reach(other, taken[0].start, subblock);
  const std::uint64_t done = device.progress().out_done;
  expect(device.progress().out_operation == MEMPLUG_OP_UNPLUG,
         "the request was over too soon: nothing was tested");
  ::kill(child, SIGINT);
  expect_end(child);
  expect(other.list().empty(), "a roll-back has left something");
  std::printf("rollback: interrupted with %llu MiB taken, after what it had was out of reach\n",
              static_cast<unsigned long long>(done >> 20));
}

// More than have a number of their own: the others wait, and all get what they ask for.
void crowd() {
  constexpr std::size_t requests = 100;
  const Device device;
  const std::uint64_t subblock = device.info().out_subblock_size;
  std::array<int, 2> gate{};
  expect(::pipe(gate.data()) == 0, "pipe");
  std::array<pid_t, requests> children{};
  for (pid_t& child : children) {
    child = start([&] {
      const Device own;
      ::close(gate[1]);
      char nothing = 0;
      expect(::read(gate[0], &nothing, 1) == 0, "the gate");
      memplug_request request{};
      request.length = subblock;
      const Outcome outcome = lab::carry_out(own, MEMPLUG_IOC_UNPLUG, request);
      expect(outcome.error == 0 && outcome.request.out_done == subblock, "one of many requests");
    });
  }
  ::close(gate[1]);
  for (const pid_t child : children) {
    expect_end(child);
  }
  ::close(gate[0]);
  expect(device.info().out_unplugged_size == requests * subblock, "the sum of many requests");
  const Outcome plugged = lab::plug_all(device);
  expect(plugged.error == 0 && plugged.request.out_done == requests * subblock,
         "what many requests took is anybody's to plug");
  std::printf("rollback: %zu requests at a time\n", requests);
}

}  // namespace

int main(int argc, char** argv) {
  const auto mebibytes = argc == 2 ? std::strtoull(argv[1], nullptr, 10) : 0;
  if (mebibytes == 0) {
    std::fputs("usage: rollback MEBIBYTES\n", stderr);
    return 2;
  }
  expect(Device().list().empty(), "something is unplugged");
  for (int round = 0; round < 3; ++round) {
    roll_back(mebibytes << 20);
  }
  crowd();
  return 0;
}
