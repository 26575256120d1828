// SPDX-License-Identifier: MIT
// eventful N ADDRESS: unplugs and plugs the subblock there N times, two requests each time, and
// nothing else. eventful N ADDRESS late: the same, with a reader beside it that reads only
// afterwards and has to be told what it missed. eventful N ADDRESS waiting: the same, with a reader
// that waits for the first event, once till a signal comes and once till the event does.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "memplug_device.hpp"

namespace {

constexpr std::uint64_t kept = 1024;  // of each reader

void request(const lab::Device& device, unsigned long command, std::uint64_t start,
             std::uint64_t subblock) {
  auto value = lab::sized<memplug_request>();
  value.flags = MEMPLUG_REQ_RANGE;
  value.start = start;
  value.length = subblock;
  const int error = device.call(command, &value);
  if (error != 0 || value.out_done != subblock) {
    lab::die("%s: %s, %llu bytes done", command == MEMPLUG_IOC_UNPLUG ? "UNPLUG" : "PLUG",
             std::strerror(error), static_cast<unsigned long long>(value.out_done));
  }
}

class Reader {
 public:
  Reader() : file_(::open(lab::device_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    if (next(nullptr) || errno != EAGAIN) {
      lab::die("the first read() of a reader that does not wait: %s", std::strerror(errno));
    }
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { ::close(file_); }

  bool next(memplug_event* event) const {
    memplug_event unused{};
    return ::read(file_, event != nullptr ? event : &unused, sizeof(unused)) == sizeof(unused);
  }

 private:
  int file_;
};

void judge_late(const Reader& reader, std::uint64_t happened, std::uint64_t generation_before) {
  memplug_event event{};
  std::uint64_t read = 0;
  std::uint64_t lost = 0;
  std::uint64_t last = generation_before;
  while (reader.next(&event)) {
    if (event.generation != last + event.lost + 1) {
      lab::die("generation %llu after %llu with %u lost",
               static_cast<unsigned long long>(event.generation),
               static_cast<unsigned long long>(last), event.lost);
    }
    last = event.generation;
    lost += event.lost;
    ++read;
  }
  std::printf("%llu events read, %llu lost\n", static_cast<unsigned long long>(read),
              static_cast<unsigned long long>(lost));
  if (read != kept || read + lost != happened) {
    lab::die("%llu have happened and %llu are kept", static_cast<unsigned long long>(happened),
             static_cast<unsigned long long>(kept));
  }
}

void on_alarm(int /*signal*/) {}

// Before and while the subblock at `start` is unplugged, and plugged again.
void judge_waiting(const lab::Device& device, std::uint64_t start, std::uint64_t subblock) {
  const int file = ::open(lab::device_path, O_RDONLY | O_CLOEXEC);
  memplug_event event{};
  struct sigaction action {};
  action.sa_handler = on_alarm;
  ::sigaction(SIGALRM, &action, nullptr);
  ::alarm(1);
  if (::read(file, &event, sizeof(event)) >= 0 || errno != EINTR) {
    lab::die("read() with no event, ended by a signal: %s", std::strerror(errno));
  }
  std::thread requester([&] { request(device, MEMPLUG_IOC_UNPLUG, start, subblock); });
  const ssize_t got = ::read(file, &event, sizeof(event));
  requester.join();
  if (got != sizeof(event) || event.type != MEMPLUG_EVENT_UNPLUGGED || event.lost != 0) {
    lab::die("read() that waits: %zd bytes, an event of type %u", got, event.type);
  }
  ::close(file);
  request(device, MEMPLUG_IOC_PLUG, start, subblock);
  std::puts("who waits in read() is woken by a signal and by an event");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    lab::die("usage: eventful N ADDRESS [late|waiting]");
  }
  const std::uint64_t times = std::strtoull(argv[1], nullptr, 0);
  const std::uint64_t start = std::strtoull(argv[2], nullptr, 0);
  const std::string_view how = argc > 3 ? argv[3] : "";
  const lab::Device device(O_RDWR);
  const memplug_info info = device.info();
  if (how == "waiting") {
    judge_waiting(device, start, info.out_subblock_size);
  }
  const Reader reader;
  for (std::uint64_t i = 0; i < times; ++i) {
    request(device, MEMPLUG_IOC_UNPLUG, start, info.out_subblock_size);
    request(device, MEMPLUG_IOC_PLUG, start, info.out_subblock_size);
  }
  if (how == "late") {
    judge_late(reader, device.info().out_generation - info.out_generation, info.out_generation);
  }
  return 0;
}
