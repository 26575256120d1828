// SPDX-License-Identifier: MIT
// The verb test against the fake module, with a memtester that is a shell script: it prints what
// the real one prints, and finds bad what it is told to.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fake_channel.hpp"
#include "memplug/failure.hpp"
#include "temporary_folder.hpp"
#include "verbs/test.hpp"

namespace memplug::test {

// Tells when it is closed; else it is the fake module's.
class ClosingChannel final : public Channel {
 public:
  ClosingChannel(FakeModule& module, std::vector<std::string>& log)
      : channel_(make_channel(module)), log_(log) {}
  ClosingChannel(const ClosingChannel&) = delete;
  ClosingChannel& operator=(const ClosingChannel&) = delete;
  ~ClosingChannel() override { log_.emplace_back("close"); }

  int info(memplug_info& info) override { return channel_->info(info); }
  int nodes(memplug_nodes& nodes) override { return channel_->nodes(nodes); }
  int list(memplug_list& list) override { return channel_->list(list); }
  int counters(memplug_counters& counters) override { return channel_->counters(counters); }
  int progress(memplug_progress& progress) override { return channel_->progress(progress); }
  int unplug(memplug_request& request) override { return channel_->unplug(request); }
  int plug(memplug_request& request) override { return channel_->plug(request); }
  int target(memplug_target& target) override { return channel_->target(target); }
  int survey(memplug_survey& survey) override { return channel_->survey(survey); }
  int quarantine(memplug_quarantine& asked) override { return channel_->quarantine(asked); }
  int wait(std::chrono::milliseconds timeout) override { return channel_->wait(timeout); }
  int read(std::vector<memplug_event>& events) override { return channel_->read(events); }
  [[nodiscard]] int descriptor() const override { return channel_->descriptor(); }

 private:
  std::unique_ptr<Channel> channel_;
  std::vector<std::string>& log_;
};

// 128 MiB of plugged memory in subblocks of 4 MiB.
class MemoryTestFixture : public testing::Test {
 protected:
  static constexpr std::uint64_t start = 5 * gib;
  static constexpr std::uint64_t subblock = 4 * mib;

  MemoryTestFixture() {
    module_.info.out_features |= MEMPLUG_FEATURE_TIED | MEMPLUG_FEATURE_MMAP;
    fill_memory();
    module_.answer = [this](memplug_request& request) { return unplug(request); };
    const auto quarantine = module_.answer_quarantine;
    module_.answer_quarantine = [this, quarantine](memplug_quarantine& asked) {
      log_.push_back("quarantine " + print_range({PhysAddr{asked.start}, Bytes{asked.length}}));
      return quarantine(asked);
    };
    options_.device_path = &device_path_;
    options_.memtester = folder_ + "/memtester";
    options_.file = folder_ + "/quarantine";
    write_memtester("");
  }

  // All of it is plugged.
  void fill_memory() {
    module_.subblocks.clear();
    for (std::uint64_t at = start; at < start + 128 * mib; at += subblock) {
      memplug_subblock record{};
      record.start = at;
      record.length = subblock;
      record.state = MEMPLUG_SUBBLOCK_PLUGGED;
      module_.subblocks.push_back(record);
    }
  }
  memplug_subblock& subblock_at(std::uint64_t offset) {
    return module_.subblocks.at(offset / subblock);
  }

  // The rest of the script runs after memtester's first lines: $base and $size are what it tests,
  // 'bad ADDRESS' is a word that never holds what it should. It ends with $status.
  void write_memtester(const std::string& script) const {
    const std::string path = folder_ + "/memtester";
    std::filesystem::remove(path);
    std::ofstream(path)
        << "#!/bin/sh\n"
           "echo \"$* mask=$MEMTESTER_TEST_MASK\" >>'" +
               folder_ +
               "/calls'\n"
               "base=$(($2)) size=${5%B} status=0\n"
               "bad() {\n"
               "  offset=$(($1 - base))\n"
               "  [ $offset -ge 0 ] && [ $offset -lt $size ] || return 0\n"
               "  word=$((base + offset % (size / 2)))\n"
               "  printf 'FAILURE: 0x%016x != 0x%016x at physical address 0x%016x.\\n' 1 0 $word "
               ">&2\n"
               "  status=$((status | 4))\n"
               "}\n"
               "printf 'memtester version 4.6.0 (64-bit)\\nLoop 1/1:\\n  Solid Bits : '\n" +
               script +
               "\n"
               "echo Done.\n"
               "exit $status\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }

  // Takes all of a range, as one run.
  int unplug(memplug_request& request) {
    log_.push_back("unplug " + print_range({PhysAddr{request.start}, Bytes{request.length}}));
    request.out_requested = request.length;
    request.out_done = request.length;
    put_ranges(request, {{request.start, request.length, MEMPLUG_RANGE_TIED, 0, 1, 0}});
    return 0;
  }

  int run() {
    const OpenDevice open = [this](Access access) {
      module_.opened_for = access;
      return Device(std::make_unique<ClosingChannel>(module_, log_));
    };
    return static_cast<int>(run_test(options_, open, surroundings_, captured_.output));
  }
  int run_all() {
    options_.all = true;
    return run();
  }
  // A survey tells of nothing else then.
  int run_range(const std::string& text) {
    options_.range = text;
    const Range range = parse_range(text);
    std::erase_if(module_.subblocks, [range](const memplug_subblock& record) {
      return record.start < range.start.value || record.start > last_byte(range).value;
    });
    return run();
  }

  template <typename Error>
  std::string complaint_of_run() {
    try {
      static_cast<void>(run());
    } catch (const Error& error) {
      return error.what();
    }
    ADD_FAILURE() << "nothing was refused";
    return "";
  }

  // How memtester was called, one line each.
  [[nodiscard]] std::vector<std::string> calls() const {
    std::vector<std::string> lines;
    std::ifstream file(folder_ + "/calls");
    for (std::string line; std::getline(file, line);) {
      lines.push_back(line);
    }
    return lines;
  }
  // What the quarantine file has.
  [[nodiscard]] std::vector<Range> saved_pages() const {
    return QuarantineFile(options_.file).read_if_there();
  }
  [[nodiscard]] bool prose_has(const std::string& words) const {
    return captured_.prose().find(words) != std::string::npos;
  }

  FakeModule module_;
  Captured captured_;
  Surroundings surroundings_{"/nonexistent"};
  TestOptions options_;
  std::vector<std::string> log_;
  TemporaryFolder temporary_;
  const std::string& folder_ = temporary_.root();
  std::string device_path_ = "/dev/memplug";
};

}  // namespace memplug::test
