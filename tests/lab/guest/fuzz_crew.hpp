// SPDX-License-Identifier: MIT
// Keeps the processes going: starts them in their roles, kills some in the middle of what they do,
// has them all lie still from time to time, and then holds memplug's account against the kernel's.
#pragma once

#include "fuzz_neighbours.hpp"
#include "fuzz_races.hpp"
#include "process.hpp"

namespace fuzz {

using Clock = std::chrono::steady_clock;

struct Plan {
  std::size_t processes = 4;
  std::chrono::seconds duration{0};  // 0: no limit
  std::uint64_t calls = 0;           // 0: no limit
  std::chrono::seconds check_every{15};
  std::chrono::milliseconds kill_every{1500};  // at the least often
  std::int64_t slowness = 1;  // of the kernel; who works beside takes longer breaks
  std::uint64_t seed = 0;
  bool pressure = false;
  bool hotplug = false;
  std::string journal;
};

// Books that are right when nothing goes on. kpf compares LIST, NODES, INFO, KPF_OFFLINE, MemTotal
// and the zones.
class Books {
 public:
  Books() { run_kpf("save"); }

  // Nobody may be at work but the module itself, which is told to stop.
  void check() {
    const auto deadline = Clock::now() + std::chrono::seconds(60);
    set_no_target();
    for (int tries = 1;; ++tries) {
      wait_until_quiet();
      if (run_kpf("check")) {
        break;
      }
      // What it counted may have changed under it. What is wrong stays wrong.
      if (tries > 3 || Clock::now() > deadline) {
        lab::die("the accounts disagree");
      }
    }
    ++checks_;
  }

  void plug_everything() {
    set_no_target();
    const auto deadline = Clock::now() + std::chrono::seconds(60);
    do {
      // What the worker had in flight for a target lands after the target is gone.
      wait_until_quiet();
      lab::end_quarantine(device_);
      auto request = lab::sized<memplug_request>();
      request.flags = MEMPLUG_REQ_ALL;
      const int error = device_.call(MEMPLUG_IOC_PLUG, &request);
      if (error != 0 || Clock::now() > deadline) {
        lab::die("what is unplugged can't be plugged: %s", std::strerror(error));
      }
    } while (device_.info().out_unplugged_size != 0 || device_.info().out_wanted_size != 0);
  }

  [[nodiscard]] std::uint64_t checks() const { return checks_; }
  [[nodiscard]] const lab::Device& device() const { return device_; }

 private:
  static constexpr const char* baseline = "/tmp/fuzz.baseline";

  void set_no_target() const {
    auto target = lab::sized<memplug_target>();
    target.target = MEMPLUG_NO_TARGET;
    if (const int error = device_.call(MEMPLUG_IOC_TARGET, &target); error != 0) {
      lab::die("TARGET: %s", std::strerror(error));
    }
  }

  // Until the module's own worker is done with what came back online, or does not get on.
  void wait_until_quiet() const {
    const auto deadline = Clock::now() + std::chrono::seconds(10);
    std::uint64_t generation = 0;
    std::uint64_t last = 0;
    do {
      last = generation;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      generation = device_.info().out_generation;
    } while (generation != last && Clock::now() < deadline);
  }

  // Whether all was well; it tells what was not.
  static bool run_kpf(const char* verb) {
    lab::Process kpf([verb] {
      ::execlp("kpf", "kpf", verb, baseline, nullptr);
      lab::die("kpf: %s", std::strerror(errno));
    });
    // It looks at every page there is: minutes with KASAN on a busy host.
    const auto status = kpf.await(std::chrono::minutes(20));
    if (!status) {
      lab::die("kpf does not end");
    }
    return lab::succeeded(*status);
  }

  lab::Device device_;
  std::uint64_t checks_ = 0;
};

class Crew {
 public:
  Crew(Board& board, const Plan& plan)
      : board_(board),
        plan_(plan),
        terrain_(books_.device()),
        injects_(::access(fail_nth, W_OK) == 0),
        random_(plan.seed) {
    if (injects_) {
      allow_injection();
    }
    const std::size_t neighbours = (plan.pressure ? 1 : 0) + (plan.hotplug ? 1 : 0);
    for (std::size_t slot = 0; slot < plan.processes + neighbours; ++slot) {
      processes_.push_back(start(slot));
    }
  }

  void run() {
    const auto begin = Clock::now();
    auto next_kill = begin + plan_.kill_every;
    auto next_check = begin + plan_.check_every;
    while (!is_over(begin)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      replace_ended();
      if (Clock::now() > next_kill) {
        disturb();
        next_kill = Clock::now() + plan_.kill_every * (random_() % 1000) / 1000;
      }
      if (Clock::now() > next_check) {
        check();
        next_check = Clock::now() + plan_.check_every;
      }
    }
    seconds_ = std::chrono::duration<double>(Clock::now() - begin).count();
    check();
    board_.stop = true;
    for (lab::Process& process : processes_) {
      expect_good_end(wait_for(process));
    }
    books_.plug_everything();
    books_.check();
  }

  [[nodiscard]] const Terrain& terrain() const { return terrain_; }
  Books& books() { return books_; }
  [[nodiscard]] bool injects() const { return injects_; }
  [[nodiscard]] std::uint64_t kills() const { return kills_; }
  [[nodiscard]] double seconds() const { return seconds_; }

 private:
  [[nodiscard]] bool is_over(Clock::time_point begin) const {
    return (plan_.duration.count() != 0 && Clock::now() - begin >= plan_.duration) ||
           (plan_.calls != 0 && board_.calls >= plan_.calls);
  }

  // Faults come only where a process asks for one; then also where the kernel would rather not.
  static void allow_injection() {
    const std::filesystem::path debug = "/sys/kernel/debug";
    for (const char* kind : {"failslab", "fail_page_alloc", "fail_usercopy"}) {
      for (const auto& [name, value] : {std::pair{"ignore-gfp-wait", "N"},
                                        std::pair{"min-order", "0"}, std::pair{"verbose", "0"}}) {
        if (std::filesystem::exists(debug / kind / name)) {
          write_text(debug / kind / name, value);
        }
      }
    }
  }

  // Most have all rights; each of the others comes soon, also where there are few processes.
  [[nodiscard]] Role role_of(std::uint64_t number) const {
    switch (number % 16) {
      case 1:
      case 9:
        return Role::racer;
      case 3:
        return Role::no_capability;
      case 5:
        return Role::other_namespace;
      case 2:
      case 8:
      case 12:
        return injects_ ? Role::injector : Role::all_rights;
      default:
        return Role::all_rights;
    }
  }

  lab::Process start(std::size_t slot) {
    board_.resting[slot] = false;
    const std::uint64_t number = started_++;
    return lab::Process(
        [this, slot, number] { play(slot, number, plan_.seed * 1000003 + number); });
  }

  void play(std::size_t slot, std::uint64_t number, std::uint64_t seed) {
    if (slot >= plan_.processes) {
      if (plan_.pressure && slot == plan_.processes) {
        Pressure(board_, slot, seed, plan_.slowness).run();
      } else {
        Hotplug(board_, slot, seed, plan_.slowness).run();
      }
      return;
    }
    const Role role = role_of(number);
    if (role == Role::racer) {
      Racer(board_, slot, terrain_, seed).run();
    } else {
      // The journal's buffer makes it too large for a stack to be left to luck.
      std::make_unique<Process>(board_, slot, role, terrain_, seed, plan_.journal)->run();
    }
  }

  void disturb() {
    const std::size_t slot = random_() % plan_.processes;
    if (random_() % 3 == 0) {
      processes_[slot].signal(SIGUSR1);
      return;
    }
    processes_[slot].signal(SIGKILL);
    const int status = wait_for(processes_[slot]);
    if (lab::was_killed(status)) {
      ++kills_;
    } else {
      expect_good_end(status);
    }
    processes_[slot] = start(slot);
  }

  // Its status. One that does not end, however killed, hangs in the kernel.
  int wait_for(lab::Process& process) {
    const auto status = process.await(std::chrono::seconds(120));
    if (!status) {
      abandon("a process does not end");
    }
    return *status;
  }

  void expect_good_end(int status) {
    if (!lab::succeeded(status)) {
      abandon(WIFSIGNALED(status)
                  ? "a process was ended by signal " + std::to_string(WTERMSIG(status))
                  : "a process found something wrong");
    }
  }

  void replace_ended() {
    for (std::size_t slot = 0; slot < processes_.size(); ++slot) {
      if (const auto status = processes_[slot].ended()) {
        expect_good_end(*status);
        processes_[slot] = start(slot);
      }
    }
  }

  void check() {
    board_.pause = true;
    const auto begin = Clock::now();
    for (std::size_t slot = 0; slot < processes_.size(); ++slot) {
      while (!board_.resting[slot]) {
        replace_ended();
        if (Clock::now() > begin + std::chrono::seconds(120)) {
          abandon("a process is still at work after 120 s");
        }
        // A long request stops at a signal.
        if (Clock::now() > begin + std::chrono::seconds(1) && slot < plan_.processes) {
          processes_[slot].signal(SIGUSR1);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    }
    books_.check();
    board_.pause = false;
    std::printf("so far: %llu calls, %u edges, %u answers, %u inputs kept\n",
                static_cast<unsigned long long>(board_.calls), board_.reached.edges(),
                board_.reached.answers(), board_.corpus.size());
    std::fflush(stdout);
  }

  [[noreturn]] void abandon(const std::string& why) {
    for (const lab::Process& process : processes_) {
      process.signal(SIGKILL);
    }
    lab::die("%s; the seed was %llu", why.c_str(), static_cast<unsigned long long>(plan_.seed));
  }

  Board& board_;
  Plan plan_;
  Books books_;
  Terrain terrain_;
  bool injects_;
  std::mt19937_64 random_;
  std::vector<lab::Process> processes_;
  std::uint64_t started_ = 0;
  std::uint64_t kills_ = 0;
  double seconds_ = 0;
};

}  // namespace fuzz
