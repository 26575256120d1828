// SPDX-License-Identifier: MIT
// A module that tests hold in their hands: it answers as the ABI says, from plain variables, and
// keeps the requests it saw. It decides nothing; what a request results in is the test's to say.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "channel.hpp"
#include "memplug/device.hpp"
#include "request/open_device.hpp"
#include "terminal/output.hpp"

namespace memplug::test {

inline constexpr std::uint64_t mib = 1ULL << 20U;
inline constexpr std::uint64_t gib = 1ULL << 30U;

struct FakeModule {
  FakeModule();
  // Its answers know where it is.
  FakeModule(const FakeModule&) = delete;
  FakeModule& operator=(const FakeModule&) = delete;
  ~FakeModule() = default;

  memplug_info info{};
  std::vector<memplug_node> nodes;
  std::vector<memplug_range> ranges;
  memplug_counters counters{};
  std::uint32_t list_flags = 0;
  // What LIST tells of the quarantine.
  std::vector<memplug_range> quarantined;
  // What a SURVEY tells of, whatever it asks for, in portions of so many records.
  std::vector<memplug_subblock> subblocks;
  std::size_t survey_portion = 1000;
  // Answers as a module that knows no more than the first version of the structures.
  bool first_version = false;
  // Called before each INFO with the number of earlier ones, to change something meanwhile.
  std::function<void(int)> before_info = [](int) {};
  // Called before each LIST with the number of earlier ones, to change something meanwhile.
  std::function<void(int)> before_list = [](int) {};
  // What an UNPLUG or PLUG comes to: fills in the out_ fields, returns the errno.
  std::function<int(memplug_request&)> answer;
  // What a TARGET comes to; at first it is set and worked toward.
  std::function<int(memplug_target&)> answer_target;
  // What a QUARANTINE comes to: fills in the out_ fields, returns the errno. At first it says that
  // all of it is out now, or no longer, and keeps it in mind.
  std::function<int(memplug_quarantine&)> answer_quarantine;
  std::vector<memplug_quarantine> quarantines;
  // What the next read() takes.
  std::vector<memplug_event> events;
  // Called for each SURVEY with the number of earlier ones; returns its errno.
  std::function<int(int)> answer_survey = [](int) { return 0; };
  // What happens during each wait, with the number of earlier ones; returns its errno.
  std::function<int(int, std::chrono::milliseconds)> answer_wait;

  // What opener() has for sysfs; empty: no other driver is at work.
  std::string sysfs;

  // What it says it is open as.
  int descriptor = -1;

  int info_calls = 0;
  int node_calls = 0;
  int list_calls = 0;
  int wait_calls = 0;
  int survey_calls = 0;
  std::optional<Access> opened_for;
  std::optional<Operation> operation;
  std::optional<memplug_request> request;
  std::optional<memplug_target> target;
};

// An answer in which all is done, as one range that begins here.
[[nodiscard]] std::function<int(memplug_request&)> done_at(std::uint64_t start);
// An answer with so much done and this stop.
[[nodiscard]] std::function<int(memplug_request&)> done_with(std::uint64_t done,
                                                             std::uint32_t stop);

void put_ranges(memplug_request& request, const std::vector<memplug_range>& ranges);
void put_blocked(memplug_request& request, const std::vector<memplug_blocked>& blocked);

[[nodiscard]] std::unique_ptr<Channel> make_channel(FakeModule& module);
[[nodiscard]] OpenDevice opener(FakeModule& module);

// An Output whose two streams can be read.
class Captured {
 public:
  Captured() = default;
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  ~Captured() = default;

  [[nodiscard]] std::string data() const { return data_.str(); }
  [[nodiscard]] std::string prose() const { return prose_.str(); }

 private:
  std::ostringstream data_;
  std::ostringstream prose_;

 public:
  Output output{{}, data_, prose_, false};
};

}  // namespace memplug::test
