// SPDX-License-Identifier: MIT
// Sums over a survey.
#include "look/survey.hpp"

namespace memplug {
namespace {

// A claim drains what is in flux; what may be pinned it can't count on.
bool can_be_in_a_run(const Stretch& stretch) {
  return stretch.state == SubblockState::Plugged &&
         (!stretch.obstacle ||
          (!stretch.obstacle->certain && stretch.obstacle->reason == Reason::Busy));
}

class LargestRuns {
 public:
  explicit LargestRuns(Bytes align) : align_(align) {}

  void add(const Stretch& stretch) {
    if (!can_be_in_a_run(stretch)) {
      end_run();
      return;
    }
    const int node = stretch.node.value_or(0);
    if (!run_ || run_->node != node || low_ != stretch.low ||
        run_->range.start + run_->range.size != stretch.range.start) {
      end_run();
      run_ = Run{node, {stretch.range.start, Bytes{0}}};
      low_ = stretch.low;
    }
    run_->range.size += stretch.range.size;
  }

  [[nodiscard]] std::vector<Run> take() {
    end_run();
    std::vector<Run> runs;
    for (const auto& [node, run] : largest_) {
      runs.push_back(run);
    }
    return runs;
  }

 private:
  void end_run() {
    if (!run_) {
      return;
    }
    const Bytes beyond = run_->range.start % align_;
    const Bytes skip = beyond == Bytes{} ? Bytes{} : align_ - beyond;
    if (skip < run_->range.size) {
      run_->range.start += skip;
      run_->range.size -= skip;
      Run& largest = largest_.try_emplace(run_->node, *run_).first->second;
      if (run_->range.size > largest.range.size) {
        largest = *run_;
      }
    }
    run_.reset();
  }

  Bytes align_;
  std::optional<Run> run_;
  bool low_ = false;  // run_ is; no claim crosses a border of zones
  std::map<int, Run> largest_;
};

void add_plugged(const Stretch& stretch, Bytes page, SurveySums& sums) {
  const Bytes size = stretch.range.size;
  sums.plugged += size;
  const Outlook outlook = outlook_of(stretch);
  switch (outlook) {
    case Outlook::Free:
      sums.free += size;
      break;
    case Outlook::Movable:
      sums.movable += size;
      break;
    case Outlook::Maybe:
      sums.maybe += size;
      break;
    case Outlook::Blocked:
      sums.blocked += size;
      break;
  }
  if (outlook != Outlook::Blocked) {
    sums.to_move += stretch.movable_pages * page;
  }
  if (stretch.obstacle) {
    sums.by_reason[stretch.obstacle->reason] += size;
  }
}

}  // namespace

Outlook outlook_of(const Stretch& stretch) {
  if (stretch.obstacle) {
    return stretch.obstacle->certain ? Outlook::Blocked : Outlook::Maybe;
  }
  return stretch.movable_pages == 0 ? Outlook::Free : Outlook::Movable;
}

SurveySums add_up(const std::vector<Stretch>& stretches, Bytes page, Bytes align) {
  SurveySums sums;
  LargestRuns largest(align);
  for (const Stretch& stretch : stretches) {
    largest.add(stretch);
    switch (stretch.state) {
      case SubblockState::Plugged:
        add_plugged(stretch, page, sums);
        break;
      case SubblockState::Unplugged:
        sums.unplugged += stretch.range.size;
        break;
      case SubblockState::Busy:
        sums.busy += stretch.range.size;
        break;
      case SubblockState::Unmanaged:
        if (stretch.why != BadWhy::Absent) {
          sums.unmanaged[stretch.why] += stretch.range.size;
        }
        break;
    }
  }
  sums.largest = largest.take();
  return sums;
}

std::string_view outlook_name(Outlook outlook) {
  switch (outlook) {
    case Outlook::Free:
      return "free";
    case Outlook::Movable:
      return "movable";
    case Outlook::Maybe:
      return "maybe";
    case Outlook::Blocked:
      return "blocked";
  }
  return "blocked";
}

}  // namespace memplug
