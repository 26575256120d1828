// SPDX-License-Identifier: MIT
// Runs a command with a descriptor of ours, and passes on to it what signals we get meanwhile.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace memplug {

struct ChildProcess {
  std::vector<std::string> command;                              // looked up in PATH
  std::vector<std::pair<std::string, std::string>> environment;  // added to ours
  int descriptor = -1;                                           // open in it, under this number
};

// Waits for its end. Its exit status, or 128+n if signal n ended it. SIGTERM and SIGHUP are passed
// on to it, and SIGINT and SIGQUIT if they are not from the terminal, which tells it by itself.
// Throws std::system_error if it could not be run.
[[nodiscard]] int run_child(const ChildProcess& child);

}  // namespace memplug
