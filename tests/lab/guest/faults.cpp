// SPDX-License-Identifier: MIT
// Makes the first, the second, the third ... thing that can fail in a call fail, each in a call of
// its own, until the call has no more of them: allocations and copies from and to user space. After
// each call all accounts have to be right. Needs a kernel with fault injection; what of it may fail
// (its filters) is for the caller to set.
//
// faults ioctls: every command, and opening the device. faults read: a reader without any memory.
// faults load FILE [ARGUMENTS]: the module's way in, with and without its way out; nothing of it
// may be loaded before.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "memplug_device.hpp"
#include "process.hpp"
#include "zoneinfo.hpp"

namespace {

constexpr unsigned max_faults = 20000;
constexpr std::uint64_t mib = 1U << 20;

struct Result {
  int error = 0;          // of the call
  bool injected = false;  // the fault was used up by it
};

// Runs in a process of its own, whose faults nobody else shares.
struct Shared {
  Result result;
};

class FailNth {
 public:
  FailNth() : fd_(::open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC)) {
    if (fd_ < 0) {
      lab::die("/proc/thread-self/fail-nth: %s", std::strerror(errno));
    }
  }
  FailNth(const FailNth&) = delete;
  FailNth& operator=(const FailNth&) = delete;
  ~FailNth() { ::close(fd_); }

  void arm(unsigned nth) const {
    const std::string text = std::to_string(nth);
    if (::write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
      lab::die("fail-nth can't be written: %s", std::strerror(errno));
    }
  }

  // Whether it was used up. Reading copies to user space, which may use it up just now.
  [[nodiscard]] bool used() const {
    char digit = 0;
    return ::pread(fd_, &digit, 1, 0) == 1 && digit == '0';
  }

 private:
  int fd_;
};

Shared& shared() {
  static auto& memory = lab::new_shared<Shared>();
  return memory;
}

// The call returns 0 or an errno.
Result with_fault(unsigned nth, const std::function<int()>& call) {
  shared().result = {};
  const pid_t child = ::fork();
  if (child < 0) {
    lab::die("fork: %s", std::strerror(errno));
  }
  if (child == 0) {
    const FailNth fault;
    fault.arm(nth);
    const int error = call();
    shared().result = {error, fault.used()};
    ::_exit(0);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    lab::die("the process with fault %u did not end well: status %#x", nth, status);
  }
  return shared().result;
}

std::uint64_t memtotal_bytes() { return lab::memtotal_kib() * 1024; }

struct Tally {
  unsigned faults = 0;
  unsigned failed = 0;
};

void print(const char* name, const Tally& tally) {
  std::printf("%-24s %5u faults, %5u of the calls failed\n", name, tally.faults, tally.failed);
  std::fflush(stdout);
}

struct Command {
  const char* name;
  std::uint64_t before;  // unplugged bytes when it is called
  bool may_have_worked;  // although it failed
  std::function<int(const lab::Device&)> call;
};

memplug_request request(std::uint32_t flags, std::uint64_t length) {
  auto value = lab::sized<memplug_request>();
  value.flags = flags;
  value.length = length;
  return value;
}

// A request with room for all that it can tell.
int run_request(const lab::Device& device, unsigned long command, memplug_request value) {
  std::array<memplug_range, 64> ranges{};
  std::array<memplug_blocked, 64> blocked{};
  value.ranges = lab::user_pointer(ranges.data());
  value.ranges_capacity = ranges.size();
  value.blocked = lab::user_pointer(blocked.data());
  value.blocked_capacity = blocked.size();
  return device.call(command, &value);
}

template <typename Struct>
int ask(const lab::Device& device, unsigned long command) {
  auto value = lab::sized<Struct>();
  return device.call(command, &value);
}

int ask_list(const lab::Device& device) {
  std::array<memplug_range, 64> ranges{};
  auto value = lab::sized<memplug_list>();
  value.ranges = lab::user_pointer(ranges.data());
  value.capacity = ranges.size();
  return device.call(MEMPLUG_IOC_LIST, &value);
}

int ask_nodes(const lab::Device& device) {
  std::array<memplug_node, 8> nodes{};
  auto value = lab::sized<memplug_nodes>();
  value.nodes = lab::user_pointer(nodes.data());
  value.capacity = nodes.size();
  return device.call(MEMPLUG_IOC_NODES, &value);
}

// A structure that is longer than the kernel knows is looked at to its end.
int ask_long_info(const lab::Device& device) {
  struct {
    memplug_info info;
    std::array<std::uint8_t, 64> tail;
  } value{};
  value.info.size = sizeof(value);
  return device.call(MEMPLUG_IOC_INFO, &value);
}

int set_target(const lab::Device& device, std::uint64_t target) {
  auto value = lab::sized<memplug_target>();
  value.target = target;
  return device.call(MEMPLUG_IOC_TARGET, &value);
}

int open_another(const lab::Device& /*device*/) {
  const int fd = ::open(lab::device_path, O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    return errno;
  }
  ::close(fd);
  return 0;
}

// On a descriptor of its own, which has never had anything tied to it; closing gives it back.
int unplug_tied(std::uint64_t bytes) {
  const int fd = ::open(lab::device_path, O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    return errno;
  }
  auto value = request(MEMPLUG_REQ_TIED, bytes);
  const int error = ::ioctl(fd, MEMPLUG_IOC_UNPLUG, &value) == 0 ? 0 : errno;
  ::close(fd);
  return error;
}

int map_and_unmap(const lab::Device& device, std::uint64_t start, std::uint64_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, device.fd(),
                        static_cast<off_t>(start));
  if (memory == MAP_FAILED) {
    return errno;
  }
  ::munmap(memory, bytes);
  return 0;
}

// `start` is where the range is at the time of the call.
std::vector<Command> commands(const std::uint64_t& start) {
  constexpr std::uint64_t some = 16 * mib;
  const auto range = [&start] {
    auto value = request(MEMPLUG_REQ_RANGE, some);
    value.start = start;
    return value;
  };
  return {
      {"open", 0, false, open_another},
      {"INFO", 0, false,
       [](const lab::Device& device) { return ask<memplug_info>(device, MEMPLUG_IOC_INFO); }},
      {"INFO, longer", 0, false, ask_long_info},
      {"NODES", 0, false, ask_nodes},
      {"LIST", some, false, ask_list},
      {"COUNTERS", 0, false,
       [](const lab::Device& device) {
         return ask<memplug_counters>(device, MEMPLUG_IOC_COUNTERS);
       }},
      {"PROGRESS", 0, false,
       [](const lab::Device& device) {
         return ask<memplug_progress>(device, MEMPLUG_IOC_PROGRESS);
       }},
      {"UNPLUG by size", 0, false,
       [=](const lab::Device& device) {
         return run_request(device, MEMPLUG_IOC_UNPLUG, request(0, some));
       }},
      {"UNPLUG of a range", 0, false,
       [=](const lab::Device& device) { return run_request(device, MEMPLUG_IOC_UNPLUG, range()); }},
      {"UNPLUG exactly", 0, false,
       [=](const lab::Device& device) {
         return run_request(device, MEMPLUG_IOC_UNPLUG, request(MEMPLUG_REQ_EXACT, some));
       }},
      {"UNPLUG in one run", 0, false,
       [=](const lab::Device& device) {
         return run_request(device, MEMPLUG_IOC_UNPLUG, request(MEMPLUG_REQ_CONTIGUOUS, some));
       }},
      {"UNPLUG, dry run", 0, false,
       [=](const lab::Device& device) {
         return run_request(device, MEMPLUG_IOC_UNPLUG, request(MEMPLUG_REQ_DRY_RUN, some));
       }},
      {"UNPLUG, tied", 0, false, [](const lab::Device&) { return unplug_tied(some); }},
      {"mmap", some, false,
       [&start](const lab::Device& device) { return map_and_unmap(device, start, some); }},
      {"PLUG by size", some, true,
       [=](const lab::Device& device) {
         return run_request(device, MEMPLUG_IOC_PLUG, request(0, some));
       }},
      {"PLUG of a range", some, true,
       [=](const lab::Device& device) { return run_request(device, MEMPLUG_IOC_PLUG, range()); }},
      {"PLUG of all", some, true,
       [=](const lab::Device& device) {
         return run_request(device, MEMPLUG_IOC_PLUG, request(MEMPLUG_REQ_ALL, 0));
       }},
      {"TARGET, none", 0, false,
       [](const lab::Device& device) { return set_target(device, MEMPLUG_NO_TARGET); }},
  };
}

class Accounts {
 public:
  explicit Accounts(const lab::Device& device)
      : device_(device), whole_(memtotal_bytes() + device.info().out_unplugged_size) {}

  // Returns what is unplugged.
  std::uint64_t check(const char* after, unsigned nth) const {
    const std::uint64_t unplugged = device_.info().out_unplugged_size;
    const std::uint64_t listed = lab::total_length(device_.list());
    const std::uint64_t total = memtotal_bytes();
    if (listed != unplugged || total + unplugged != whole_) {
      lab::die("%s with fault %u: %llu bytes unplugged, %llu listed, MemTotal %llu, both %llu",
               after, nth, static_cast<unsigned long long>(unplugged),
               static_cast<unsigned long long>(listed), static_cast<unsigned long long>(total),
               static_cast<unsigned long long>(whole_));
    }
    return unplugged;
  }

 private:
  const lab::Device& device_;
  std::uint64_t whole_;
};

void demand(int error, const char* what) {
  if (error != 0) {
    lab::die("%s without a fault: %s", what, std::strerror(error));
  }
}

// Memory that can be had.
std::uint64_t find_range(const lab::Device& device) {
  demand(run_request(device, MEMPLUG_IOC_PLUG, request(MEMPLUG_REQ_ALL, 0)), "PLUG");
  demand(run_request(device, MEMPLUG_IOC_UNPLUG, request(MEMPLUG_REQ_CONTIGUOUS, 64 * mib)),
         "UNPLUG");
  const std::vector<memplug_range> ranges = device.list();
  demand(run_request(device, MEMPLUG_IOC_PLUG, request(MEMPLUG_REQ_ALL, 0)), "PLUG");
  return ranges.at(0).start;
}

// So much is unplugged afterwards, in one piece that begins at `start`: at another place than
// before if the kernel has put something of its own there meanwhile.
void make_unplugged(const lab::Device& device, std::uint64_t& start, std::uint64_t bytes) {
  constexpr int tries = 10;
  for (int attempt = 0; attempt < tries; ++attempt) {
    demand(run_request(device, MEMPLUG_IOC_PLUG, request(MEMPLUG_REQ_ALL, 0)), "PLUG");
    if (bytes != 0) {
      auto range = request(MEMPLUG_REQ_RANGE, bytes);
      range.start = start;
      demand(run_request(device, MEMPLUG_IOC_UNPLUG, range), "UNPLUG");
    }
    if (device.info().out_unplugged_size == bytes) {
      return;
    }
    start = find_range(device);
  }
  lab::die("no range of %llu bytes can be had twice", static_cast<unsigned long long>(bytes));
}

bool is_fault(int error) { return error == ENOMEM || error == EFAULT; }

Tally walk(const lab::Device& device, const Command& command, std::uint64_t& start) {
  Tally tally;
  const Accounts accounts(device);
  for (unsigned nth = 1; nth <= max_faults; ++nth) {
    if (device.info().out_unplugged_size != command.before) {
      make_unplugged(device, start, command.before);
    }
    const Result result = with_fault(nth, [&] { return command.call(device); });
    const std::uint64_t after = accounts.check(command.name, nth);
    if (!result.injected) {
      demand(result.error, command.name);
      return tally;
    }
    ++tally.faults;
    if (result.error == 0) {
      continue;
    }
    ++tally.failed;
    if (!is_fault(result.error)) {
      lab::die("%s with fault %u: %s", command.name, nth, std::strerror(result.error));
    }
    if (after != command.before && !command.may_have_worked) {
      lab::die("%s with fault %u failed and left a change", command.name, nth);
    }
  }
  lab::die("%s has more than %u things that can fail", command.name, max_faults);
}

int walk_ioctls() {
  const lab::Device device;
  std::uint64_t start = find_range(device);
  for (const Command& command : commands(start)) {
    print(command.name, walk(device, command, start));
  }
  make_unplugged(device, start, 0);
  return 0;
}

// Every allocation of this process fails, as the caller has set it up: one that has two ways to its
// memory gets it by neither. A reader's first call makes room for events.
int read_without_memory() {
  const lab::Device device;
  const auto fail = [](const char* digit) {
    const int fd = ::open("/proc/self/make-it-fail", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || ::write(fd, digit, 1) != 1) {
      lab::die("/proc/self/make-it-fail: %s", std::strerror(errno));
    }
    ::close(fd);
  };
  memplug_event event{};
  const int flags = ::fcntl(device.fd(), F_GETFL);
  if (flags < 0 || ::fcntl(device.fd(), F_SETFL, flags | O_NONBLOCK) != 0) {
    lab::die("fcntl: %s", std::strerror(errno));
  }
  fail("1");
  const int without = ::read(device.fd(), &event, sizeof(event)) < 0 ? errno : 0;
  fail("0");
  const int with = ::read(device.fd(), &event, sizeof(event)) < 0 ? errno : 0;
  std::printf("read without memory: %s, with: %s\n", std::strerror(without), std::strerror(with));
  return without == ENOMEM && with == EAGAIN ? 0 : 1;
}

bool is_loaded() { return ::access("/sys/module/memplug", F_OK) == 0; }

int unload() { return ::syscall(SYS_delete_module, "memplug", O_NONBLOCK) == 0 ? 0 : errno; }

int walk_load(const char* path, const char* arguments) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    lab::die("%s: %s", path, std::strerror(errno));
  }
  const std::uint64_t total = memtotal_bytes();
  Tally tally;
  for (unsigned nth = 1; nth <= max_faults; ++nth) {
    const Result result = with_fault(
        nth, [&] { return ::syscall(SYS_finit_module, fd, arguments, 0) == 0 ? 0 : errno; });
    if (is_loaded() != (result.error == 0)) {
      lab::die("fault %u: finit_module says %s, and the module is %sthere", nth,
               std::strerror(result.error), is_loaded() ? "" : "not ");
    }
    if (result.error != 0 && ::access(lab::device_path, F_OK) == 0) {
      lab::die("fault %u: no module, but a device", nth);
    }
    if (result.error == 0) {
      demand(unload(), "unloading");
    }
    if (memtotal_bytes() != total) {
      lab::die("fault %u: MemTotal has changed", nth);
    }
    if (!result.injected) {
      demand(result.error, "loading");
      ::close(fd);
      print("loading", tally);
      return 0;
    }
    ++tally.faults;
    tally.failed += result.error != 0 ? 1 : 0;
  }
  lab::die("loading has more than %u things that can fail", max_faults);
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  if (argc == 2 && std::strcmp(arguments[1], "ioctls") == 0) {
    return walk_ioctls();
  }
  if (argc == 2 && std::strcmp(arguments[1], "read") == 0) {
    return read_without_memory();
  }
  if ((argc == 3 || argc == 4) && std::strcmp(arguments[1], "load") == 0) {
    return walk_load(arguments[2], argc == 4 ? arguments[3] : "");
  }
  lab::die("usage: faults ioctls | faults read | faults load FILE [ARGUMENTS]");
}
