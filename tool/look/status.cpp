// SPDX-License-Identifier: MIT
// Reads a status.
#include "look/status.hpp"

#include <sys/utsname.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "memplug/failure.hpp"

namespace memplug {
namespace {

constexpr int max_tries = 100;
constexpr std::chrono::milliseconds between_tries{1};

std::string kernel_release() {
  utsname name{};
  // It can't fail with a good address.
  ::uname(&name);
  return std::begin(name.release);
}

}  // namespace

// Sizes, nodes and ranges come from three calls; the generation tells whether they belong together.
Status read_status(Device& device) {
  for (int tries = 0; tries < max_tries; ++tries) {
    if (tries > 0) {
      std::this_thread::sleep_for(between_tries);
    }
    Status status;
    status.info = device.info();
    NodeList nodes = device.nodes();
    RangeList list = device.list();
    if (nodes.generation != status.info.generation || list.generation != status.info.generation) {
      continue;
    }
    status.nodes = std::move(nodes.nodes);
    status.ranges = std::move(list.ranges);
    status.counters = device.counters();
    status.tool_version = MEMPLUG_VERSION;
    status.kernel = kernel_release();
    return status;
  }
  throw Failure(EAGAIN, "memory changes faster than its status can be read",
                "try again when less is going on");
}

}  // namespace memplug
