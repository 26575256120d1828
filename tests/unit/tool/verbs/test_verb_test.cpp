// SPDX-License-Identifier: MIT
// The verb test: what is taken out and tested, what is kept out and what goes back.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>
#include <set>

#include "temporary_folder.hpp"
#include "test_verb_fixture.hpp"

namespace memplug::test {
namespace {

class TestVerb : public MemoryTestFixture {
 protected:
  nlohmann::json run_json(int expected_status) {
    captured_.output.style.json = true;
    EXPECT_EQ(run_all(), expected_status);
    return nlohmann::json::parse(captured_.data());
  }

  [[nodiscard]] std::size_t count(const std::string& entry) const {
    return static_cast<std::size_t>(std::count(log_.begin(), log_.end(), entry));
  }
};

TEST_F(TestVerb, AllIsGood) {
  const auto report = run_json(0);
  EXPECT_EQ(report.at("requested_size"), 128 * mib);
  EXPECT_EQ(report.at("tested_size"), 128 * mib);
  EXPECT_EQ(report.at("untested_size"), 0);
  EXPECT_EQ(report.at("coverage"), 1.0);
  EXPECT_EQ(report.at("memtester"), "4.6.0");
  EXPECT_EQ(report.at("tests"), nullptr);
  EXPECT_EQ(log_, (std::vector<std::string>{"unplug 0x0000000140000000-0x0000000143ffffff", "close",
                                            "unplug 0x0000000144000000-0x0000000147ffffff", "close",
                                            "close"}))
      << "each chunk has a descriptor of its own";
  EXPECT_EQ(module_.request->flags, MEMPLUG_REQ_RANGE | MEMPLUG_REQ_TIED);
  EXPECT_EQ(module_.opened_for, Access::Write);
}

// memtester has to start while the chunk is out.
TEST_F(TestVerb, ChunkLeavesWhatIsPromised) {
  const TemporaryFolder machine;
  machine.write("/proc/sys/vm/overcommit_memory", "2\n");
  machine.write("/proc/sys/vm/overcommit_ratio", "100\n");
  machine.write("/proc/meminfo", "CommitLimit: 1048576 kB\nCommitted_AS: 999424 kB\n");
  surroundings_ = Surroundings(machine.root());
  options_.all = true;
  EXPECT_NE(complaint_of_run<Failure>().find("64 MiB"), std::string::npos);
  EXPECT_TRUE(calls().empty());
  options_.chunk = "48M";
  EXPECT_EQ(run(), 0);
  options_.chunk.reset();
  options_.all = false;
  EXPECT_EQ(run_range("0x140000000+8M"), 0) << "a chunk is no larger than the range";
}

TEST_F(TestVerb, RunsMemtesterAsAsked) {
  options_.loops = "3";
  options_.tests = "8,0,8";
  options_.chunk = "8M";
  EXPECT_EQ(run_range("0x140000000+12M"), 0);
  EXPECT_EQ(calls(), (std::vector<std::string>{
                         "-p 0x0000000140000000 -d /dev/memplug 8388608B 3 mask=257",
                         "-p 0x0000000140800000 -d /dev/memplug 4194304B 3 mask=257"}));
}

TEST_F(TestVerb, TheEnvironmentChoosesNoTests) {
  ::setenv("MEMTESTER_TEST_MASK", "1", 1);
  EXPECT_EQ(run_range("0x140000000+4M"), 0);
  ::unsetenv("MEMTESTER_TEST_MASK");
  EXPECT_NE(calls().at(0).find("mask=0"), std::string::npos) << calls().at(0);
}

TEST_F(TestVerb, EachRunIsTestedByItself) {
  module_.answer = [](memplug_request& request) {
    request.out_requested = request.length;
    request.out_stop = MEMPLUG_STOP_EXHAUSTED;
    put_blocked(request, {{start + 4 * mib, 4 * mib, 0, MEMPLUG_REASON_UNMOVABLE, 0}});
    if (request.start == start) {
      request.out_done = 8 * mib;
      put_ranges(request, {{start, 4 * mib, MEMPLUG_RANGE_TIED, 0, 1, 0},
                           {start + 8 * mib, 4 * mib, MEMPLUG_RANGE_TIED, 0, 1, 0}});
    }
    return 0;
  };
  EXPECT_EQ(run_range("0x140000000+12M"), 64);
  EXPECT_EQ(calls(),
            (std::vector<std::string>{"-p 0x0000000140000000 -d /dev/memplug 4194304B 1 mask=0",
                                      "-p 0x0000000140800000 -d /dev/memplug 4194304B 1 mask=0"}));
  EXPECT_TRUE(prose_has("unmovable, 4 MiB: kernel memory is in the way")) << captured_.prose();
}

TEST_F(TestVerb, OnlyTheBadSubblockIsKept) {
  write_memtester("bad 0x140801238");
  const auto report = run_json(1);
  const std::vector<std::string> begin(log_.begin(), log_.begin() + 3);
  EXPECT_EQ(begin,
            (std::vector<std::string>{"unplug 0x0000000140000000-0x0000000143ffffff",
                                      "quarantine 0x0000000140800000-0x0000000140bfffff", "close"}))
      << "quarantined before the descriptor is closed";
  EXPECT_EQ(saved_pages(), (std::vector{Range{PhysAddr{0x140801000}, Bytes{4096}}}));
  EXPECT_EQ(report.at("file"), options_.file);
  EXPECT_EQ(report.at("bad_size"), 4 * mib);
  EXPECT_EQ(report.at("tested_size"), 128 * mib);
  ASSERT_EQ(report.at("bad").size(), 1U);
  EXPECT_EQ(report.at("bad")[0].at("start"), 0x140800000);
  EXPECT_EQ(report.at("bad")[0].at("pages"), nlohmann::json::array({0x140801000}));
  EXPECT_EQ(report.at("bad")[0].at("kept"), true);
}

TEST_F(TestVerb, AFaultInTheUpperHalfIsFoundThere) {
  // memtester names 0x140001238 for it.
  write_memtester("bad 0x142001238");
  const auto report = run_json(1);
  ASSERT_EQ(report.at("bad").size(), 1U);
  EXPECT_EQ(report.at("bad")[0].at("start"), 0x142000000);
  EXPECT_EQ(report.at("bad")[0].at("pages"), nlohmann::json::array({0x142001000}));
  EXPECT_EQ(count("quarantine 0x0000000140000000-0x00000001403fffff"), 0U);
}

TEST_F(TestVerb, TheRestOfARunWithAFaultIsTestedAgain) {
  write_memtester("bad 0x140801238");
  EXPECT_EQ(run_range("0x140000000+16M"), 1);
  const std::vector<std::string> lines = calls();
  const std::set<std::string> set(lines.begin(), lines.end());
  EXPECT_TRUE(set.contains("-p 0x0000000140000000 -d /dev/memplug 8388608B 1 mask=0"));
  EXPECT_TRUE(set.contains("-p 0x0000000140c00000 -d /dev/memplug 4194304B 1 mask=0"));
}

TEST_F(TestVerb, AFaultThatDoesNotComeAgainKeepsAllSuspects) {
  write_memtester("[ $size -lt 67108864 ] || bad 0x140001238");
  const auto report = run_json(1);
  ASSERT_EQ(report.at("bad").size(), 2U);
  EXPECT_EQ(report.at("bad")[0].at("start"), 0x140000000);
  EXPECT_EQ(report.at("bad")[1].at("start"), 0x142000000);
}

TEST_F(TestVerb, AFailureWithoutAnAddressIsTheWholeRun) {
  write_memtester("[ $base -ne $((0x144000000)) ] || status=2");
  const auto report = run_json(1);
  EXPECT_EQ(count("quarantine 0x0000000144000000-0x0000000147ffffff"), 1U);
  ASSERT_EQ(report.at("bad").size(), 1U);
  EXPECT_EQ(report.at("bad")[0].at("size"), 64 * mib);
  EXPECT_TRUE(report.at("bad")[0].at("pages").empty());
  EXPECT_EQ(saved_pages(), (std::vector{Range{PhysAddr{0x144000000}, Bytes{64 * mib}}}));
}

TEST_F(TestVerb, NoVerdictIsUntestedAndToldOnce) {
  write_memtester("echo 'failed to mmap /dev/memplug' >&2; exit 1");
  const auto report = run_json(1);
  EXPECT_EQ(report.at("untested_size"), 128 * mib);
  ASSERT_EQ(report.at("untested").size(), 1U);
  EXPECT_EQ(report.at("untested")[0].at("reason"), "memtester");
  const std::string words = "it ended with status 1: failed to mmap /dev/memplug";
  const std::size_t first = captured_.prose().find(words);
  EXPECT_NE(first, std::string::npos) << captured_.prose();
  EXPECT_EQ(captured_.prose().find(words, first + 1), std::string::npos);
  EXPECT_TRUE(module_.quarantines.empty());
}

TEST_F(TestVerb, AKilledMemtesterIsNoVerdict) {
  write_memtester("[ $base -ne $((0x140000000)) ] || kill -KILL $$");
  const auto report = run_json(64);
  EXPECT_EQ(report.at("untested_size"), 64 * mib);
  EXPECT_TRUE(prose_has("signal 9 ended it")) << captured_.prose();
  EXPECT_EQ(calls().size(), 3U) << "once more in the second pass";
}

TEST_F(TestVerb, AMissingMemtesterIsAFailure) {
  options_.memtester = "/nonexistent/memtester";
  options_.all = true;
  try {
    static_cast<void>(run());
    ADD_FAILURE() << "it was run";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code().value(), ENOENT);
    EXPECT_STREQ(failure.what(), "cannot run /nonexistent/memtester: No such file or directory");
    EXPECT_EQ(failure.next_step(),
              "install Debian's package memtester, or name it with --memtester");
  }
  EXPECT_EQ(log_.back(), "close");
}

TEST_F(TestVerb, NoKeepGivesBackWhatIsBad) {
  write_memtester("bad 0x140801238");
  options_.no_keep = true;
  module_.info.out_features &= ~std::uint64_t{MEMPLUG_FEATURE_QUARANTINE};
  const auto report = run_json(1);
  EXPECT_TRUE(module_.quarantines.empty());
  EXPECT_TRUE(saved_pages().empty());
  EXPECT_EQ(report.at("file"), nullptr);
  EXPECT_EQ(report.at("bad")[0].at("kept"), false);
  EXPECT_TRUE(prose_has("'memplugctl quarantine add RANGE'")) << captured_.prose();
}

TEST_F(TestVerb, AnInterruptEndsMemtesterAndIsReported) {
  write_memtester("[ $base -ne $((0x144000000)) ] || { kill -INT $PPID; sleep 30; }");
  const auto begin = std::chrono::steady_clock::now();
  const auto report = run_json(64);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_EQ(report.at("stopped_by"), "interrupted");
  EXPECT_EQ(report.at("tested_size"), 64 * mib);
  ASSERT_EQ(report.at("untested").size(), 1U);
  EXPECT_EQ(report.at("untested")[0].at("reason"), "interrupted");
  EXPECT_EQ(calls().size(), 2U);
  EXPECT_EQ(log_.back(), "close");
}

TEST_F(TestVerb, AnInterruptAtOnceIsAFailure) {
  write_memtester("kill -TERM $PPID; sleep 30");
  const auto report = run_json(1);
  EXPECT_EQ(report.at("stopped_by"), "interrupted");
  EXPECT_EQ(report.at("tested_size"), 0);
}

TEST_F(TestVerb, WhatMemtesterLeavesBehindIsEnded) {
  write_memtester("sleep 30 &");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(run_all(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST_F(TestVerb, ASecondPassTriesWhatWasBlocked) {
  int requests = 0;
  module_.answer = [this, &requests](memplug_request& request) {
    if (++requests > 1) {
      return unplug(request);
    }
    request.out_requested = request.length;
    request.out_stop = MEMPLUG_STOP_EXHAUSTED;
    put_blocked(request, {{request.start, request.length, 0, MEMPLUG_REASON_BUSY, 0}});
    return 0;
  };
  EXPECT_EQ(run_all(), 0);
  EXPECT_EQ(requests, 3);
  EXPECT_EQ(module_.request->start, start);
}

TEST_F(TestVerb, TellsWhatTheFloorKeeps) {
  module_.answer = done_with(0, MEMPLUG_STOP_FLOOR);
  const auto report = run_json(1);
  ASSERT_EQ(report.at("untested").size(), 1U);
  EXPECT_EQ(report.at("untested")[0].at("reason"), "floor");
  EXPECT_TRUE(prose_has("floor, 128 MiB: the floor would be undershot")) << captured_.prose();
}

TEST_F(TestVerb, MemoryThatGoesIsUntested) {
  module_.answer = [this](memplug_request& request) {
    if (request.start != start) {
      return unplug(request);
    }
    subblock_at(0).state = MEMPLUG_SUBBLOCK_UNMANAGED;
    for (std::uint64_t at = subblock; at < 64 * mib; at += subblock) {
      subblock_at(at).state = MEMPLUG_SUBBLOCK_UNPLUGGED;
    }
    request.out_bad_start = start;
    request.out_bad_length = subblock;
    request.out_bad_why = MEMPLUG_BAD_OFFLINE;
    return ENXIO;
  };
  const auto report = run_json(64);
  ASSERT_EQ(report.at("untested").size(), 2U);
  EXPECT_EQ(report.at("untested")[0].at("reason"), "offline");
  EXPECT_EQ(report.at("untested")[0].at("size"), subblock);
  EXPECT_EQ(report.at("untested")[1].at("reason"), "unplugged");
}

TEST_F(TestVerb, AllLeavesOutWhatSomebodyHas) {
  subblock_at(0).state = MEMPLUG_SUBBLOCK_UNPLUGGED;
  const auto report = run_json(0);
  EXPECT_EQ(report.at("requested_size"), 124 * mib);
  EXPECT_EQ(report.at("untested_size"), 0);
  ASSERT_EQ(report.at("untested").size(), 1U);
  EXPECT_EQ(report.at("untested")[0].at("reason"), "unplugged");
  EXPECT_TRUE(prose_has("unplugged, 4 MiB: somebody has it out")) << captured_.prose();
}

TEST_F(TestVerb, AFailureInTheMiddleTellsWhatIsKnown) {
  write_memtester("bad 0x140801238");
  module_.answer = [this](memplug_request& request) {
    return request.start == start ? unplug(request) : EUSERS;
  };
  const auto report = run_json(1);
  EXPECT_EQ(report.at("stopped_by"), "failed");
  EXPECT_EQ(report.at("bad_size"), 4 * mib);
  EXPECT_TRUE(prose_has("ended early: cannot unplug")) << captured_.prose();
}

}  // namespace
}  // namespace memplug::test
