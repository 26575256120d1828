// SPDX-License-Identifier: MIT
// What the kernel keeps in slab for speed alone, dentries and inodes that nobody uses: it lies in
// the way of an unplug as any other slab does, and goes when asked.
#pragma once

#include <string>
#include <utility>

namespace memplug {

class SlabReclaim {
 public:
  // The file of the setting vm.drop_caches.
  explicit SlabReclaim(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const { return path_; }

  // Throws Failure if the setting can't be written.
  void require() const;
  // Has all of it dropped and waits until it is free, which may take seconds. 0 or an errno.
  [[nodiscard]] int reclaim() const;

 private:
  std::string path_;
};

}  // namespace memplug
