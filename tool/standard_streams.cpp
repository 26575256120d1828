// SPDX-License-Identifier: MIT
// Plain write(), because iostreams lose the errno.
#include "standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "failure.hpp"

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

bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

}  // namespace memplug
