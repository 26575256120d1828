// SPDX-License-Identifier: MIT
// What a command is started with, as values: posix_spawnp() without its pointers.
#pragma once

#include <spawn.h>
#include <sys/types.h>

#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace memplug {

// Without a value: there is to be none of that name.
using Variables = std::vector<std::pair<std::string, std::optional<std::string>>>;

// Errors are std::system_error.
class SpawnSetup {
 public:
  SpawnSetup();
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  ~SpawnSetup();

  // The signals that are blocked in it; without this, those that are blocked here.
  void set_mask(const sigset_t& mask);
  // A descriptor of ours is open in it, under this number.
  void pass(int descriptor, int number);
  void pass_null(int number);
  // It, and whom it starts, can be signalled together.
  void set_own_group();

  // The command is looked up in PATH. The variables are added to our environment, or replace what
  // is there. The signals that we have ignored since prepare_standard_streams() are not ignored in
  // it.
  [[nodiscard]] pid_t spawn(std::vector<std::string> command, const Variables& added) const;

 private:
  void set_flag(short flag);

  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
  short flags_ = 0;
};

}  // namespace memplug
