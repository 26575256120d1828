// SPDX-License-Identifier: MIT
// Plain write(), because iostreams lose the errno.
#include "terminal/standard_streams.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>

#include "memplug/failure.hpp"

namespace memplug {

void prepare_standard_streams() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) < 0) {
      // Opened the wrong way round, so that using it still fails with EBADF. It gets the lowest
      // free number, which is this one.
      const int flags = descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY;
      static_cast<void>(::open("/dev/null", flags));
    }
  }
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
}

void write_stdout(std::string_view text, const std::function<bool()>& given_up) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    const int error_number = errno;
    if (error_number == EAGAIN) {
      // Whoever shares it has made it so. What ended the wait, the next round sees.
      pollfd polled{STDOUT_FILENO, POLLOUT, 0};
      static_cast<void>(::poll(&polled, 1, -1));
    }
    if ((error_number != EAGAIN && error_number != EINTR) || given_up()) {
      throw Failure(error_number, with_reason("cannot write to stdout", error_number), "");
    }
  }
}

namespace {

constexpr std::size_t usual_width = 80;
constexpr std::size_t greatest_width = 1000;

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::size_t terminal_width(int descriptor) {
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col != 0 ? size.ws_col
                                                                         : usual_width;
}

// One that only takes lines; so does one that nobody has named.
bool is_dumb_terminal() { return environment("TERM") == "dumb" || environment("TERM").empty(); }

}  // namespace

std::size_t stdout_width() {
  const std::string_view columns = environment("COLUMNS");
  std::size_t width = 0;
  const auto [end, error] = std::from_chars(columns.data(), columns.data() + columns.size(), width);
  if (error != std::errc{} || end != columns.data() + columns.size() || width == 0) {
    width = terminal_width(STDOUT_FILENO);
  }
  return std::min(width, greatest_width);
}

bool stdout_takes_colour() {
  return ::isatty(STDOUT_FILENO) == 1 && environment("NO_COLOR").empty() && !is_dumb_terminal();
}

bool stderr_takes_progress() { return ::isatty(STDERR_FILENO) == 1 && !is_dumb_terminal(); }

std::size_t stderr_width() { return terminal_width(STDERR_FILENO); }

}  // namespace memplug
