// SPDX-License-Identifier: MIT
// User memory to point the kernel at: good, read-only, not there, or ending in the middle of what
// it wants. All of it is laid out once: changing protections at every call would cost more than the
// calls. Each window has an alias, so that what the kernel can't write can be filled all the same.
#pragma once

#include <sys/mman.h>

#include "fuzz_call.hpp"

namespace fuzz {

class Window {
 public:
  static constexpr std::size_t page = 4096;

  // For so many bytes, in whole pages.
  explicit Window(std::size_t size) : size_(size) {
    const int file = ::memfd_create("window", MFD_CLOEXEC);
    if (file < 0 || ::ftruncate(file, static_cast<off_t>(size)) != 0) {
      lab::die("memfd: %s", std::strerror(errno));
    }
    alias_ = map(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file);
    // Good pages and a hole; good pages, but the last read-only; read-only pages and a hole.
    area_ = map(nullptr, area_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    map(area_, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file);
    map(half(), size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file);
    if (::mprotect(half() + size - page, page, PROT_READ) != 0) {
      lab::die("mprotect: %s", std::strerror(errno));
    }
    map(read_only(), size, PROT_READ, MAP_SHARED | MAP_FIXED, file);
    ::close(file);
  }
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  ~Window() {
    ::munmap(alias_, size_);
    ::munmap(area_, area_size());
  }

  [[nodiscard]] std::size_t size() const { return size_; }

  struct Spot {
    std::uint64_t user = 0;      // what the kernel gets
    std::byte* alias = nullptr;  // the same memory, writable; null if there is none
    std::size_t room = 0;        // bytes there
  };

  [[nodiscard]] Spot at(Place place, std::uint64_t cut) const {
    const std::size_t good = std::min<std::uint64_t>(cut, size_ - page);
    switch (place) {
      case Place::good:
        return {lab::user_pointer(area_), alias_, size_};
      case Place::odd:
        return {lab::user_pointer(area_) + 1 + cut % 7, alias_ + 1 + cut % 7, size_ - 8};
      case Place::straddle:
        return {lab::user_pointer(area_ + size_ - good), alias_ + size_ - good, good};
      case Place::straddle_read_only: {
        const std::size_t offset = size_ - page - good;
        return {lab::user_pointer(half() + offset), alias_ + offset, size_ - offset};
      }
      case Place::read_only:
        return {lab::user_pointer(read_only()), alias_, size_};
      case Place::unmapped:
        return {lab::user_pointer(area_ + size_)};
      case Place::kernel:
        return {0xffff888000000000};
      case Place::beyond:
        return {0x8000000000001000};
      case Place::null:
        break;
    }
    return {};
  }

 private:
  static std::byte* map(std::byte* where, std::size_t size, int protection, int flags, int file) {
    void* memory = ::mmap(where, size, protection, flags, file, 0);
    if (memory == MAP_FAILED) {
      lab::die("mmap: %s", std::strerror(errno));
    }
    return static_cast<std::byte*>(memory);
  }
  [[nodiscard]] std::size_t area_size() const { return 3 * size_ + 3 * page; }
  [[nodiscard]] std::byte* half() const { return area_ + size_ + page; }
  [[nodiscard]] std::byte* read_only() const { return area_ + 2 * size_ + 2 * page; }

  std::size_t size_;
  std::byte* alias_;
  std::byte* area_;
};

}  // namespace fuzz
