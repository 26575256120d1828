// SPDX-License-Identifier: MIT
// One record a subblock, whatever happens to it: simple, and small beside what is tested.
#include "ramtest/memory_book.hpp"

#include <algorithm>

#include "quarantine/bad_memory.hpp"
#include "words/names.hpp"

namespace memplug {
namespace {

bool touches(Range before, PhysAddr next) { return last_byte(before).value + 1 == next.value; }

}  // namespace

MemoryBook::MemoryBook(const std::vector<Stretch>& survey, Bytes subblock) : subblock_(subblock) {
  for (const Stretch& stretch : survey) {
    if (stretch.state == SubblockState::Unmanaged) {
      continue;
    }
    const bool unplugged = stretch.state == SubblockState::Unplugged;
    for (std::uint64_t at = 0; at < stretch.range.size.value; at += subblock.value) {
      subblocks_.push_back({PhysAddr{stretch.range.start.value + at}, stretch.node.value_or(0),
                            unplugged ? Fate::Unplugged : Fate::Waiting, stretch.quarantined, false,
                            std::nullopt});
    }
  }
}

// Those that lie in the range as a whole.
template <typename Do>
void MemoryBook::for_each(Range range, Do action) {
  const PhysAddr last = last_byte(range);
  auto subblock = std::ranges::lower_bound(subblocks_, range.start, {}, &Subblock::start);
  for (; subblock != subblocks_.end() && last_byte({subblock->start, subblock_}) <= last;
       ++subblock) {
    action(*subblock);
  }
}

// The size of a subblock may be another one than it was: what is good shrinks to whole ones, what
// is bad grows.
void MemoryBook::recall(const KnownMemory& known) {
  for (const Range& range : known.good) {
    for_each(range, [](Subblock& subblock) { subblock.fate = Fate::Good; });
  }
  for (const BadPages& bad : known.bad) {
    for_each(round_outward(bad.range, subblock_), [&bad](Subblock& subblock) {
      subblock.fate = Fate::Bad;
      subblock.whole = bad.pages.empty();
    });
    bad_pages_.insert(bad.pages.begin(), bad.pages.end());
  }
}

KnownMemory MemoryBook::known() const {
  KnownMemory known;
  for (const Subblock& subblock : subblocks_) {
    if (subblock.fate != Fate::Good) {
      continue;
    }
    if (!known.good.empty() && touches(known.good.back(), subblock.start)) {
      known.good.back().size += subblock_;
    } else {
      known.good.push_back({subblock.start, subblock_});
    }
  }
  for (const BadStretch& stretch : bad_stretches()) {
    known.bad.push_back({stretch.range, stretch.pages});
  }
  return known;
}

std::vector<Range> MemoryBook::chunks(Bytes size) const {
  std::vector<Range> chunks;
  for (const Subblock& subblock : subblocks_) {
    if (subblock.fate != Fate::Waiting) {
      continue;
    }
    if (!chunks.empty() && touches(chunks.back(), subblock.start) &&
        subblock.start % size != Bytes{}) {
      chunks.back().size += subblock_;
    } else {
      chunks.push_back({subblock.start, subblock_});
    }
  }
  return chunks;
}

void MemoryBook::set_good(Range range) {
  for_each(range, [](Subblock& subblock) {
    if (subblock.fate != Fate::Unplugged && subblock.fate != Fate::Bad) {
      subblock.fate = Fate::Good;
    }
  });
}

void MemoryBook::set_untested(Range range, Hindrance why) {
  for_each(range, [why](Subblock& subblock) {
    if (subblock.fate == Fate::Waiting || subblock.fate == Fate::Untested) {
      subblock.fate = Fate::Untested;
      subblock.hindrance = why;
    }
  });
}

void MemoryBook::set_bad(Range range, const std::set<PhysAddr>& pages) {
  for_each(range, [&pages](Subblock& subblock) {
    if (subblock.fate != Fate::Unplugged) {
      subblock.fate = Fate::Bad;
      subblock.whole = pages.empty();
    }
  });
  bad_pages_.insert(pages.lower_bound(range.start), pages.upper_bound(last_byte(range)));
}

void MemoryBook::set_kept(Range range) {
  for_each(range, [](Subblock& subblock) { subblock.quarantined = true; });
}

void MemoryBook::look_again(const std::vector<Stretch>& survey) {
  for (const Stretch& stretch : survey) {
    for_each(stretch.range,
             [this, &stretch](Subblock& subblock) { look_again_at(subblock, stretch); });
  }
}

void MemoryBook::look_again_at(Subblock& subblock, const Stretch& stretch) {
  if (subblock.fate != Fate::Untested) {
    return;
  }
  switch (stretch.state) {
    case SubblockState::Plugged:
    case SubblockState::Busy:
      subblock.fate = Fate::Waiting;
      break;
    case SubblockState::Unplugged:
      subblock.hindrance = Hindrance{Hindrance::Kind::Unplugged, Reason::Unknown};
      break;
    case SubblockState::Unmanaged:
      subblock.hindrance = Hindrance{Hindrance::Kind::Blocked, Reason::Offline};
      break;
  }
}

Bytes MemoryBook::size_of(std::size_t count) const { return count * subblock_; }

Bytes MemoryBook::size_with(std::initializer_list<Fate> fates) const {
  return size_of(
      static_cast<std::size_t>(std::ranges::count_if(subblocks_, [fates](const Subblock& subblock) {
        return std::ranges::find(fates, subblock.fate) != fates.end();
      })));
}

Bytes MemoryBook::requested() const {
  return size_with({Fate::Waiting, Fate::Untested, Fate::Good, Fate::Bad});
}

Bytes MemoryBook::tested() const { return size_with({Fate::Good, Fate::Bad}); }

Bytes MemoryBook::bad() const { return size_with({Fate::Bad}); }

std::vector<BadStretch> MemoryBook::bad_stretches() const {
  std::vector<BadStretch> stretches;
  for (const Subblock& subblock : subblocks_) {
    if (subblock.fate != Fate::Bad) {
      continue;
    }
    if (stretches.empty() || !touches(stretches.back().range, subblock.start) ||
        stretches.back().node != subblock.node || stretches.back().kept != subblock.quarantined ||
        stretches.back().pages.empty() != subblock.whole) {
      stretches.push_back({{subblock.start, Bytes{0}}, subblock.node, {}, subblock.quarantined});
    }
    BadStretch& stretch = stretches.back();
    stretch.range.size += subblock_;
    if (!subblock.whole) {
      stretch.pages.insert(stretch.pages.end(), bad_pages_.lower_bound(subblock.start),
                           bad_pages_.upper_bound(last_byte({subblock.start, subblock_})));
    }
  }
  return stretches;
}

std::vector<UntestedStretch> MemoryBook::hindered(std::initializer_list<Fate> fates,
                                                  const Hindrance& untried) const {
  std::vector<UntestedStretch> stretches;
  for (const Subblock& subblock : subblocks_) {
    if (std::ranges::find(fates, subblock.fate) == fates.end()) {
      continue;
    }
    Hindrance why = subblock.hindrance.value_or(untried);
    if (subblock.fate == Fate::Unplugged) {
      why = subblock.quarantined ? Hindrance{Hindrance::Kind::Blocked, Reason::Quarantined}
                                 : Hindrance{Hindrance::Kind::Unplugged, Reason::Unknown};
    }
    if (!stretches.empty() && touches(stretches.back().range, subblock.start) &&
        stretches.back().why == why) {
      stretches.back().range.size += subblock_;
    } else {
      stretches.push_back({{subblock.start, subblock_}, why});
    }
  }
  return stretches;
}

std::vector<UntestedStretch> MemoryBook::untested(const Hindrance& untried) const {
  return hindered({Fate::Waiting, Fate::Untested}, untried);
}

std::vector<UntestedStretch> MemoryBook::unplugged() const {
  return hindered({Fate::Unplugged}, {});
}

std::string_view hindrance_name(const Hindrance& hindrance) {
  switch (hindrance.kind) {
    case Hindrance::Kind::Blocked:
      return reason_name(hindrance.reason);
    case Hindrance::Kind::Unplugged:
      return "unplugged";
    case Hindrance::Kind::NoVerdict:
      return "memtester";
    case Hindrance::Kind::Interrupted:
      return "interrupted";
    case Hindrance::Kind::Failed:
      return "failed";
  }
  return "unknown";
}

}  // namespace memplug
