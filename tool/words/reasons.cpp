// SPDX-License-Identifier: MIT
#include "words/reasons.hpp"

namespace memplug {

Words tool_words_for(Reason reason) {
  switch (reason) {
    case Reason::Held:
      return {"tied to a descriptor; 'memplugctl list' names the holder", "end the holder first"};
    case Reason::Quarantined:
      return {"kept out as bad", "'memplugctl quarantine remove RANGE' ends that"};
    default:
      return words_for(reason);
  }
}

}  // namespace memplug
