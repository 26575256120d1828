// SPDX-License-Identifier: MIT
// Sends a memory block offline and back, round after round, with none, half and all of it
// unplugged, and lets every other try be refused half-way. After every single step all accounts
// must agree to the page: MemTotal, the zones' managed counts, KPF_OFFLINE in the block, INFO,
// LIST.
//
//   offline_rounds BLOCK ROUNDS
//
// The block must be one that can be unplugged whole. The helper module obstruct is loaded.
#include <linux/kernel-page-flags.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "memplug_device.hpp"
#include "zoneinfo.hpp"

namespace {

using lab::die;

constexpr std::uint64_t page_size = 4096;
constexpr const char* refuse_path = "/sys/module/obstruct/parameters/refuse";

// The errno, or 0.
int write_file(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) {
    die("%s: %s", path.c_str(), std::strerror(errno));
  }
  const int error = ::write(fd, text.data(), text.size()) < 0 ? errno : 0;
  ::close(fd);
  return error;
}

std::uint64_t all_managed_pages() {
  std::uint64_t pages = 0;
  for (const lab::Zone& zone : lab::normal_zones()) {
    pages += zone.managed;
  }
  return pages;
}

// What all accounts have to come to.
struct Expected {
  std::uint64_t unplugged = 0;  // of the block
  std::uint64_t wanted = 0;
  bool offline = false;
};

class Rounds {
 public:
  explicit Rounds(const std::string& block)
      : state_path_("/sys/devices/system/memory/memory" + block + "/state"),
        size_(device_.info().out_memory_block_size),
        start_(std::stoull(block) * size_),
        managed_(device_.info().out_managed_size),
        memtotal_(lab::memtotal_kib()),
        managed_pages_(all_managed_pages()) {
    if (device_.info().out_unplugged_size != 0 || device_.info().out_wanted_size != 0) {
      die("something is unplugged or wanted already");
    }
  }

  void there_and_back(std::uint64_t length) {
    unplug(length);
    set_state("offline", 0);
    check({.wanted = length, .offline = true}, "offline");
    set_state("online_kernel", 0);
    await_wanted();
    check({.unplugged = length}, "back online");
    plug(length);
  }

  void refused(std::uint64_t length) {
    unplug(length);
    write_file(refuse_path, "1");
    set_state("offline", EPERM);
    check({.unplugged = length}, "refused to go offline");
    write_file(refuse_path, "0");
    plug(length);
  }

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t subblock() const { return device_.info().out_subblock_size; }
  [[nodiscard]] long steps() const { return steps_; }
  [[nodiscard]] long longest_wait_ms() const { return longest_wait_ms_; }

 private:
  void unplug(std::uint64_t length) {
    request(MEMPLUG_IOC_UNPLUG, length);
    check({.unplugged = length}, "unplugged");
  }

  void plug(std::uint64_t length) {
    request(MEMPLUG_IOC_PLUG, length);
    check({}, "plugged");
  }

  void request(unsigned long command, std::uint64_t length) {
    if (length == 0) {
      return;
    }
    auto request = lab::sized<memplug_request>();
    request.flags = MEMPLUG_REQ_RANGE;
    request.start = start_;
    request.length = length;
    const int error = device_.call(command, &request);
    if (error != 0 || request.out_done != length) {
      die("step %ld: a request for %#llx got %#llx: %s", steps_,
          static_cast<unsigned long long>(length),
          static_cast<unsigned long long>(request.out_done), std::strerror(error));
    }
  }

  void set_state(const char* state, int wanted_error) {
    const int error = write_file(state_path_, state);
    if (error != wanted_error) {
      die("step %ld: '%s' into %s: %s", steps_, state, state_path_.c_str(), std::strerror(error));
    }
  }

  void await_wanted() {
    const auto begin = std::chrono::steady_clock::now();
    const auto waited = [begin] {
      return std::chrono::duration_cast<std::chrono::milliseconds>(
                 std::chrono::steady_clock::now() - begin)
          .count();
    };
    while (device_.info().out_wanted_size != 0) {
      if (waited() > 20000) {
        die("step %ld: what was wanted has not come back after 20 s", steps_);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    longest_wait_ms_ = std::max<long>(longest_wait_ms_, waited());
  }

  [[nodiscard]] std::uint64_t offline_pages() const {
    const int fd = ::open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
    std::vector<std::uint64_t> flags(size_ / page_size);
    const auto bytes = static_cast<ssize_t>(flags.size() * sizeof(flags[0]));
    const auto offset = static_cast<off_t>(start_ / page_size * sizeof(flags[0]));
    if (fd < 0 || ::pread(fd, flags.data(), static_cast<std::size_t>(bytes), offset) != bytes) {
      die("/proc/kpageflags: %s", std::strerror(errno));
    }
    ::close(fd);
    std::uint64_t count = 0;
    for (const std::uint64_t page : flags) {
      count += page >> KPF_OFFLINE & 1;
    }
    return count;
  }

  void equal(const char* step, const char* what, std::uint64_t got, std::uint64_t wanted) const {
    if (got != wanted) {
      die("step %ld, %s: %s is %llu, should be %llu", steps_, step, what,
          static_cast<unsigned long long>(got), static_cast<unsigned long long>(wanted));
    }
  }

  void check(const Expected& expected, const char* step) {
    ++steps_;
    const memplug_info info = device_.info();
    const std::uint64_t gone = expected.offline ? size_ : 0;
    const std::uint64_t missing = gone + expected.unplugged;
    equal(step, "INFO's managed size", info.out_managed_size, managed_ - gone);
    equal(step, "INFO's unplugged size", info.out_unplugged_size, expected.unplugged);
    equal(step, "INFO's wanted size", info.out_wanted_size, expected.wanted);
    equal(step, "LIST", lab::total_length(device_.list()), expected.unplugged);
    equal(step, "MemTotal in kB", lab::memtotal_kib(), memtotal_ - missing / 1024);
    equal(step, "managed pages of ZONE_NORMAL", all_managed_pages(),
          managed_pages_ - missing / page_size);
    if (!expected.offline) {
      equal(step, "KPF_OFFLINE", offline_pages(), expected.unplugged / page_size);
    }
  }

  lab::Device device_;
  std::string state_path_;
  std::uint64_t size_;
  std::uint64_t start_;
  std::uint64_t managed_;
  std::uint64_t memtotal_;
  std::uint64_t managed_pages_;
  long steps_ = 0;
  long longest_wait_ms_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: offline_rounds BLOCK ROUNDS\n", stderr);
    return 2;
  }
  Rounds rounds(argv[1]);
  const long count = std::stol(argv[2]);
  for (const std::uint64_t halves : {0, 1, 2}) {
    const std::uint64_t part = rounds.size() / 2 * halves;
    if (part % rounds.subblock() != 0) {
      continue;
    }
    for (long round = 0; round < count; ++round) {
      rounds.there_and_back(part);
      rounds.refused(part);
    }
    std::printf("%3d %% unplugged: %ld rounds offline and back, %ld refused, all accounts right\n",
                static_cast<int>(halves * 50), count, count);
    std::fflush(stdout);
  }
  std::printf("%ld steps checked; what was wanted was back within %ld ms\n", rounds.steps(),
              rounds.longest_wait_ms());
  return 0;
}
