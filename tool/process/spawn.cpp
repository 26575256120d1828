// SPDX-License-Identifier: MIT
// posix_spawnp().
#include "process/spawn.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <system_error>

namespace memplug {
namespace {

void check(int error_number, const std::string& what = "posix_spawn") {
  if (error_number != 0) {
    throw std::system_error(error_number, std::generic_category(), what);
  }
}

// As C wants them: ended by a null pointer.
std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    result.push_back(text.data());
  }
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> whole_environment(const Variables& added) {
  std::vector<std::string> all;
  all.reserve(added.size());
  for (const auto& [name, value] : added) {
    if (value) {
      all.push_back(std::string(name).append("=").append(*value));
    }
  }
  const auto is_added = [&added](std::string_view variable) {
    const std::string_view name = variable.substr(0, variable.find('='));
    return std::ranges::any_of(added, [name](const auto& pair) { return pair.first == name; });
  };
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!is_added(*variable)) {
      all.emplace_back(*variable);
    }
  }
  return all;
}

}  // namespace

SpawnSetup::SpawnSetup() {
  check(::posix_spawn_file_actions_init(&actions_));
  check(::posix_spawnattr_init(&attributes_));
  // These are ours to ignore, not the command's.
  sigset_t defaults{};
  ::sigemptyset(&defaults);
  ::sigaddset(&defaults, SIGPIPE);
  ::sigaddset(&defaults, SIGXFSZ);
  check(::posix_spawnattr_setsigdefault(&attributes_, &defaults));
  set_flag(POSIX_SPAWN_SETSIGDEF);
}

SpawnSetup::~SpawnSetup() {
  ::posix_spawn_file_actions_destroy(&actions_);
  ::posix_spawnattr_destroy(&attributes_);
}

void SpawnSetup::set_mask(const sigset_t& mask) {
  check(::posix_spawnattr_setsigmask(&attributes_, &mask));
  set_flag(POSIX_SPAWN_SETSIGMASK);
}

void SpawnSetup::pass(int descriptor, int number) {
  // On itself: it stays open.
  check(::posix_spawn_file_actions_adddup2(&actions_, descriptor, number));
}

void SpawnSetup::pass_null(int number) {
  check(::posix_spawn_file_actions_addopen(&actions_, number, "/dev/null", O_RDONLY, 0));
}

void SpawnSetup::set_own_group() {
  check(::posix_spawnattr_setpgroup(&attributes_, 0));
  set_flag(POSIX_SPAWN_SETPGROUP);
}

pid_t SpawnSetup::spawn(std::vector<std::string> command, const Variables& added) const {
  std::vector<std::string> environment = whole_environment(added);
  pid_t pid = 0;
  const auto words = pointers(command);
  const auto variables = pointers(environment);
  check(::posix_spawnp(&pid, words[0], &actions_, &attributes_, words.data(), variables.data()),
        command.front());
  return pid;
}

void SpawnSetup::set_flag(short flag) {
  flags_ = static_cast<short>(flags_ | flag);
  check(::posix_spawnattr_setflags(&attributes_, flags_));
}

}  // namespace memplug
