// SPDX-License-Identifier: MIT
// The verb test: what it refuses, and how it goes on from a file.
#include <cerrno>
#include <sstream>

#include "test_verb_fixture.hpp"

namespace memplug::test {
namespace {

class TestVerbOptions : public MemoryTestFixture {
 protected:
  void expect_usage(const TestOptions& options, const std::string& words) {
    options_ = options;
    const std::string complaint = complaint_of_run<UsageError>();
    EXPECT_NE(complaint.find(words), std::string::npos) << complaint;
  }
};

TEST_F(TestVerbOptions, ArgumentsAreNamed) {
  expect_usage({}, "a RANGE or --all is needed");
  expect_usage({.range = "0x140000000+4M", .all = true}, "exclude each other");
  expect_usage({.range = "64M"}, "'64M' is no RANGE, such as 0x140000000+64M; --all is all memory");
  expect_usage({.all = true, .tests = "0,17"}, "--tests: '17' is no test; they are 0 to 16");
  expect_usage({.all = true, .tests = ""}, "--tests: '' is no test");
  expect_usage({.all = true, .tests = "1,"}, "--tests: '' is no test");
  expect_usage({.all = true, .tests = "-1"}, "--tests: '-1' is no test");
  expect_usage({.all = true, .loops = "0"}, "--loops: ");
  expect_usage({.all = true, .chunk = "x"}, "--chunk: ");
  expect_usage({.all = true, .resume = ""}, "--resume: a file's name is needed");
  expect_usage({.all = true, .memtester = ""}, "--memtester: a file's name is needed");
  EXPECT_FALSE(module_.opened_for.has_value());
}

TEST_F(TestVerbOptions, WholeSubblocksOnly) {
  expect_usage({.range = "0x140001000+4M"},
               "the subblocks it touches are 0x0000000140000000-0x00000001407fffff");
  expect_usage({.all = true, .chunk = "6M"},
               "--chunk 6MiB is not a multiple of the subblock, which is 4 MiB; the nearest are "
               "4MiB and 8MiB");
  expect_usage({.all = true, .chunk = "0"},
               "--chunk 0 takes nothing; the least is one subblock, 4 MiB");
  EXPECT_FALSE(module_.request.has_value());
}

TEST_F(TestVerbOptions, AnOlderModuleCannot) {
  options_.all = true;
  for (const std::uint64_t feature : {MEMPLUG_FEATURE_TIED, MEMPLUG_FEATURE_MMAP,
                                      MEMPLUG_FEATURE_SURVEY, MEMPLUG_FEATURE_QUARANTINE}) {
    module_.info.out_features ^= feature;
    EXPECT_NE(complaint_of_run<Failure>().find("is older than this tool"), std::string::npos);
    module_.info.out_features ^= feature;
  }
}

TEST_F(TestVerbOptions, ARangeThatSomebodyHasIsBusy) {
  subblock_at(4 * mib).state = MEMPLUG_SUBBLOCK_UNPLUGGED;
  options_.range = "0x140000000+16M";
  try {
    static_cast<void>(run());
    ADD_FAILURE() << "it was tested";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code().value(), EBUSY);
    EXPECT_STREQ(failure.what(),
                 "part of 0x0000000140000000-0x0000000140ffffff is unplugged already: "
                 "0x0000000140400000-0x00000001407fffff");
    EXPECT_NE(failure.next_step().find("'memplugctl list'"), std::string::npos);
  }
  EXPECT_FALSE(module_.request.has_value());
}

TEST_F(TestVerbOptions, WhatIsNotManagedIsNamed) {
  subblock_at(4 * mib).state = MEMPLUG_SUBBLOCK_UNMANAGED;
  subblock_at(4 * mib).why = MEMPLUG_BAD_ZONE;
  options_.range = "0x140000000+16M";
  const std::string complaint = complaint_of_run<Failure>();
  EXPECT_NE(complaint.find("part of the range is not managed: "
                           "0x0000000140400000-0x00000001407fffff: "
                           "it is in a zone that is not managed"),
            std::string::npos)
      << complaint;
  EXPECT_FALSE(module_.request.has_value());
}

TEST_F(TestVerbOptions, NothingIsManaged) {
  module_.subblocks.clear();
  module_.info.out_managed_size = 0;
  EXPECT_EQ(run_all(), 1);
  EXPECT_TRUE(prose_has("no memory here is managed")) << captured_.prose();
}

TEST_F(TestVerbOptions, ProgressIsALineForEachTenth) {
  options_.chunk = "4M";
  EXPECT_EQ(run_all(), 0);
  EXPECT_TRUE(prose_has("memplugctl: test: tested 12 %, 16 MiB of 128 MiB, nothing bad so far\n"))
      << captured_.prose();
  EXPECT_TRUE(prose_has("tested 100 %, 128 MiB of 128 MiB")) << captured_.prose();
  std::size_t lines = 0;
  std::istringstream prose(captured_.prose());
  for (std::string line; std::getline(prose, line);) {
    lines += line.find("so far") != std::string::npos ? 1U : 0U;
  }
  EXPECT_EQ(lines, 10U);
}

TEST_F(TestVerbOptions, QuietTellsNothing) {
  captured_.output.style.quiet = true;
  EXPECT_EQ(run_all(), 0);
  EXPECT_EQ(captured_.prose(), "");
}

class TestVerbResume : public MemoryTestFixture {
 protected:
  TestVerbResume() { options_.resume = path_; }

  [[nodiscard]] std::string content() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }
  void forget_calls() const { std::filesystem::remove(folder_ + "/calls"); }

  std::string path_ = folder_ + "/state";
};

TEST_F(TestVerbResume, GoesOnWhereItWasInterrupted) {
  write_memtester("[ $base -ne $((0x144000000)) ] || { kill -INT $PPID; sleep 30; }");
  EXPECT_EQ(run_all(), 64);
  EXPECT_TRUE(prose_has("the same command goes on from here, with --resume " + path_))
      << captured_.prose();
  forget_calls();
  write_memtester("");
  EXPECT_EQ(run_all(), 0);
  EXPECT_EQ(calls().size(), 1U);
  EXPECT_NE(calls().at(0).find("-p 0x0000000144000000"), std::string::npos);
  EXPECT_TRUE(prose_has(path_ + " has the whole result and stays")) << captured_.prose();
  forget_calls();
  EXPECT_EQ(run_all(), 0);
  EXPECT_TRUE(calls().empty()) << "there is nothing left to test";
}

TEST_F(TestVerbResume, WhatIsBadStaysBadAndIsNobodysElse) {
  write_memtester("bad 0x140801238");
  EXPECT_EQ(run_range("0x140000000+64M"), 1);
  fill_memory();
  subblock_at(8 * mib).state = MEMPLUG_SUBBLOCK_UNPLUGGED;
  subblock_at(8 * mib).flags = MEMPLUG_SUBBLOCK_QUARANTINED;
  forget_calls();
  EXPECT_EQ(run_range("0x140000000+128M"), 1) << "not EBUSY for what is in quarantine";
  EXPECT_EQ(calls().size(), 1U);
  EXPECT_NE(captured_.data().find("0x0000000140800000-0x0000000140bfffff  4 MiB     0  kept out"),
            std::string::npos)
      << captured_.data();
  EXPECT_NE(captured_.data().find("0x0000000140801000-0x0000000140801fff"), std::string::npos);
}

TEST_F(TestVerbResume, OtherTestsAreRefused) {
  EXPECT_EQ(run_all(), 0);
  const std::string before = content();
  options_.loops = "2";
  EXPECT_NE(complaint_of_run<UsageError>().find("it has the results of all tests and --loops 1"),
            std::string::npos);
  EXPECT_EQ(content(), before);
}

TEST_F(TestVerbResume, ADamagedFileIsRefused) {
  std::ofstream(path_) << "junk";
  options_.all = true;
  EXPECT_NE(complaint_of_run<UsageError>().find("no JSON at byte 1"), std::string::npos);
  EXPECT_EQ(content(), "junk");
  EXPECT_FALSE(module_.request.has_value());
}

TEST_F(TestVerbResume, AFileThatCannotBeWrittenIsFoundAtOnce) {
  options_.resume = "/proc/nonexistent/state";
  options_.all = true;
  EXPECT_NE(complaint_of_run<Failure>().find("cannot"), std::string::npos);
  EXPECT_FALSE(module_.request.has_value());
}

}  // namespace
}  // namespace memplug::test
