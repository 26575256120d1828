// SPDX-License-Identifier: MIT
// Reads the kernel log from a mark on, with the log's time stamps as CLOCK_MONOTONIC: the two
// clocks run alike and have different zeroes. Finds lines; what they mean is for the caller.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "memplug_device.hpp"
#include "ticker.hpp"

namespace bench {

class KernelLog {
 public:
  // Writes a line into the log; what follows it is read later.
  KernelLog() : fd_(::open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC)) {
    if (fd_ < 0 || ::lseek(fd_, 0, SEEK_END) < 0) {
      lab::die("/dev/kmsg: %s", std::strerror(errno));
    }
    const std::string mark = "bench: mark " + std::to_string(now());
    // Without its end of line it stays open for more, and nobody may read it.
    const std::string text = mark + "\n";
    const Nanoseconds written = now();
    if (::write(fd_, text.data(), text.size()) < 0) {
      lab::die("/dev/kmsg: %s", std::strerror(errno));
    }
    const auto stamp = find(mark);
    if (!stamp) {
      lab::die("the mark did not come back from /dev/kmsg");
    }
    offset_ = written - *stamp;
  }
  KernelLog(const KernelLog&) = delete;
  KernelLog& operator=(const KernelLog&) = delete;
  ~KernelLog() { ::close(fd_); }

  // When the next line with this text was written; everything up to it is passed over.
  [[nodiscard]] std::optional<Nanoseconds> find(const std::string& text) const {
    std::array<char, 8192> record{};
    for (;;) {
      const ssize_t got = ::read(fd_, record.data(), record.size() - 1);
      if (got < 0 && errno == EPIPE) {
        continue;  // records were overwritten: go on with the oldest that is left
      }
      if (got <= 0) {
        return std::nullopt;
      }
      const std::string line(record.data(), static_cast<std::size_t>(got));
      unsigned long long microseconds = 0;
      if (line.find(text) != std::string::npos &&
          std::sscanf(line.c_str(), "%*u,%*u,%llu,", &microseconds) == 1) {
        return offset_ + static_cast<Nanoseconds>(microseconds) * 1000;
      }
    }
  }

 private:
  int fd_;
  Nanoseconds offset_ = 0;
};

}  // namespace bench
