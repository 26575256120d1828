// SPDX-License-Identifier: MIT
// Ends a large unplug early, by a signal or its own timeout, and measures how long that took. The
// answer, or for a killed caller the list, must tell the truth. Leaves what was taken unplugged.
//
//   interrupt int|kill|timeout MILLISECONDS MEBIBYTES [exact]
//
// The same with what does not end a request: its caller is stopped and goes on, by a signal, as a
// shell's job control does it, or by a debugger that attaches. All of it must be done.
//
//   interrupt stop|tstp|attach MILLISECONDS MEBIBYTES [exact]
//
// Ends with 3 if the request was done before that: nothing was tested.
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include "memplug_device.hpp"
#include "process.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using lab::Device;
using lab::die;
using std::chrono::milliseconds;

constexpr std::size_t max_ranges = 4096;

constexpr int done_too_soon = 3;

// What the child tells; lives in shared memory, so that it outlasts a kill.
struct Report {
  std::atomic<bool> started;
  std::atomic<bool> returned;
  int error;
  memplug_request request;
  std::array<memplug_range, max_ranges> ranges;
};

void ignore_but_return(int /*signal*/) {}

[[noreturn]] void unplug(Report& report) {
  struct sigaction action {};
  action.sa_handler = ignore_but_return;  // no SA_RESTART: the call has to come back
  ::sigaction(SIGINT, &action, nullptr);
  const Device device(O_RDWR);
  report.request.ranges = lab::user_pointer(report.ranges.data());
  report.request.ranges_capacity = max_ranges;
  report.started = true;
  report.error = device.call(MEMPLUG_IOC_UNPLUG, &report.request);
  report.returned = true;
  std::_Exit(0);
}

void check_figures(const Report& report, std::uint32_t wanted_stop, bool exact) {
  const memplug_request& request = report.request;
  if (!report.returned || report.error != 0) {
    die("the request did not return 0: %s", std::strerror(report.error));
  }
  if (request.out_stop != wanted_stop) {
    die("stop reason %u, wanted %u", request.out_stop, wanted_stop);
  }
  if (request.out_requested != request.length ||
      request.out_done + request.out_already >= request.out_requested) {
    die("it was stopped, and its figures tell no shortfall");
  }
  if (exact && request.out_done != 0) {
    die("all or nothing was stopped, and kept %llu bytes",
        static_cast<unsigned long long>(request.out_done));
  }
}

// Every range that was told is listed, and nothing that was not told.
void check_told(const Report& report, const std::vector<memplug_range>& before,
                const std::vector<memplug_range>& after) {
  const auto told_count = std::min<std::size_t>(report.request.out_ranges, max_ranges);
  const std::vector<memplug_range> told(report.ranges.begin(), report.ranges.begin() + told_count);
  if (lab::total_length(told) != report.request.out_done) {
    die("the ranges are %llu bytes, done are %llu",
        static_cast<unsigned long long>(lab::total_length(told)),
        static_cast<unsigned long long>(report.request.out_done));
  }
  if (lab::total_length(before) + report.request.out_done != lab::total_length(after)) {
    die("LIST grew by another size than was told");
  }
  for (const memplug_range& range : told) {
    const bool listed = std::any_of(after.begin(), after.end(), [&](const memplug_range& other) {
      return other.start <= range.start && other.start + other.length >= range.start + range.length;
    });
    if (!listed) {
      die("the range at %#llx was told and is not listed",
          static_cast<unsigned long long>(range.start));
    }
  }
}

// Nothing may go on after the caller is gone.
void check_quiet(const Device& device) {
  const memplug_info info = device.info();
  std::uint64_t generation = 0;
  const std::vector<memplug_range> ranges = device.list(&generation);
  std::this_thread::sleep_for(milliseconds(500));
  if (generation != info.out_generation || device.info().out_generation != generation) {
    die("something still changes after the caller has ended");
  }
  if (lab::total_length(ranges) != info.out_unplugged_size) {
    die("LIST and INFO disagree");
  }
}

bool is_a_pause(const std::string& how) {
  return how == "stop" || how == "tstp" || how == "attach";
}

// Stopped in the middle of its request, and goes on.
void pause(pid_t child, const std::string& how) {
  constexpr milliseconds rest{200};
  if (how == "attach") {
    if (::ptrace(PTRACE_ATTACH, child, nullptr, nullptr) != 0) {
      die("PTRACE_ATTACH: %s", std::strerror(errno));
    }
    int status = 0;
    if (::waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
      die("the debugger's child did not stop");
    }
    ::ptrace(PTRACE_DETACH, child, nullptr, nullptr);
    return;
  }
  ::kill(child, how == "stop" ? SIGSTOP : SIGTSTP);
  std::this_thread::sleep_for(rest);
  ::kill(child, SIGCONT);
}

int run(const std::string& how, milliseconds after, std::uint64_t length, bool exact) {
  const Device device(O_RDWR);
  const std::vector<memplug_range> before = device.list();
  auto& report = lab::new_shared<Report>();
  report.request.size = sizeof(report.request);
  report.request.length = length;
  report.request.flags = exact ? MEMPLUG_REQ_EXACT : 0;
  if (how == "timeout") {
    report.request.timeout_ns = static_cast<std::uint64_t>(after.count()) * 1000000;
  }
  const pid_t child = ::fork();
  if (child < 0) {
    die("fork: %s", std::strerror(errno));
  }
  if (child == 0) {
    unplug(report);
  }
  while (!report.started) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  std::this_thread::sleep_for(after);
  const bool was_under_way = !report.returned;
  const auto told_to_stop = Clock::now();
  if (is_a_pause(how)) {
    pause(child, how);
  } else if (how != "timeout") {
    ::kill(child, how == "int" ? SIGINT : SIGKILL);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child) {
    die("waitpid: %s", std::strerror(errno));
  }
  const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - told_to_stop);

  if (is_a_pause(how) && was_under_way) {
    if (!report.returned || report.error != 0 || report.request.out_stop != MEMPLUG_STOP_NONE ||
        report.request.out_done != length) {
      die("stopped, it went on with stop reason %u and %llu bytes done", report.request.out_stop,
          static_cast<unsigned long long>(report.request.out_done));
    }
    check_told(report, before, device.list());
    std::printf("interrupt: %s%s after %lld ms: all of it was done\n", how.c_str(),
                exact ? " (exact)" : "", static_cast<long long>(after.count()));
    return 0;
  }
  if (report.returned && report.error == 0 && report.request.out_stop == MEMPLUG_STOP_NONE) {
    std::printf("interrupt: %s after %lld ms: it was done before that\n", how.c_str(),
                static_cast<long long>(after.count()));
    return done_too_soon;
  }
  if (how == "kill") {
    if (!WIFSIGNALED(status) || report.returned) {
      die("killed, and it returned all the same, with error %d and stop reason %u", report.error,
          report.request.out_stop);
    }
  } else {
    check_figures(report, how == "int" ? MEMPLUG_STOP_INTERRUPTED : MEMPLUG_STOP_TIMEOUT, exact);
    check_told(report, before, device.list());
  }
  check_quiet(device);
  const std::uint64_t gained = device.info().out_unplugged_size - lab::total_length(before);
  if (exact && gained != 0) {
    die("all or nothing was stopped, and %llu bytes are unplugged",
        static_cast<unsigned long long>(gained));
  }
  std::printf("interrupt: %s%s after %lld ms: stopped %lld ms later, %llu of %llu MiB unplugged\n",
              how.c_str(), exact ? " (exact)" : "", static_cast<long long>(after.count()),
              static_cast<long long>(took.count()), static_cast<unsigned long long>(gained >> 20),
              static_cast<unsigned long long>(length >> 20));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string how = argc >= 4 ? argv[1] : "";
  const bool exact = argc == 5 && std::string(argv[4]) == "exact";
  const auto after = argc >= 4 ? std::strtoull(argv[2], nullptr, 10) : 0;
  const auto mebibytes = argc >= 4 ? std::strtoull(argv[3], nullptr, 10) : 0;
  const bool known = how == "int" || how == "kill" || how == "timeout" || is_a_pause(how);
  if (!known || after == 0 || mebibytes == 0 || argc > 5 || (argc == 5 && !exact)) {
    std::fputs(
        "usage: interrupt int|kill|timeout|stop|tstp|attach MILLISECONDS MEBIBYTES [exact]\n",
        stderr);
    return 2;
  }
  return run(how, milliseconds(after), mebibytes << 20, exact);
}
