// SPDX-License-Identifier: MIT
// Which of the module's code a call ran through, from KCOV. Without it there are only the answers
// to go by, and it says so. Code outside the module is no business of this fuzzer's.
#pragma once

#include <linux/kcov.h>
#include <sys/mman.h>

#include <fstream>

#include "fuzz_board.hpp"

namespace fuzz {

// Where the module's code is. Its length is at most that of the whole module.
struct Text {
  std::uint64_t start = 0;
  std::uint64_t size = 0;
};

inline Text module_text() {
  Text text;
  std::ifstream section("/sys/module/memplug/sections/.text");
  section >> std::hex >> text.start;
  std::ifstream modules("/proc/modules");
  for (std::string name; modules >> name; modules.ignore(4096, '\n')) {
    if (name == "memplug") {
      modules >> text.size;
    }
  }
  return text;
}

class Coverage {
 public:
  // Of the thread that makes it.
  Coverage() : text_(module_text()), file_(::open(path, O_RDWR | O_CLOEXEC)) {
    if (file_ < 0 || text_.start == 0) {
      return;
    }
    if (::ioctl(file_, KCOV_INIT_TRACE, room) != 0) {
      lab::die("KCOV_INIT_TRACE: %s", std::strerror(errno));
    }
    void* memory =
        ::mmap(nullptr, room * sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
    if (memory == MAP_FAILED || ::ioctl(file_, KCOV_ENABLE, KCOV_TRACE_PC) != 0) {
      lab::die("KCOV: %s", std::strerror(errno));
    }
    area_ = static_cast<std::uint64_t*>(memory);
  }
  Coverage(const Coverage&) = delete;
  Coverage& operator=(const Coverage&) = delete;
  ~Coverage() {
    if (area_ != nullptr) {
      ::ioctl(file_, KCOV_DISABLE, 0);
      ::munmap(area_, room * sizeof(std::uint64_t));
    }
    if (file_ >= 0) {
      ::close(file_);
    }
  }

  static bool is_there() { return ::access(path, R_OK | W_OK) == 0; }

  void begin() {
    if (area_ != nullptr) {
      __atomic_store_n(area_, 0, __ATOMIC_RELAXED);
    }
  }

  // How many edges are new. The order of two addresses matters, not only that both were there.
  std::uint32_t collect(Reached& reached) {
    if (area_ == nullptr) {
      return 0;
    }
    std::uint32_t news = 0;
    std::uint64_t last = 0;
    const std::uint64_t count = std::min(__atomic_load_n(area_, __ATOMIC_RELAXED), room - 1);
    for (std::uint64_t i = 1; i <= count; ++i) {
      const std::uint64_t offset = area_[i] - text_.start;
      if (offset >= text_.size) {
        continue;
      }
      const auto edge = static_cast<std::uint32_t>((last * 0x9e3779b1 + offset * 0x85ebca6b) >> 8);
      news += reached.add_edge(edge) ? 1 : 0;
      last = offset;
    }
    return news;
  }

 private:
  static constexpr const char* path = "/sys/kernel/debug/kcov";
  static constexpr std::uint64_t room = 1 << 15;  // words; what a long call does at its end is lost

  Text text_;
  int file_;
  std::uint64_t* area_ = nullptr;
};

}  // namespace fuzz
