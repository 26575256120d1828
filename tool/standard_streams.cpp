// SPDX-License-Identifier: MIT
// Plain write(), because iostreams lose the errno.
#include "standard_streams.hpp"

#include <fcntl.h>
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
}

void write_stdout(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      const int error_number = errno;
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

}  // namespace

std::size_t stdout_width() {
  const std::string_view columns = environment("COLUMNS");
  std::size_t width = 0;
  const auto [end, error] = std::from_chars(columns.data(), columns.data() + columns.size(), width);
  if (error != std::errc{} || end != columns.data() + columns.size() || width == 0) {
    winsize size{};
    width = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0 ? size.ws_col
                                                                               : usual_width;
  }
  return std::min(width, greatest_width);
}

bool stdout_takes_colour() {
  return ::isatty(STDOUT_FILENO) == 1 && environment("NO_COLOR").empty() &&
         environment("TERM") != "dumb" && !environment("TERM").empty();
}

bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

}  // namespace memplug
