// SPDX-License-Identifier: MIT
// Runs a command with descriptors of ours, and passes on to it what signals we get meanwhile.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "process/spawn.hpp"

namespace memplug {

struct ChildProcess {
  std::vector<std::string> command;  // looked up in PATH
  Variables environment;             // added to ours
  std::vector<int> descriptors;      // open in it, under these numbers
  // Asked once, when no signal can be missed any more: whether it is not to be started after all.
  std::function<bool()> called_off = [] { return false; };
};

// Waits for its end. Its exit status, or 128+n if signal n ended it; nothing: it was called off.
// SIGTERM and SIGHUP are passed on to it, and SIGINT and SIGQUIT if they are not from the terminal,
// which tells it by itself; what we ignore is not. Throws std::system_error if it could not be run.
[[nodiscard]] std::optional<int> run_child(const ChildProcess& child);

}  // namespace memplug
