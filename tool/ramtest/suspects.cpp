// SPDX-License-Identifier: MIT
#include "ramtest/suspects.hpp"

#include <algorithm>

namespace memplug {

std::array<Range, 2> other_ranges(Range range) {
  const Bytes left_out = range.size / 8 / bad_memory_page * bad_memory_page;
  const Bytes size = range.size - left_out;
  return {Range{range.start, size}, Range{range.start + left_out, size}};
}

void Suspects::add(const std::vector<MemtesterFailure>& failures) {
  Run run{failures, {}};
  for (const MemtesterFailure& failure : failures) {
    run.suspected.insert(failure.page);
    if (failure.other) {
      run.suspected.insert(*failure.other);
    } else {
      certain_.insert(failure.page);
    }
  }
  runs_.push_back(std::move(run));
}

bool Suspects::are_told_apart() const {
  return std::ranges::all_of(runs_, [this](const Run& run) {
    return std::ranges::all_of(run.failures, [this, &run](const MemtesterFailure& failure) {
      return meaning(failure, run).size() == 1;
    });
  });
}

std::set<PhysAddr> Suspects::bad_pages() const {
  std::set<PhysAddr> bad;
  for (const Run& run : runs_) {
    for (const MemtesterFailure& failure : run.failures) {
      for (const PhysAddr page : meaning(failure, run)) {
        bad.insert(page);
      }
    }
  }
  return bad;
}

bool Suspects::is_confirmed(PhysAddr page, const Run& by_others_than) const {
  return certain_.contains(page) || std::ranges::any_of(runs_, [&](const Run& run) {
           return &run != &by_others_than && run.suspected.contains(page);
         });
}

std::vector<PhysAddr> Suspects::meaning(const MemtesterFailure& failure, const Run& run) const {
  if (!failure.other) {
    return {failure.page};
  }
  const bool one = is_confirmed(failure.page, run);
  const bool other = is_confirmed(*failure.other, run);
  if (one == other) {
    return {failure.page, *failure.other};
  }
  return {one ? failure.page : *failure.other};
}

}  // namespace memplug
