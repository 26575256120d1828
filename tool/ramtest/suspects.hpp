// SPDX-License-Identifier: MIT
// Tells bad pages from those that memtester suspects along with them, from runs over ranges that
// differ. A page alone can't be tried: it would be tested in the processor's caches. Pure.
#pragma once

#include <array>
#include <set>
#include <vector>

#include "ramtest/memtester_output.hpp"

namespace memplug {

// Two parts of a range, of seven eighths each: their halves have another size than those of the
// range, so that a bad page has another companion in them. Each page is in one of them at least.
[[nodiscard]] std::array<Range, 2> other_ranges(Range range);

class Suspects {
 public:
  // What a run over another range than those before has found.
  void add(const std::vector<MemtesterFailure>& failures);

  // Whether no failure leaves it open which of two pages is bad.
  [[nodiscard]] bool are_told_apart() const;
  // Of two suspects the one that another run suspects, too. Both if that does not tell them apart,
  // as with a fault that does not come again.
  [[nodiscard]] std::set<PhysAddr> bad_pages() const;

 private:
  struct Run {
    std::vector<MemtesterFailure> failures;
    std::set<PhysAddr> suspected;
  };

  [[nodiscard]] bool is_confirmed(PhysAddr page, const Run& by_others_than) const;
  // The pages that a failure can mean, in the light of the other runs.
  [[nodiscard]] std::vector<PhysAddr> meaning(const MemtesterFailure& failure,
                                              const Run& run) const;

  std::vector<Run> runs_;
  std::set<PhysAddr> certain_;
};

}  // namespace memplug
