// SPDX-License-Identifier: MIT
// mapping_abuse SECONDS SEED: 32 processes map, write, read, fork, move, unmap in parts and die at
// random on one range, which others try to plug and unplug again all the time. What a process has
// mapped stays memplug's, keeps what the process has written, and is told of as mapped; what nobody
// has mapped can be plugged. Leaves everything plugged.
#include "holding.hpp"

#include <linux/kernel-page-flags.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <random>
#include <thread>
#include <vector>

#include "pattern.hpp"
#include "process.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using lab::Device;
using lab::die;
using lab::page_size;

constexpr std::uint64_t subblock = 4 << 20;
constexpr std::uint64_t subblocks = 32;
constexpr std::size_t pages = subblocks * subblock / page_size;
constexpr std::size_t processes = 32;
constexpr std::size_t pluggers = 2;
// Also enough for a kernel that is six times as slow.
constexpr auto patience = std::chrono::minutes(5);

// Shared by all.
struct Board {
  std::atomic<bool> stop;
  std::atomic<std::uint64_t> mapped, refused, forks, moves, checks;
  std::atomic<std::uint64_t> plugged, kept;
};

bool is_offline_page(std::uint64_t frame) {
  static const int fd = ::open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
  std::uint64_t flags = 0;
  if (::pread(fd, &flags, sizeof(flags), static_cast<off_t>(frame * sizeof(flags))) !=
      sizeof(flags)) {
    die("/proc/kpageflags: %s", std::strerror(errno));
  }
  return (flags >> KPF_OFFLINE & 1) != 0;
}

class Mapper {
 public:
  Mapper(Board& board, std::uint64_t start, std::size_t number, std::uint64_t seed)
      : board_(board), start_(start), slot_(number), random_(seed) {}

  void run() {
    while (!board_.stop) {
      round();
      // Nobody has everything mapped all the time.
      std::this_thread::sleep_for(std::chrono::microseconds(random_() % 20000));
    }
  }

 private:
  void round() {
    const std::size_t first = random_() % pages;
    const std::size_t count = 1 + random_() % std::min<std::size_t>(pages - first, 300);
    const std::uint64_t address = start_ + first * page_size;
    void* area = lab::try_map(device_.fd(), address, count * page_size);
    if (area == nullptr) {
      if (errno != ENXIO && errno != EBUSY) {
        die("mmap: %s", std::strerror(errno));
      }
      ++board_.refused;
      return;
    }
    ++board_.mapped;
    auto* memory = static_cast<char*>(area);
    // A page of it, again and again: a mapping that is there for a while.
    std::size_t page = random_() % count;
    const std::uint64_t value = random_();
    word(memory, page) = value;
    for (auto step = random_() % 6; step > 0; --step) {
      work(memory, page, count);
      check(word(memory, page) == value, "what was written has changed");
      const std::uint64_t frame = address / page_size + page;
      check(is_offline_page(frame), "a mapped page is not memplug's any more");
      check((lab::look_up(device_, frame * page_size).flags & MEMPLUG_RANGE_MAPPED) != 0,
            "what is mapped is not told of as mapped");
      ++board_.checks;
    }
    ::munmap(memory, count * page_size);
  }

  // Of the page, this process's own.
  std::uint64_t& word(char* memory, std::size_t page) const {
    return static_cast<std::uint64_t*>(static_cast<void*>(memory + page * page_size))[slot_];
  }

  void work(char* memory, std::size_t page, std::size_t count) {
    switch (random_() % 4) {
      case 0:
        fork_and_die(memory, page);
        break;
      case 1:
        move(memory, page);
        break;
      case 2:
        // Some other part goes.
        if (page + 1 < count) {
          ::munmap(memory + (page + 1) * page_size, (count - page - 1) * page_size);
        }
        break;
      default:
        std::this_thread::sleep_for(std::chrono::microseconds(random_() % 3000));
    }
  }

  // There and back: mremap() makes areas and ends them.
  void move(char* memory, std::size_t page) {
    void* room = ::mmap(nullptr, page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void* from = memory + page * page_size;
    if (room == MAP_FAILED ||
        ::mremap(from, page_size, page_size, MREMAP_MAYMOVE | MREMAP_FIXED, room) != room ||
        ::mremap(room, page_size, page_size, MREMAP_MAYMOVE | MREMAP_FIXED, from) != from) {
      die("mremap: %s", std::strerror(errno));
    }
    ++board_.moves;
  }

  void fork_and_die(char* memory, std::size_t page) {
    const std::uint64_t value = word(memory, page);
    const pid_t child = ::fork();
    if (child < 0) {
      die("fork: %s", std::strerror(errno));
    }
    if (child == 0) {
      check(word(memory, page) == value, "a child sees something else");
      ::raise(random_() % 2 != 0 ? SIGKILL : SIGTERM);
    }
    int status = 0;
    if (::waitpid(child, &status, 0) != child || !WIFSIGNALED(status)) {
      die("a child found something wrong");
    }
    ++board_.forks;
  }

  static void check(bool right, const char* what) {
    if (!right) {
      die("%s", what);
    }
  }

  Device device_;
  Board& board_;
  std::uint64_t start_;
  std::size_t slot_;
  std::mt19937_64 random_;
};

// Gives back what can be had of it, and takes it again.
void plug_and_unplug(Board& board, std::uint64_t start, std::uint64_t seed) {
  const Device device;
  std::mt19937_64 random(seed);
  while (!board.stop) {
    const std::uint64_t first = random() % subblocks;
    const std::uint64_t count = 1 + random() % (subblocks - first);
    const lab::Outcome outcome = lab::plug(device, start + first * subblock, count * subblock);
    if (outcome.error != 0) {
      die("PLUG: %s", std::strerror(outcome.error));
    }
    board.plugged += outcome.request.out_done / subblock;
    for (const memplug_blocked& blocked : outcome.blocked) {
      if (blocked.reason != MEMPLUG_REASON_MAPPED && blocked.reason != MEMPLUG_REASON_BUSY) {
        die("PLUG: reason %u", blocked.reason);
      }
      board.kept += blocked.length / subblock;
    }
    memplug_request request{};
    request.flags = MEMPLUG_REQ_RANGE;
    request.start = start;
    request.length = subblocks * subblock;
    const int error = lab::carry_out(device, MEMPLUG_IOC_UNPLUG, request).error;
    if (error != 0) {
      die("UNPLUG: %s", std::strerror(error));
    }
  }
}

lab::Process start_process(Board& board, std::uint64_t start, std::size_t slot,
                           std::uint64_t seed) {
  return lab::Process([&board, start, slot, seed] {
    if (slot < processes) {
      Mapper(board, start, slot, seed).run();
    } else {
      plug_and_unplug(board, start, seed);
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    die("usage: mapping_abuse SECONDS SEED");
  }
  const std::uint64_t seed = std::strtoull(argv[2], nullptr, 10);
  const auto end = Clock::now() + std::chrono::seconds(std::strtol(argv[1], nullptr, 10));
  auto& board = lab::new_shared<Board>();
  const Device device;
  const std::uint64_t start = lab::take(device, subblocks * subblock).start;
  std::mt19937_64 random(seed);
  std::vector<lab::Process> started;
  for (std::size_t slot = 0; slot < processes + pluggers; ++slot) {
    started.push_back(start_process(board, start, slot, random()));
  }
  std::uint64_t kills = 0;
  while (Clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 40));
    const std::size_t slot = random() % processes;
    started[slot].signal(SIGKILL);
    const auto status = started[slot].await(patience);
    if (!status || !lab::was_killed(*status)) {
      die("a process found something wrong, or does not end");
    }
    ++kills;
    started[slot] = start_process(board, start, slot, random());
  }
  board.stop = true;
  for (lab::Process& process : started) {
    const auto status = process.await(patience);
    if (!status || !lab::succeeded(*status)) {
      die("a process found something wrong, or does not end; the seed was %s", argv[2]);
    }
  }
  lab::plug_all(device);
  std::printf(
      "mapped %llu times, refused %llu, forks %llu, moves %llu, checks %llu, kills %llu\n",
      static_cast<unsigned long long>(board.mapped), static_cast<unsigned long long>(board.refused),
      static_cast<unsigned long long>(board.forks), static_cast<unsigned long long>(board.moves),
      static_cast<unsigned long long>(board.checks), static_cast<unsigned long long>(kills));
  std::printf("%llu subblocks plugged, %llu kept as they were mapped\n",
              static_cast<unsigned long long>(board.plugged),
              static_cast<unsigned long long>(board.kept));
  if (board.mapped == 0 || board.forks == 0 || board.moves == 0 || board.checks == 0 ||
      board.plugged == 0 || board.kept == 0) {
    die("something of that was never done");
  }
  if (device.info().out_unplugged_size != 0) {
    die("not everything is given back");
  }
  return 0;
}
