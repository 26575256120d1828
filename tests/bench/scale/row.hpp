// SPDX-License-Identifier: MIT
// What all rows of the table have: machines of five sizes.
#pragma once

#include <benchmark/benchmark.h>

#include "judge.hpp"

template <typename Function, typename... Arguments>
void add_row(const char* name, Function function, Arguments... arguments) {
  benchmark::RegisterBenchmark(name, function, arguments...)
      ->ArgName(Judge::size_argument)
      ->Arg(64)
      ->Arg(256)
      ->Arg(1024)
      ->Arg(4096)
      ->Arg(16384)
      ->Complexity()
      ->Unit(benchmark::kMillisecond);
}
