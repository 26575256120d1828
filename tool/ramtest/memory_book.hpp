// SPDX-License-Identifier: MIT
// What a memory test knows of each subblock: whether it is in question, what came of testing it,
// and if nothing did, why. Plans what to take next. Pure.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "memplug/device.hpp"
#include "memplug/quantity.hpp"

namespace memplug {

// Why memory is not tested.
struct Hindrance {
  enum class Kind { Blocked, Unplugged, NoVerdict, Interrupted, Failed };
  Kind kind = Kind::Interrupted;
  Reason reason = Reason::Unknown;  // of Blocked
  bool operator==(const Hindrance&) const = default;
};
// "pinned", "unplugged"
[[nodiscard]] std::string_view hindrance_name(const Hindrance& hindrance);

struct UntestedStretch {
  Range range;
  Hindrance why;
};

struct BadStretch {
  Range range;
  int node = 0;
  std::vector<PhysAddr> pages;  // empty: which of them is not known
  bool kept = false;
};

struct BadPages {
  Range range;  // that was found bad for them
  std::vector<PhysAddr> pages;
};

// What tests have found.
struct KnownMemory {
  std::vector<Range> good;  // sorted and apart, as merge() makes them
  std::vector<BadPages> bad;
};

class MemoryBook {
 public:
  // Unplugged memory is not in question: somebody has it.
  MemoryBook(const std::vector<Stretch>& survey, Bytes subblock);

  // What is known already is in question, plugged or not, and not to be tested again.
  void recall(const KnownMemory& known);
  [[nodiscard]] KnownMemory known() const;

  // What is yet to be tried, by ascending address, cut at multiples of this size.
  [[nodiscard]] std::vector<Range> chunks(Bytes size) const;
  // Beside what is bad already. All of these leave alone what is not in question.
  void set_good(Range range);
  void set_untested(Range range, Hindrance why);
  void set_bad(Range range, const std::set<PhysAddr>& pages);
  void set_kept(Range range);
  // What could not be tested is to be tried again where this finds it plugged.
  void look_again(const std::vector<Stretch>& survey);

  [[nodiscard]] Bytes requested() const;
  // The bad included.
  [[nodiscard]] Bytes tested() const;
  [[nodiscard]] Bytes bad() const;
  [[nodiscard]] std::vector<BadStretch> bad_stretches() const;
  // Of what is in question; neighbours with the same hindrance are one. What was never tried has
  // this one.
  [[nodiscard]] std::vector<UntestedStretch> untested(const Hindrance& untried = {}) const;
  // What is not in question, likewise.
  [[nodiscard]] std::vector<UntestedStretch> unplugged() const;

 private:
  enum class Fate { Unplugged, Waiting, Untested, Good, Bad };

  struct Subblock {
    PhysAddr start;
    int node = 0;
    Fate fate = Fate::Waiting;
    bool quarantined = false;
    bool whole = false;  // bad, and no page of it is known to be
    // Also of one that waits, if it has been tried.
    std::optional<Hindrance> hindrance;
  };

  template <typename Do>
  void for_each(Range range, Do action);
  [[nodiscard]] Bytes size_of(std::size_t count) const;
  [[nodiscard]] Bytes size_with(std::initializer_list<Fate> fates) const;
  [[nodiscard]] std::vector<UntestedStretch> hindered(std::initializer_list<Fate> fates,
                                                      const Hindrance& untried) const;
  void look_again_at(Subblock& subblock, const Stretch& stretch);

  Bytes subblock_;
  std::vector<Subblock> subblocks_;  // by ascending address
  std::set<PhysAddr> bad_pages_;
};

}  // namespace memplug
