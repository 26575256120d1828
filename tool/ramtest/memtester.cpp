// SPDX-License-Identifier: MIT
// posix_spawn(), and poll() on what memtester says and on its end: whom it may have started, and
// who holds on to its pipes, can't keep us.
#include "ramtest/memtester.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>

#include "file_descriptor.hpp"
#include "memplug/failure.hpp"
#include "process/child_signal.hpp"
#include "process/spawn.hpp"
#include "terminal/interrupt.hpp"

namespace memplug {
namespace {

using Clock = std::chrono::steady_clock;

// Between asking it to end and ending it.
constexpr std::chrono::seconds patience{5};

void check(bool ok, const char* what) {
  if (!ok) {
    throw std::system_error(errno, std::generic_category(), what);
  }
}

// Reading never waits; writing does.
class Pipe {
 public:
  Pipe() : Pipe(make()) {}
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() = default;

  [[nodiscard]] int reading_end() const { return at_end_ ? -1 : reading_.number(); }
  [[nodiscard]] int writing_end() const { return writing_->number(); }
  void close_writing_end() { writing_.reset(); }

  // Calls for what there is, of this much at most; whether there was any.
  template <typename Take>
  bool read(Take take) {
    std::array<char, 65536> buffer{};
    const ssize_t got = at_end_ ? 0 : ::read(reading_.number(), buffer.data(), buffer.size());
    at_end_ = at_end_ || got == 0;
    if (got > 0) {
      take(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
    }
    return got > 0;
  }

 private:
  explicit Pipe(const std::array<int, 2>& ends) : reading_(ends[0]), writing_(ends[1]) {}

  static std::array<int, 2> make() {
    std::array<int, 2> ends{};
    check(::pipe2(ends.data(), O_CLOEXEC) == 0, "cannot make a pipe");
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return ends;
  }

  FileDescriptor reading_;
  std::optional<FileDescriptor> writing_;
  bool at_end_ = false;
};

std::string test_mask(const Memtester& memtester) {
  // 0 is all of them, whatever the environment says.
  std::uint64_t mask = 0;
  for (const unsigned test : memtester.tests.value_or(std::vector<unsigned>{})) {
    mask |= std::uint64_t{1} << test;
  }
  return std::to_string(mask);
}

std::vector<std::string> command_of(const Memtester& memtester, Range range) {
  return {memtester.program,
          "-p",
          print_address(range.start),
          "-d",
          memtester.device,
          std::to_string(range.size.value) + "B",
          std::to_string(memtester.loops)};
}

class Process {
 public:
  Process(const Memtester& memtester, Range range) : output_(range) {
    SpawnSetup setup;
    setup.set_own_group();
    setup.pass_null(STDIN_FILENO);
    setup.pass(stdout_.writing_end(), STDOUT_FILENO);
    setup.pass(stderr_.writing_end(), STDERR_FILENO);
    pid_ =
        setup.spawn(command_of(memtester, range), {{"MEMTESTER_TEST_MASK", test_mask(memtester)}});
    stdout_.close_writing_end();
    stderr_.close_writing_end();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() { static_cast<void>(reap()); }

  // As waitpid() tells of its end.
  int wait() {
    const FileDescriptor end(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    check(end.is_open(), "cannot wait for memtester");
    while (!has_ended(end.number())) {
      read();
      if (InterruptGuard::interrupted()) {
        stop();
      }
    }
    const int status = reap();
    while (read()) {
    }
    output_.finish();
    return status;
  }

  [[nodiscard]] const MemtesterOutput& output() const { return output_; }

 private:
  // Waits until something is to be done.
  [[nodiscard]] bool has_ended(int end) const {
    std::array<pollfd, 3> polled{pollfd{end, POLLIN, 0}, pollfd{stdout_.reading_end(), POLLIN, 0},
                                 pollfd{stderr_.reading_end(), POLLIN, 0}};
    int timeout = -1;
    if (stop_begin_) {
      timeout = static_cast<int>(std::chrono::milliseconds(patience).count());
    }
    const int ready = ::poll(polled.data(), polled.size(), timeout);
    check(ready >= 0 || errno == EINTR, "cannot wait for memtester");
    return ready > 0 && polled[0].revents != 0;
  }

  bool read() {
    const bool some_out = stdout_.read([this](std::string_view text) { output_.add_stdout(text); });
    const bool some_err = stderr_.read([this](std::string_view text) { output_.add_stderr(text); });
    return some_out || some_err;
  }

  void stop() {
    if (!stop_begin_) {
      stop_begin_ = Clock::now();
      ::kill(-pid_, SIGTERM);
    } else if (Clock::now() - *stop_begin_ >= patience) {
      ::kill(-pid_, SIGKILL);
    }
  }

  // Ends what is left of it, too: that might hold on to the memory.
  int reap() {
    int status = 0;
    if (pid_ > 0) {
      ::kill(-pid_, SIGKILL);
      while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
      }
      pid_ = 0;
    }
    return status;
  }

  MemtesterOutput output_;
  Pipe stdout_;
  Pipe stderr_;
  pid_t pid_ = 0;
  std::optional<Clock::time_point> stop_begin_;
};

Failure cannot_run(const Memtester& memtester, int error_number) {
  return {error_number, with_reason("cannot run " + memtester.program, error_number),
          "install Debian's package memtester, or name it with --memtester"};
}

}  // namespace

MemtesterResult run_memtester(const Memtester& memtester, Range range) {
  const DefaultChildSignal reaped_by_us;
  std::optional<Process> process;
  try {
    process.emplace(memtester, range);
  } catch (const std::system_error& error) {
    throw cannot_run(memtester, error.code().value());
  }
  const int status = process->wait();
  const MemtesterOutput& output = process->output();
  MemtesterResult result;
  result.verdict = judge(status, output);
  result.failures.assign(output.failures().begin(), output.failures().end());
  result.version = output.version();
  if (result.verdict == Verdict::None) {
    result.message = explain_no_verdict(status, output);
  }
  return result;
}

}  // namespace memplug
