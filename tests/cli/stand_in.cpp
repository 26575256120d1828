// SPDX-License-Identifier: MIT
// The device, for the built memplugctl: preloaded, it answers open() and ioctl() of the path that
// it is told of, through the fake module of the unit tests. No other driver is at work on its
// machine: there are no folders in /sys. Everything else is the C library's.
//
// MEMPLUG_STAND_IN is a JSON object; what is missing is as the fake module has it:
//   device      the path; /dev/memplug
//   subblock, managed   sizes in bytes
//   log         a file that gets a line for each request as it comes, before it is carried out
//   unplug      {done, pieces, stop, sleep_ms, errno} of UNPLUG and PLUG: how much is done of what
//               is asked for (all), in how many ranges (1), and after which time; a claim that runs
//               is not ended by a signal
//   quarantine  {wanted, unmanaged: [[start, size]], errno, sleep_ms}
//   survey      [[start, size]] of plugged memory
//   events      how many there are when somebody asks a second time
//   allocations after its first answer so many are left, of whatever size: then there is no memory
//   reserve     so many more when the program gives up what it keeps in reserve; as many as it
//   wants
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <cstdlib>
#include <map>
#include <new>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>

#include "fake_channel.hpp"

namespace memplug::test {
namespace {

using nlohmann::json;

// Of operator new; less than 0: as many as there are.
std::atomic<long> allocations_left{-1};

// What allocations_left is to be, once the device has answered.
std::atomic<long> allocations_after_answer{-1};

// How many more there are when the program has given up what it keeps in reserve.
std::atomic<long> allocations_in_reserve{-1};

// While it lives there is memory: what the stand-in needs itself a kernel would not take from here.
class OwnMemory {
 public:
  OwnMemory() : left_(allocations_left.exchange(-1)) {}
  OwnMemory(const OwnMemory&) = delete;
  OwnMemory& operator=(const OwnMemory&) = delete;
  ~OwnMemory() {
    const long first = allocations_after_answer.exchange(-1);
    allocations_left = first >= 0 ? first : left_;
  }

 private:
  long left_;
};

template <typename Function>
Function next(const char* name) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): that is how dlsym() hands it over
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

class StandIn {
 public:
  static StandIn& instance() {
    // Never destroyed: json takes memory for that.
    static StandIn& stand_in = *new StandIn;
    return stand_in;
  }

  [[nodiscard]] bool is_device(std::string_view path) const { return path == device_; }

  int open() {
    const int descriptor = ::eventfd(order_.contains("events") ? 1 : 0, EFD_NONBLOCK | EFD_CLOEXEC);
    module_.descriptor = descriptor;
    channels_[descriptor] = make_channel(module_);
    return descriptor;
  }

  Channel* channel(int descriptor) {
    const auto found = channels_.find(descriptor);
    return found == channels_.end() ? nullptr : found->second.get();
  }

  void close(int descriptor) { channels_.erase(descriptor); }

  // The device has answered.
  void answered() {
    if (!has_answered_ && order_.contains("allocations")) {
      allocations_in_reserve = order_.value("reserve", -1L);
      allocations_after_answer = order_.at("allocations").get<long>();
    }
    has_answered_ = true;
  }

 private:
  StandIn() {
    const char* const text = std::getenv("MEMPLUG_STAND_IN");
    order_ = json::parse(text != nullptr ? text : "{}");
    device_ = order_.value("device", "/dev/memplug");
    module_.info.out_features |= MEMPLUG_FEATURE_TIED | MEMPLUG_FEATURE_MMAP;
    module_.info.out_subblock_size = order_.value("subblock", 4 * mib);
    module_.info.out_managed_size = order_.value("managed", 4 * gib);
    module_.answer = [this](memplug_request& request) { return carry_out(request); };
    const auto usual = module_.answer_quarantine;
    module_.answer_quarantine = [this, usual](memplug_quarantine& asked) {
      return quarantine(asked, usual);
    };
    for (const json& stretch : order_.value("survey", json::array())) {
      const std::uint64_t start = stretch.at(0);
      for (std::uint64_t at = 0; at < stretch.at(1); at += module_.info.out_subblock_size) {
        memplug_subblock subblock{};
        subblock.start = start + at;
        subblock.length = module_.info.out_subblock_size;
        subblock.state = MEMPLUG_SUBBLOCK_PLUGGED;
        module_.subblocks.push_back(subblock);
      }
    }
    for (int i = 0; i < order_.value("events", 0); ++i) {
      memplug_event event{};
      event.generation = static_cast<std::uint64_t>(i) + 1;
      event.type = MEMPLUG_EVENT_UNPLUGGED;
      event.start = 5 * gib;
      event.length = module_.info.out_subblock_size;
      module_.events.push_back(event);
    }
  }

  void log(const std::string& line) const {
    const std::string path = order_.value("log", "");
    if (path.empty()) {
      return;
    }
    const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    static_cast<void>(::write(file, (line + "\n").c_str(), line.size() + 1));
    ::close(file);
  }

  // A claim that runs ends when it ends.
  static void sleep(const json& order) {
    std::this_thread::sleep_for(std::chrono::milliseconds(order.value("sleep_ms", 0)));
  }

  int carry_out(memplug_request& request) const {
    const json order = order_.value("unplug", json::object());
    const std::string operation = module_.operation == Operation::Plug ? "plug " : "unplug ";
    log(operation + std::to_string(request.length) + " flags " + std::to_string(request.flags));
    sleep(order);
    if (const int error_number = order.value("errno", 0); error_number != 0) {
      return error_number;
    }
    request.out_requested = request.length;
    request.out_done = order.value("done", std::uint64_t{request.length});
    request.out_stop = order.value("stop", 0U);
    const std::uint64_t pieces = request.out_done == 0 ? 0 : order.value("pieces", 1ULL);
    std::vector<memplug_range> ranges;
    const std::uint64_t length = pieces == 0 ? 0 : request.out_done / pieces;
    const bool is_range = (request.flags & MEMPLUG_REQ_RANGE) != 0;
    for (std::uint64_t i = 0; i < pieces; ++i) {
      ranges.push_back({(is_range ? request.start : 5 * gib) + 2 * i * length, length, 0, 0, 0, 0});
    }
    put_ranges(request, ranges);
    return 0;
  }

  int quarantine(memplug_quarantine& asked, const std::function<int(memplug_quarantine&)>& usual) {
    const json order = order_.value("quarantine", json::object());
    const bool ends = (asked.flags & MEMPLUG_QUARANTINE_END) != 0;
    log(std::string(ends ? "end " : "quarantine ") + std::to_string(asked.start) + " " +
        std::to_string(asked.length));
    sleep(order);
    if (const int error_number = order.value("errno", 0); error_number != 0) {
      return error_number;
    }
    for (const json& part : order.value("unmanaged", json::array())) {
      const std::uint64_t start = part.at(0);
      const std::uint64_t size = part.at(1);
      if (!ends && start < asked.start + asked.length && asked.start < start + size) {
        asked.out_bad_start = start;
        asked.out_bad_length = size;
        asked.out_bad_why = MEMPLUG_BAD_ZONE;
        return ENXIO;
      }
    }
    const int error_number = usual(asked);
    if (order.value("wanted", false)) {
      for (memplug_range& range : module_.quarantined) {
        range.flags |= MEMPLUG_RANGE_WANTED;
      }
    }
    return error_number;
  }

  json order_;
  std::string device_;
  bool has_answered_ = false;
  FakeModule module_;
  std::map<int, std::unique_ptr<Channel>> channels_;
};

int call(Channel& channel, unsigned long command, void* argument) {
  switch (command) {
    case MEMPLUG_IOC_INFO:
      return channel.info(*static_cast<memplug_info*>(argument));
    case MEMPLUG_IOC_NODES:
      return channel.nodes(*static_cast<memplug_nodes*>(argument));
    case MEMPLUG_IOC_LIST:
      return channel.list(*static_cast<memplug_list*>(argument));
    case MEMPLUG_IOC_COUNTERS:
      return channel.counters(*static_cast<memplug_counters*>(argument));
    case MEMPLUG_IOC_PROGRESS: {
      // As much is done as can be shown.
      auto& progress = *static_cast<memplug_progress*>(argument);
      progress.out_operation = MEMPLUG_OP_UNPLUG;
      progress.out_requested = 4 * gib;
      progress.out_done = gib;
      progress.out_elapsed_ns = 1000000000;
      return 0;
    }
    case MEMPLUG_IOC_UNPLUG:
      return channel.unplug(*static_cast<memplug_request*>(argument));
    case MEMPLUG_IOC_PLUG:
      return channel.plug(*static_cast<memplug_request*>(argument));
    case MEMPLUG_IOC_TARGET:
      return channel.target(*static_cast<memplug_target*>(argument));
    case MEMPLUG_IOC_SURVEY:
      return channel.survey(*static_cast<memplug_survey*>(argument));
    case MEMPLUG_IOC_QUARANTINE:
      return channel.quarantine(*static_cast<memplug_quarantine*>(argument));
    default:
      return ENOTTY;
  }
}

// As many as fit, and the others the next time.
ssize_t read_events(Channel& channel, void* buffer, std::size_t size) {
  static std::vector<memplug_event> left;
  if (left.empty()) {
    if (const int error_number = channel.read(left); error_number != 0) {
      errno = error_number;
      return -1;
    }
  }
  const std::size_t count = std::min(size / sizeof(memplug_event), left.size());
  std::copy_n(left.begin(), count, static_cast<memplug_event*>(buffer));
  left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(count));
  return static_cast<ssize_t>(count * sizeof(memplug_event));
}

}  // namespace
}  // namespace memplug::test

using memplug::test::next;
using memplug::test::StandIn;

// The program's, too, as this library comes before all others.
void* operator new(std::size_t size) {
  std::atomic<long>& left = memplug::test::allocations_left;
  while (left == 0) {
    const std::new_handler make_room = std::get_new_handler();
    if (make_room == nullptr) {
      throw std::bad_alloc();
    }
    // Which throws if it has none.
    make_room();
    left = memplug::test::allocations_in_reserve.load();
  }
  for (long old = left; old > 0 && !left.compare_exchange_weak(old, old - 1);) {
  }
  // NOLINTNEXTLINE(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): what else
  void* const memory = std::malloc(std::max(size, std::size_t{1}));
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}

void* operator new[](std::size_t size) { return operator new(size); }
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C library's are reserved
extern "C" int open(const char* path, int flags, ...) {
  const memplug::test::OwnMemory own;
  if (StandIn::instance().is_device(path)) {
    return StandIn::instance().open();
  }
  std::va_list rest;
  va_start(rest, flags);
  const mode_t mode =
      (flags & (O_CREAT | O_TMPFILE)) != 0 ? static_cast<mode_t>(va_arg(rest, unsigned)) : 0;
  va_end(rest);
  return next<int (*)(const char*, int, ...)>("open")(path, flags, mode);
}

extern "C" DIR* opendir(const char* path) {
  if (std::string_view(path).substr(0, 5) == "/sys/") {
    errno = ENOENT;
    return nullptr;
  }
  return next<DIR* (*)(const char*)>("opendir")(path);
}

extern "C" int ioctl(int descriptor, unsigned long command, ...) {
  const memplug::test::OwnMemory own;
  std::va_list rest;
  va_start(rest, command);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  memplug::Channel* const channel = StandIn::instance().channel(descriptor);
  if (channel == nullptr || _IOC_TYPE(command) != MEMPLUG_IOC_TYPE) {
    return next<int (*)(int, unsigned long, ...)>("ioctl")(descriptor, command, argument);
  }
  const int error_number = memplug::test::call(*channel, command, argument);
  StandIn::instance().answered();
  errno = error_number;
  return error_number == 0 ? 0 : -1;
}

extern "C" ssize_t read(int descriptor, void* buffer, std::size_t size) {
  const memplug::test::OwnMemory own;
  memplug::Channel* const channel = StandIn::instance().channel(descriptor);
  return channel != nullptr
             ? memplug::test::read_events(*channel, buffer, size)
             : next<ssize_t (*)(int, void*, std::size_t)>("read")(descriptor, buffer, size);
}

extern "C" int close(int descriptor) {
  const memplug::test::OwnMemory own;
  StandIn::instance().close(descriptor);
  return next<int (*)(int)>("close")(descriptor);
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
