// SPDX-License-Identifier: MIT
// Unplugged memory in this process. What is mapped can't be plugged, and what was tied to a Device
// lives as long as its mappings do.
#pragma once

#include <cstddef>
#include <span>

#include "device.hpp"

namespace memplug {

// Unmaps when it is gone. One that was moved from has no bytes.
class Mapping {
 public:
  // All of a range that is unplugged, and tied to this very device if it is tied; to be read and,
  // with Access::Write, written, which takes a device that was opened for it. The range is a
  // multiple of the page size; its memory is zeroed when it is first touched. Throws
  // std::system_error as <linux/memplug.h> documents mmap().
  Mapping(const Device& device, Range range, Access access);
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
  [[nodiscard]] Range range() const { return range_; }

 private:
  void unmap() noexcept;

  Range range_;
  std::span<std::byte> bytes_;
};

}  // namespace memplug
