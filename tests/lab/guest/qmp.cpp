// SPDX-License-Identifier: MIT
// Gives one command to the QEMU that this guest runs in and prints what it returns, as JSON.
// Needs a guest with '# lab: qmp=yes'; knows no command's meaning.
//
//   qmp COMMAND [ARGUMENTS]   ARGUMENTS: a JSON object; 1 if QEMU refuses, 2 if it does not answer
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace {

using json = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr const char* port_path = "/dev/lab-monitor";
// QEMU answers at once, unless the machine is very busy.
constexpr std::chrono::seconds answer_limit{30};
constexpr int refused = 1;
constexpr int unusable = 2;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

class Port {
 public:
  Port() : fd_(::open(port_path, O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    if (fd_ < 0) {
      fail(port_path);
    }
    // One command at a time: another one's answer would be taken for this one's.
    if (::flock(fd_, LOCK_EX) != 0) {
      fail("lock");
    }
    termios settings{};
    if (::tcgetattr(fd_, &settings) != 0) {
      fail("tcgetattr");
    }
    ::cfmakeraw(&settings);
    settings.c_cflag |= static_cast<tcflag_t>(CLOCAL);
    if (::tcsetattr(fd_, TCSANOW, &settings) != 0) {
      fail("tcsetattr");
    }
  }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  ~Port() { ::close(fd_); }

  void send(const std::string& text) const {
    std::size_t done = 0;
    while (done < text.size()) {
      const ssize_t wrote = ::write(fd_, text.data() + done, text.size() - done);
      if (wrote < 0) {
        fail("write");
      }
      done += static_cast<std::size_t>(wrote);
    }
  }

  std::string receive_line() {
    const auto deadline = Clock::now() + answer_limit;
    for (;;) {
      const std::size_t end = pending_.find('\n');
      if (end != std::string::npos) {
        std::string line = pending_.substr(0, end);
        pending_.erase(0, end + 1);
        last_ = line;
        return line;
      }
      wait_until(deadline);
      std::array<char, 4096> buffer{};
      const ssize_t got = ::read(fd_, buffer.data(), buffer.size());
      if (got <= 0) {
        fail("read");
      }
      pending_.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  void wait_until(Clock::time_point deadline) const {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd wanted{.fd = fd_, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&wanted, 1, static_cast<int>(left.count())) <= 0) {
      throw std::runtime_error("no answer from QEMU; the last it said: " + last_);
    }
  }

  int fd_;
  std::string pending_;
  std::string last_;
};

// The message with this id at the end of a line. What came while nobody had the port open may have
// lost any of its bytes, the end of its line among them.
json find_message(const std::string& line, const std::string& id) {
  for (std::size_t at = line.find('{'); at != std::string::npos; at = line.find('{', at + 1)) {
    json message =
        json::parse(line.begin() + static_cast<std::ptrdiff_t>(at), line.end(), nullptr, false);
    if (message.is_object() && message.value("id", json()) == id) {
      return message;
    }
  }
  return {};
}

// The message that answers: what an earlier command left, and events, carry another id or none.
json ask(Port& port, const std::string& command, const json& arguments) {
  const std::string id = std::to_string(::getpid()) + command;
  port.send(json{{"execute", command}, {"arguments", arguments}, {"id", id}}.dump() + '\n');
  for (;;) {
    json message = find_message(port.receive_line(), id);
    if (!message.is_null()) {
      return message;
    }
  }
}

int run(const std::string& command, const json& arguments) {
  Port port;
  // When the port was opened first it echoed what QEMU had said; this byte, which JSON can't have,
  // makes QEMU forget it.
  port.send("\xff\n");
  // QEMU refuses it but for the first time in a guest's life; whether it may be used, the command
  // itself will show.
  ask(port, "qmp_capabilities", json::object());
  const json answer = ask(port, command, arguments);
  if (answer.contains("error")) {
    std::cerr << "qmp: " << answer["error"].value("desc", answer["error"].dump()) << '\n';
    return refused;
  }
  std::cout << answer.at("return").dump() << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 2 || argc > 3) {
      std::cerr << "usage: qmp COMMAND [ARGUMENTS]\n";
      return unusable;
    }
    return run(argv[1], argc == 3 ? json::parse(argv[2]) : json::object());
  } catch (const std::exception& error) {
    std::cerr << "qmp: " << error.what() << '\n';
    return unusable;
  }
}
