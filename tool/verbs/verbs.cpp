// SPDX-License-Identifier: MIT
#include "verbs/verbs.hpp"

#include "verbs/doctor.hpp"
#include "verbs/explain.hpp"
#include "verbs/hold.hpp"
#include "verbs/list.hpp"
#include "verbs/map.hpp"
#include "verbs/metrics.hpp"
#include "verbs/plug.hpp"
#include "verbs/quarantine.hpp"
#include "verbs/scan.hpp"
#include "verbs/status.hpp"
#include "verbs/target.hpp"
#include "verbs/test.hpp"
#include "verbs/unplug.hpp"
#include "verbs/version.hpp"
#include "verbs/watch.hpp"

namespace memplug {

std::vector<Verb> all_verbs() {
  return {
      status_verb(), list_verb(),       unplug_verb(),  plug_verb(),   hold_verb(),
      test_verb(),   quarantine_verb(), target_verb(),  scan_verb(),   explain_verb(),
      map_verb(),    watch_verb(),      metrics_verb(), doctor_verb(), version_verb(),
  };
}

}  // namespace memplug
