// SPDX-License-Identifier: MIT
// A verb of the command line, as main() sees it: it adds itself to the options and runs. A new one
// is a file here and a line in verbs.cpp.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "doctor/machine_facts.hpp"
#include "machine/page_facts.hpp"
#include "machine/surroundings.hpp"
#include "report/map_picture.hpp"
#include "request/open_device.hpp"
#include "terminal/output.hpp"

namespace CLI {
class App;
}

namespace memplug {

// What a verb may look at and write to.
struct Environment {
  OpenDevice open_device;
  std::string device_path;
  const Surroundings& surroundings;
  const PageFacts& page_facts;
  const Machine& machine;
  const Canvas& canvas;
  Output& output;
};

struct Verb {
  // Adds the verb's word and its options. Called once.
  std::function<CLI::App*(CLI::App&)> setup;
  // With the options as they were typed. Throws UsageError, Failure, and what the library throws.
  std::function<ExitStatus(const Environment&)> run;
  // A signal never ends it between two of its phases: what it has done by then is reported.
  bool changes_memory = false;
  // Who reads what it tells reads a line at a time, its error too.
  bool json_lines = false;
  // Of a failure of its own and of wrong usage, where 1 and 2 may be another program's.
  std::optional<ExitStatus> failure{};
  // Gets what stands behind "--", byte for byte; without it those are words of its own.
  std::function<void(std::vector<std::string>)> take_command{};
};

// Of verbs that change nothing.
inline constexpr const char* looking_footer =
    "The options of 'memplugctl --help' go with every verb.\n"
    "Exit status: 0 done, 1 failed, 2 usage.";

}  // namespace memplug
