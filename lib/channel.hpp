// SPDX-License-Identifier: MIT
// The ABI itself as an interface, below Device; tests have one of their own.
#pragma once

#include <chrono>
#include <vector>

#include "memplug.h"

namespace memplug {

// One open descriptor. Each call returns 0 or an errno. progress() may be called by another thread
// while unplug() or plug() runs. wait() sleeps until the generation is another than info() or
// list() told last, or, after the first read(), until there are events: 0, or ETIMEDOUT, or EINTR.
// read() replaces events by those that there are, without waiting; EAGAIN: none.
class Channel {
 public:
  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  virtual ~Channel() = default;

  virtual int info(memplug_info& info) = 0;
  virtual int nodes(memplug_nodes& nodes) = 0;
  virtual int list(memplug_list& list) = 0;
  virtual int counters(memplug_counters& counters) = 0;
  virtual int progress(memplug_progress& progress) = 0;
  virtual int unplug(memplug_request& request) = 0;
  virtual int plug(memplug_request& request) = 0;
  virtual int target(memplug_target& target) = 0;
  virtual int survey(memplug_survey& survey) = 0;
  virtual int quarantine(memplug_quarantine& quarantine) = 0;
  virtual int wait(std::chrono::milliseconds timeout) = 0;
  virtual int read(std::vector<memplug_event>& events) = 0;
  // For handing it on to another process.
  [[nodiscard]] virtual int descriptor() const = 0;
};

}  // namespace memplug
