// SPDX-License-Identifier: MIT
#include "terminal/input_lines.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "memplug/failure.hpp"
#include "terminal/interrupt.hpp"

namespace memplug {
namespace {

constexpr std::size_t longest_line = std::size_t{1} << 16U;

}  // namespace

bool InputLines::read_more() {
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, part.data(), part.size());
    if (got > 0) {
      // Of a line without end only the beginning is kept.
      if (rest_.size() < longest_line || rest_.find('\n') != std::string::npos) {
        rest_.append(part.data(), static_cast<std::size_t>(got));
      } else if (const std::string_view more(part.data(), static_cast<std::size_t>(got));
                 more.find('\n') != std::string_view::npos) {
        rest_.append(more.substr(more.find('\n')));
      }
      return true;
    }
    const int error_number = errno;
    if (got == 0 || InterruptGuard::interrupted()) {
      return false;
    }
    if (error_number == EAGAIN) {
      // Whoever shares it has made it so. What ended the wait, the next round sees.
      pollfd polled{STDIN_FILENO, POLLIN, 0};
      static_cast<void>(::poll(&polled, 1, -1));
    } else if (error_number != EINTR) {
      throw Failure(error_number, with_reason("cannot read stdin", error_number), "");
    }
  }
}

std::optional<std::string> InputLines::next() {
  std::size_t end = rest_.find('\n');
  while (end == std::string::npos && !is_over_) {
    is_over_ = !read_more();
    end = rest_.find('\n');
  }
  if (InterruptGuard::interrupted() || (end == std::string::npos && rest_.empty())) {
    return std::nullopt;
  }
  std::string line = rest_.substr(0, end);
  rest_.erase(0, end == std::string::npos ? end : end + 1);
  return line;
}

}  // namespace memplug
