// SPDX-License-Identifier: MIT
// Compares all accounts at a quiet point, watches that counters only ever go up, and unloads and
// loads the module. What is wrong is thrown as Wrong: the conductor ends the soak with it.
#pragma once

#include <sys/syscall.h>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "process.hpp"
#include "soak_board.hpp"
#include "zoneinfo.hpp"

namespace soak {

class Wrong : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// In the order of struct memplug_counters.
inline constexpr std::array<std::pair<const char*, __u64 memplug_counters::*>, 12> counters{
    {{"unplug requests", &memplug_counters::out_unplug_requests},
     {"plug requests", &memplug_counters::out_plug_requests},
     {"claims", &memplug_counters::out_claims},
     {"failed claims", &memplug_counters::out_claims_failed},
     {"pages migrated", &memplug_counters::out_pages_migrated},
     {"pages claimed", &memplug_counters::out_pages_claimed},
     {"pages released", &memplug_counters::out_pages_released},
     {"floor stops", &memplug_counters::out_floor_stops},
     {"survey time", &memplug_counters::out_survey_ns},
     {"claim time", &memplug_counters::out_claim_ns},
     {"out of memory events", &memplug_counters::out_oom_events},
     {"pages given to the starved", &memplug_counters::out_oom_pages}}};

class Books {
 public:
  Books() : memtotal_(lab::memtotal_kib()) {
    if (lab::Device(O_RDONLY).info().out_unplugged_size != 0) {
      throw Wrong("something is unplugged before the soak begins");
    }
    kpf("save");
  }

  // May be called at any time.
  void watch_counters() {
    const memplug_counters now = lab::Device(O_RDONLY).counters();
    for (const auto& [name, field] : counters) {
      if (now.*field < last_.*field) {
        throw Wrong(std::string("the counter of ") + name + " went from " +
                    std::to_string(last_.*field) + " down to " + std::to_string(now.*field));
      }
    }
    pages_migrated_ += now.out_pages_migrated - last_.out_pages_migrated;
    pages_claimed_ += now.out_pages_claimed - last_.out_pages_claimed;
    claims_ += now.out_claims - last_.out_claims;
    claims_failed_ += now.out_claims_failed - last_.out_claims_failed;
    last_ = now;
  }

  // Everybody rests, every block is online.
  void check() {
    settle();
    watch_counters();
    const memplug_info info = lab::Device(O_RDONLY).info();
    kpf("check");
    const std::uint64_t expected = memtotal_ - info.out_unplugged_size / 1024;
    if (lab::memtotal_kib() != expected) {
      throw Wrong("MemTotal is " + std::to_string(lab::memtotal_kib()) + " kB, should be " +
                  std::to_string(expected) + " kB");
    }
    most_unplugged_ = std::max<std::uint64_t>(most_unplugged_, info.out_unplugged_size);
    ++checks_;
  }

  // Nobody may unload a module whose device is open.
  void refused_unload() {
    const lab::Device device(O_RDONLY);
    if (::syscall(SYS_delete_module, "memplug", O_NONBLOCK) == 0) {
      throw Wrong("the module was unloaded while its device was open");
    }
    ++unloads_refused_;
  }

  // At a quiet point. Memory is unplugged, and MemTotal has to be what it was before.
  void reload(const std::string& module, const std::string& parameters) {
    take_some();
    watch_counters();
    const auto deadline = Clock::now() + patience;
    while (::syscall(SYS_delete_module, "memplug", O_NONBLOCK) != 0) {
      if (Clock::now() > deadline) {
        throw Wrong(std::string("the module does not unload: ") + std::strerror(errno));
      }
      std::this_thread::sleep_for(50ms);
    }
    if (lab::memtotal_kib() != memtotal_) {
      throw Wrong("MemTotal is " + std::to_string(lab::memtotal_kib()) +
                  " kB after unloading, it was " + std::to_string(memtotal_) + " kB");
    }
    const int file = ::open(module.c_str(), O_RDONLY | O_CLOEXEC);
    const long loaded = ::syscall(SYS_finit_module, file, parameters.c_str(), 0);
    const int error = errno;
    ::close(file);
    if (loaded != 0) {
      throw Wrong("the module does not load again: " + std::string(std::strerror(error)));
    }
    last_ = lab::sized<memplug_counters>();
    check();
    ++reloads_;
  }

  // After it nothing may be unplugged, or wanted.
  void plug_all() {
    const lab::Device device(O_RDWR);
    auto request = lab::sized<memplug_request>();
    request.flags = MEMPLUG_REQ_ALL;
    const int error = device.call(MEMPLUG_IOC_PLUG, &request);
    const memplug_info info = device.info();
    if (error != 0 || info.out_unplugged_size != 0 || info.out_wanted_size != 0) {
      throw Wrong("after all was plugged " + std::to_string(info.out_unplugged_size) +
                  " bytes are unplugged and " + std::to_string(info.out_wanted_size) +
                  " wanted: " + std::strerror(error));
    }
  }

  [[nodiscard]] std::uint64_t checks() const { return checks_; }
  [[nodiscard]] std::uint64_t reloads() const { return reloads_; }
  [[nodiscard]] std::uint64_t unloads_refused() const { return unloads_refused_; }
  [[nodiscard]] std::uint64_t pages_migrated() const { return pages_migrated_; }
  [[nodiscard]] std::uint64_t pages_claimed() const { return pages_claimed_; }
  [[nodiscard]] std::uint64_t claims() const { return claims_; }
  [[nodiscard]] std::uint64_t claims_failed() const { return claims_failed_; }
  [[nodiscard]] std::uint64_t most_unplugged() const { return most_unplugged_; }
  [[nodiscard]] std::uint64_t wants_dropped() const { return wants_dropped_; }

 private:
  // No target, and what is wanted is back or, if something is in its way, wanted no more. Then
  // nothing changes by itself.
  void settle() {
    const lab::Device device(O_RDWR);
    auto target = lab::sized<memplug_target>();
    target.target = MEMPLUG_NO_TARGET;
    if (const int error = device.call(MEMPLUG_IOC_TARGET, &target)) {
      throw Wrong(std::string("the target can't be dropped: ") + std::strerror(error));
    }
    const auto begin = Clock::now();
    while (device.info().out_wanted_size != 0) {
      if (Clock::now() > begin + 10s) {
        ++wants_dropped_;
        plug_all();
      }
      std::this_thread::sleep_for(20ms);
    }
    std::uint64_t generation = 0;
    do {
      if (Clock::now() > begin + patience) {
        throw Wrong("something still changes although nobody does anything");
      }
      generation = device.info().out_generation;
      std::this_thread::sleep_for(300ms);
    } while (device.info().out_generation != generation);
  }

  void take_some() {
    const lab::Device device(O_RDWR);
    if (device.info().out_unplugged_size != 0) {
      return;
    }
    auto request = lab::sized<memplug_request>();
    request.length = 16 * device.info().out_subblock_size;
    if (const int error = device.call(MEMPLUG_IOC_UNPLUG, &request)) {
      throw Wrong(std::string("UNPLUG before unloading: ") + std::strerror(error));
    }
  }

  static void kpf(const char* verb) {
    const char* log = "/tmp/kpf.log";
    // It looks at every page there is: minutes with KASAN on a busy host.
    const auto status = lab::run_program({"kpf", verb, "/tmp/baseline"}, log).await(4 * patience);
    if (!status) {
      throw Wrong("kpf does not end");
    }
    if (!lab::succeeded(*status)) {
      std::ifstream file(log);
      std::string text{std::istreambuf_iterator<char>(file), {}};
      text.erase(text.find_last_not_of('\n') + 1);
      throw Wrong("the accounts disagree: " + text);
    }
  }

  std::uint64_t memtotal_;
  memplug_counters last_ = lab::sized<memplug_counters>();
  std::uint64_t checks_ = 0;
  std::uint64_t reloads_ = 0;
  std::uint64_t unloads_refused_ = 0;
  std::uint64_t pages_migrated_ = 0;
  std::uint64_t pages_claimed_ = 0;
  std::uint64_t claims_ = 0;
  std::uint64_t claims_failed_ = 0;
  std::uint64_t most_unplugged_ = 0;
  std::uint64_t wants_dropped_ = 0;
};

}  // namespace soak
