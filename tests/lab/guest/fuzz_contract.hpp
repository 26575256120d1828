// SPDX-License-Identifier: MIT
// Which errno each command may end with, as kmod/uapi/memplug.h documents it, and which of them
// tell that the call came through the checks of its syntax.
#pragma once

#include <vector>

#include "fuzz_board.hpp"

namespace fuzz {

struct Documented {
  Operation operation;
  int error;
  // Comes only where the kernel lets faults be injected.
  bool wants_injection = false;
  // Takes more luck than a run has to have.
  bool rare = false;
};

// ENOMEM is left out where the call allocates nothing of its own.
inline const std::vector<Documented>& documented() {
  using enum Operation;
  static const std::vector<Documented> all = [] {
    std::vector<Documented> pairs;
    for (std::size_t i = 0; i < nr_commands; ++i) {
      for (const int error : {0, EFAULT, EINVAL, E2BIG, EOPNOTSUPP}) {
        pairs.push_back({static_cast<Operation>(i), error});
      }
    }
    for (const Operation changing : {unplug, plug, target, quarantine}) {
      pairs.push_back({changing, EBADF});
      pairs.push_back({changing, EPERM});
    }
    for (const Operation request : {unplug, plug}) {
      for (const int error : {EBUSY, EOVERFLOW, ENXIO}) {
        pairs.push_back({request, error});
      }
    }
    for (const Operation listing : {nodes, list}) {
      pairs.push_back({listing, EMSGSIZE});
    }
    for (const Operation allocating : {nodes, list, unplug, plug}) {
      pairs.push_back({allocating, ENOMEM, true});
    }
    pairs.push_back({target, ERANGE});
    pairs.push_back({survey, EPERM});
    pairs.push_back({survey, EOVERFLOW});
    pairs.push_back({survey, ENOMEM, true});
    // A signal while a memory block is going or coming.
    pairs.push_back({survey, EINTR, false, true});
    pairs.push_back({quarantine, EOVERFLOW});
    pairs.push_back({quarantine, ENXIO});
    pairs.push_back({unknown, ENOTTY});
    pairs.push_back({poll, 0});
    for (const int error : {0, EAGAIN, EFAULT}) {
      pairs.push_back({read, error});
    }
    // Two allocations have to fail in one call: lab.faults sees to that.
    pairs.push_back({read, ENOMEM, true, true});
    // What the device does not have, as the VFS tells it.
    for (const Operation transfer : {read, write}) {
      pairs.push_back({transfer, EINVAL});
      pairs.push_back({transfer, EBADF});
    }
    for (const int error : {0, EACCES, EPERM, EINVAL, ENXIO}) {
      pairs.push_back({mmap, error});
    }
    // A subblock that is on its way back, an offset near the end of the address space, and more
    // than an address space has room for.
    for (const int error : {EBUSY, EOVERFLOW, ENOMEM}) {
      pairs.push_back({mmap, error, false, true});
    }
    // 191 descriptors.
    pairs.push_back({unplug, EUSERS, false, true});
    return pairs;
  }();
  return all;
}

inline bool is_documented(Operation operation, int error) {
  return std::any_of(documented().begin(), documented().end(), [&](const Documented& pair) {
    return pair.operation == operation && pair.error == error;
  });
}

// Of a command; EFAULT and ENOMEM come before and after, and count as before.
inline bool came_through(int error) {
  return error == 0 || error == ENXIO || error == EBUSY || error == ERANGE || error == EMSGSIZE;
}

}  // namespace fuzz
