// SPDX-License-Identifier: MIT
// What region.h says of the books, in the plainest form: a record a subblock, and sums that are
// counted anew each time they are asked for.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "machine.hpp"

namespace memplug::fuzz {

struct ModelSubblock {
  int place = NO_PLACE;
  bool managed = false;
  bool unplugged = false;
  bool busy = false;
  bool wanted = false;
  bool leaving = false;
  bool quarantined = false;
  // The descriptor that it is tied to, or nobody.
  int owner = 0;
  // How many show it.
  int mappings = 0;

  [[nodiscard]] int node() const { return place_node(place); }
  [[nodiscard]] bool low() const { return managed && place_is_low(place); }
  [[nodiscard]] bool held() const { return owner != 0 || mappings != 0 || quarantined; }
  bool operator==(const ModelSubblock&) const = default;
};

class RegionModel {
 public:
  explicit RegionModel(unsigned long subblocks) : subblocks_(subblocks) {}

  [[nodiscard]] const ModelSubblock& at(unsigned long index) const { return subblocks_.at(index); }
  [[nodiscard]] unsigned long size() const { return subblocks_.size(); }
  [[nodiscard]] std::optional<unsigned long> target() const { return target_; }
  [[nodiscard]] std::uint32_t state() const { return state_; }
  // All that can be seen of it, to tell whether something changed.
  bool operator==(const RegionModel&) const = default;

  [[nodiscard]] unsigned long managed() const;
  [[nodiscard]] unsigned long unplugged() const;
  // Those of them that are below ZONE_NORMAL.
  [[nodiscard]] unsigned long low_managed() const;
  [[nodiscard]] unsigned long low_unplugged() const;
  [[nodiscard]] unsigned long wanted(bool here) const;
  // Plugged, and not to be unplugged again.
  [[nodiscard]] unsigned long lasting() const;
  // Wanted, here, and for no better reason than that it was unplugged.
  [[nodiscard]] unsigned long droppable() const;
  [[nodiscard]] unsigned long tied_to(int owner) const;
  // Those of them that nothing shows.
  [[nodiscard]] unsigned long free_of(int owner) const;

  void update(const Machine& machine, subblock_run run);
  // Returns false, with nothing changed, if something is tied or mapped.
  bool leave(subblock_run run);
  bool stay(unsigned long index, bool keep);
  void gone(subblock_run run);
  bool reserve(subblock_run run, region_direction direction);
  void commit(subblock_run run, region_direction direction, region_mover mover, int owner = 0);
  void abort(subblock_run run);
  bool set_target(std::optional<unsigned long> target);
  void set_state(std::uint32_t state);
  void drop_wanted(subblock_run run, int nid);
  void drop_wanted_here(unsigned long nr);
  // What memplug_region_map() returns.
  int map(subblock_run run);
  void unmap(subblock_run run);
  // Returns how many were not so.
  unsigned long quarantine(subblock_run run, bool quarantined);

 private:
  template <typename Is>
  [[nodiscard]] unsigned long count(Is is) const;
  [[nodiscard]] unsigned long end_of(subblock_run run) const;
  void drop_lowest(bool here, unsigned long nr);
  bool quarantine_one(ModelSubblock& one, bool quarantined);
  void move_target(unsigned long lasting_before);

  std::vector<ModelSubblock> subblocks_;
  std::optional<unsigned long> target_;
  std::uint32_t state_ = MEMPLUG_TARGET_NONE;
};

}  // namespace memplug::fuzz
