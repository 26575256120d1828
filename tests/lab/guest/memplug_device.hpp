// SPDX-License-Identifier: MIT
// Opens /dev/memplug for the guest programs and asks it the plain questions. A call hands its
// errno back as it is: judging it is for the test. It must not retry, round or repair anything.
#pragma once

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../../../kmod/uapi/memplug.h"

namespace lab {

inline constexpr const char* device_path = "/dev/memplug";

// A check that failed. The program ends: after one wrong answer the next ones mean nothing.
[[noreturn]] [[gnu::format(printf, 1, 2)]] inline void die(const char* format, ...) {
  std::fflush(stdout);
  std::va_list arguments;
  va_start(arguments, format);
  std::fprintf(stderr, "%s: ", program_invocation_short_name);
  std::vfprintf(stderr, format, arguments);
  std::fputc('\n', stderr);
  va_end(arguments);
  std::exit(1);
}

// The uAPI carries pointers as 64-bit integers, also for 32-bit callers.
inline std::uint64_t user_pointer(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

template <typename Struct>
Struct sized() {
  Struct value{};
  value.size = sizeof(Struct);
  return value;
}

class Device {
 public:
  explicit Device(int open_flags = O_RDWR) : fd_(::open(device_path, open_flags | O_CLOEXEC)) {
    if (fd_ < 0) {
      die("open %s: %s", device_path, std::strerror(errno));
    }
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device() { ::close(fd_); }

  [[nodiscard]] int fd() const { return fd_; }

  // 0 or the errno.
  int call(unsigned long command, void* argument) const {
    return ::ioctl(fd_, command, argument) == 0 ? 0 : errno;
  }

  [[nodiscard]] memplug_info info() const {
    auto info = sized<memplug_info>();
    demand(call(MEMPLUG_IOC_INFO, &info), "INFO");
    return info;
  }

  [[nodiscard]] memplug_counters counters() const {
    auto counters = sized<memplug_counters>();
    demand(call(MEMPLUG_IOC_COUNTERS, &counters), "COUNTERS");
    return counters;
  }

  [[nodiscard]] memplug_progress progress() const {
    auto progress = sized<memplug_progress>();
    demand(call(MEMPLUG_IOC_PROGRESS, &progress), "PROGRESS");
    return progress;
  }

  [[nodiscard]] std::vector<memplug_range> list(std::uint64_t* generation = nullptr) const {
    std::vector<memplug_range> ranges(4096);
    auto list = sized<memplug_list>();
    list.ranges = user_pointer(ranges.data());
    list.capacity = static_cast<std::uint32_t>(ranges.size());
    demand(call(MEMPLUG_IOC_LIST, &list), "LIST");
    ranges.resize(list.out_count);
    if (generation != nullptr) {
      *generation = list.out_generation;
    }
    return ranges;
  }

  [[nodiscard]] std::vector<memplug_node> nodes() const {
    std::vector<memplug_node> nodes(64);
    auto argument = sized<memplug_nodes>();
    argument.nodes = user_pointer(nodes.data());
    argument.capacity = static_cast<std::uint32_t>(nodes.size());
    demand(call(MEMPLUG_IOC_NODES, &argument), "NODES");
    nodes.resize(argument.out_count);
    return nodes;
  }

 private:
  static void demand(int error, const char* what) {
    if (error != 0) {
      die("%s: %s", what, std::strerror(error));
    }
  }

  int fd_;
};

// Of whatever is in it, wherever.
inline void end_quarantine(const Device& device) {
  auto quarantine = sized<memplug_quarantine>();
  quarantine.flags = MEMPLUG_QUARANTINE_END;
  quarantine.length = std::uint64_t{1} << 52;
  if (const int error = device.call(MEMPLUG_IOC_QUARANTINE, &quarantine); error != 0) {
    die("QUARANTINE: %s", std::strerror(error));
  }
}

inline std::uint64_t total_length(const std::vector<memplug_range>& ranges) {
  std::uint64_t sum = 0;
  for (const memplug_range& range : ranges) {
    sum += range.length;
  }
  return sum;
}

}  // namespace lab
