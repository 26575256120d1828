// SPDX-License-Identifier: MIT
// How long the module's planner and its books of memory take, and how much memory they need, on
// machines from 64 GiB to 16 TiB, and how long they hold the lock of the books. With --check the
// figures are held against what is promised.
#include <benchmark/benchmark.h>

#include <malloc.h>

#include <algorithm>
#include <climits>
#include <iostream>
#include <string_view>
#include <vector>

#include "big_request.hpp"
#include "holds.hpp"
#include "judge.hpp"
#include "row.hpp"

extern "C" {
#include <linux/nodemask.h>
}

namespace {

using benchmark::State;

constexpr unsigned long subblocks_of_gib = 256;

unsigned long gib(const State& state) { return static_cast<unsigned long>(state.range(0)); }

void report(State& state, std::size_t region, std::size_t request) {
  const auto bytes = [](std::size_t count) {
    return benchmark::Counter(static_cast<double>(count), benchmark::Counter::kDefaults,
                              benchmark::Counter::kIs1024);
  };
  state.SetComplexityN(static_cast<std::int64_t>(memplug_region_nr()));
  state.counters[Judge::region_bytes] = bytes(region);
  state.counters[Judge::request_bytes] = bytes(request);
}

// One request for a part of the machine, from its books to their end; of all of it that which
// can't be had is left. Plugging back is not timed.
void take(State& state, const Layout& layout, unsigned long part, unsigned long fail_every) {
  const BigMachine machine(gib(state), layout);
  const unsigned long wanted = machine.managed() / part;
  const std::size_t region = kernel_bytes();
  std::size_t request_bytes = 0;
  for ([[maybe_unused]] auto iteration : state) {
    BigRequest request(machine);
    request.fail_every(fail_every);
    const unsigned long taken = request.take(wanted);
    state.PauseTiming();
    if (part > 1 && taken != wanted) {
      state.SkipWithError("not all of it was taken");
    }
    request_bytes = kernel_bytes() - region;
    request.plug_back();
    state.ResumeTiming();
  }
  report(state, region, request_bytes);
}

// The smallest request there is.
void take_one(State& state) {
  const BigMachine machine(gib(state), busy);
  const std::size_t region = kernel_bytes();
  std::size_t request_bytes = 0;
  for ([[maybe_unused]] auto iteration : state) {
    BigRequest request(machine);
    if (request.take(1) != 1) {
      state.SkipWithError("not a single one was taken");
    }
    state.PauseTiming();
    request_bytes = kernel_bytes() - region;
    request.plug_back();
    state.ResumeTiming();
  }
  report(state, region, request_bytes);
}

// 1 GiB in one run, or the news that there is none.
void take_contiguous(State& state, const Layout& layout, bool possible) {
  const BigMachine machine(gib(state), layout);
  const std::size_t region = kernel_bytes();
  std::size_t request_bytes = 0;
  for ([[maybe_unused]] auto iteration : state) {
    BigRequest request(machine);
    if (request.take_contiguous(subblocks_of_gib, subblocks_of_gib) != possible) {
      state.SkipWithError(possible ? "no place was found" : "a place was found");
    }
    state.PauseTiming();
    request_bytes = kernel_bytes() - region;
    request.plug_back();
    state.ResumeTiming();
  }
  report(state, region, request_bytes);
}

// A quarter is plugged back, subblock by subblock.
void plug_quarter(State& state) {
  const BigMachine machine(gib(state), scattered);
  const std::size_t region = kernel_bytes();
  std::size_t request_bytes = 0;
  for ([[maybe_unused]] auto iteration : state) {
    state.PauseTiming();
    {
      BigRequest request(machine);
      request.take(machine.managed() / 4);
      request_bytes = kernel_bytes() - region;
      state.ResumeTiming();
      request.plug_back();
      state.PauseTiming();
    }
    state.ResumeTiming();
  }
  report(state, region, request_bytes);
}

// Nothing but the planner: all costs are known, and everything is handed out.
void plan_everything(State& state) {
  const BigMachine machine(gib(state), scattered);
  const std::size_t region = kernel_bytes();
  for ([[maybe_unused]] auto iteration : state) {
    state.PauseTiming();
    BigRequest request(machine);
    request.look_at_everything();
    state.ResumeTiming();
    benchmark::DoNotOptimize(request.plan_everything());
  }
  report(state, region, 0);
}

// What LIST does: once to count, once to copy.
void list(State& state, const Layout& layout) {
  const BigMachine machine(gib(state), layout);
  const std::size_t region = kernel_bytes();
  BigRequest request(machine);
  request.take(machine.managed());
  u64 generation = 0;
  std::vector<memplug_range> ranges(
      static_cast<std::size_t>(memplug_region_list(nullptr, 0, &generation)));
  for ([[maybe_unused]] auto iteration : state) {
    benchmark::DoNotOptimize(memplug_region_list(nullptr, 0, &generation));
    memplug_region_list(ranges.data(), static_cast<unsigned int>(ranges.size()), &generation);
    benchmark::ClobberMemory();
  }
  request.plug_back();
  report(state, region, 0);
  state.counters["ranges"] = static_cast<double>(ranges.size());
}

void snapshot(State& state, const Layout& layout) {
  const BigMachine machine(gib(state), layout);
  const std::size_t region = kernel_bytes();
  BigRequest request(machine);
  for ([[maybe_unused]] auto iteration : state) {
    request.snapshot();
    benchmark::ClobberMemory();
  }
  report(state, region, 0);
}

void add_all() {
  add_row("take_quarter/clustered", take, clustered, 4, 0);
  add_row("take_quarter/scattered", take, scattered, 4, 0);
  add_row("take_everything", take, scattered, 1, 0);
  add_row("take_everything/tenth_fails", take, scattered, 1, 10);
  add_row("take_one/nothing_free", take_one);
  add_row("take_contiguous", take_contiguous, clustered, true);
  add_row("take_contiguous/no_place", take_contiguous, scattered, false);
  add_row("plan_everything", plan_everything);
  add_row("plug_quarter", plug_quarter);
  add_row("list", list, scattered);
  add_row("list/interleaved", list, interleaved);
  add_row("snapshot", snapshot, scattered);
  add_row("snapshot/interleaved", snapshot, interleaved);
  add_holds();
}

// Removes --check from the arguments. Returns whether it was there.
bool take_check_out(int* argc, char** argv) {
  char** const end = argv + *argc;
  char** const kept = std::remove_if(
      argv + 1, end, [](std::string_view argument) { return argument == "--check"; });
  const bool found = kept != end;
  *kept = found ? nullptr : *kept;
  *argc = static_cast<int>(kept - argv);
  return found;
}

int run_and_check() {
  Judge judge;
  benchmark::RunSpecifiedBenchmarks(&judge);
  for (const std::string& finding : judge.findings()) {
    std::cerr << "scale: " << finding << '\n';
  }
  std::cout << (judge.findings().empty() ? "scale: as promised\n" : "scale: not as promised\n");
  return judge.findings().empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  // A list allocates as much as the books have. The C library would fetch that from the system and
  // give it back each time, from some size on: what time that takes is no figure of the module's.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  const bool check = take_check_out(&argc, argv);
  add_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  if (check) {
    return run_and_check();
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
