// SPDX-License-Identifier: MIT
// What memtester 4.6.0 has been seen to print, and what it is taken for.
#include "ramtest/memtester_output.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <string>

namespace memplug {
namespace {

constexpr std::uint64_t mib = 1ULL << 20U;
constexpr std::uint64_t start = 0x140000000;
constexpr Range tested{PhysAddr{start}, Bytes{8 * mib}};

// As waitpid() tells it.
constexpr int exited(int status) { return status << 8; }

MemtesterOutput output_of(const std::string& from_stdout, const std::string& from_stderr) {
  MemtesterOutput output(tested);
  output.add_stdout(from_stdout);
  output.add_stderr(from_stderr);
  output.finish();
  return output;
}

const std::string good_output =
    "memtester version 4.6.0 (64-bit)\n"
    "Copyright (C) 2001-2020 Charles Cazabon.\n"
    "Licensed under the GNU General Public License version 2 (only).\n"
    "\n"
    "pagesize is 4096\n"
    "pagesizemask is 0xfffffffffffff000\n"
    "want 8MB (8388608 bytes)\n"
    "Loop 1/1:\n"
    "  Stuck Address       : \b\b\b\b\b\b\b\b\b\b\bsetting   0\b\b\btesting   0ok\n"
    "\n"
    "Done.\n";

TEST(MemtesterOutput, AllIsGood) {
  const MemtesterOutput output = output_of(good_output, "");
  EXPECT_EQ(judge(exited(0), output), Verdict::Good);
  EXPECT_FALSE(output.names_failure());
  EXPECT_EQ(output.version(), "4.6.0");
}

TEST(MemtesterOutput, AComparisonSuspectsBothHalves) {
  const auto output =
      output_of(good_output,
                "FAILURE: 0x55443322115aa55a != 0xcd6e55da6da7551e at physical address "
                "0x0000000140001238.\n");
  EXPECT_EQ(judge(exited(4), output), Verdict::Bad);
  ASSERT_EQ(output.failures().size(), 1U);
  const MemtesterFailure& failure = *output.failures().begin();
  EXPECT_EQ(failure.page, PhysAddr{start + 0x1000});
  EXPECT_EQ(failure.other, PhysAddr{start + 4 * mib + 0x1000});
}

TEST(MemtesterOutput, TheAddressTestKnowsTheWord) {
  const auto output =
      output_of("",
                "FAILURE: possible bad address line at physical address 0x0000000140001238.\n"
                "FAILURE: possible bad address line at physical address 0x0000000140401238.\n");
  ASSERT_EQ(output.failures().size(), 2U);
  EXPECT_EQ(output.failures().begin()->page, PhysAddr{start + 0x1000});
  EXPECT_EQ(output.failures().begin()->other, std::nullopt);
  EXPECT_EQ(output.failures().rbegin()->page, PhysAddr{start + 4 * mib + 0x1000});
}

TEST(MemtesterOutput, APageAloneSuspectsNothingElse) {
  MemtesterOutput output(Range{PhysAddr{start}, Bytes{4096}});
  output.add_stderr("FAILURE: 0x1 != 0x0 at physical address 0x0000000140000008.\n");
  output.finish();
  ASSERT_EQ(output.failures().size(), 1U);
  EXPECT_EQ(output.failures().begin()->other, std::nullopt);
}

TEST(MemtesterOutput, APageIsToldOfOnce) {
  std::string text;
  for (int word = 0; word < 512; ++word) {
    text += "FAILURE: 0x1 != 0x0 at physical address 0x0000000140000" +
            std::string{"0123456789abcdef"[word / 32]} + "f0.\n";
  }
  EXPECT_EQ(output_of("", text).failures().size(), 1U);
}

TEST(MemtesterOutput, ComesInPiecesAndInTheMiddleOfALine) {
  MemtesterOutput output(tested);
  const std::string text =
      "  Solid Bits          : testing  23FAILURE: 0xff != 0x0 at physical address "
      "0x0000000140400000.";
  for (const char c : text) {
    output.add_stdout(std::string(1, c));
  }
  EXPECT_FALSE(output.names_failure());
  output.finish();
  ASSERT_EQ(output.failures().size(), 1U);
  EXPECT_EQ(output.failures().begin()->page, PhysAddr{start + 4 * mib});
}

TEST(MemtesterOutput, EndlessProgressIsNotKept) {
  MemtesterOutput output(tested);
  const std::string progress(1000, '\b');
  for (int i = 0; i < 1000; ++i) {
    output.add_stdout(progress);
  }
  output.add_stdout("FAILURE: 0xff != 0x0 at physical address 0x0000000140000000.\n");
  output.finish();
  EXPECT_EQ(output.failures().size(), 1U);
}

TEST(MemtesterOutput, AnAddressElsewhereIsNoAddressOfOurs) {
  for (const char* address : {"0x000000013fffffff", "0x0000000140800000", "0x", "junk", ""}) {
    const auto output =
        output_of("", std::string("FAILURE: 0x1 != 0x0 at physical address ") + address + ".\n");
    EXPECT_TRUE(output.names_failure()) << address;
    EXPECT_TRUE(output.failures().empty()) << address;
    EXPECT_EQ(judge(exited(4), output), Verdict::Bad) << address;
  }
}

TEST(MemtesterOutput, TheStatusAloneIsEnough) {
  const MemtesterOutput silent = output_of("", "");
  for (const int status : {2, 3, 4, 5, 6, 7}) {
    EXPECT_EQ(judge(exited(status), silent), Verdict::Bad) << status;
  }
  // 126 and 127 are a shell's that can't run it.
  for (const int status : {1, 8, 64, 126, 127, 255}) {
    EXPECT_EQ(judge(exited(status), silent), Verdict::None) << status;
  }
  EXPECT_EQ(judge(SIGKILL, silent), Verdict::None);
}

TEST(MemtesterOutput, WhatItHasSaidBeforeItWasKilledCounts) {
  const auto output =
      output_of("", "FAILURE: 0x1 != 0x0 at physical address 0x0000000140000000.\n");
  EXPECT_EQ(judge(SIGTERM, output), Verdict::Bad);
}

TEST(MemtesterOutput, TellsWhyThereIsNoVerdict) {
  EXPECT_EQ(
      explain_no_verdict(exited(1), output_of(good_output, "failed to\nmmap\nUsage: memtester\n")),
      "it ended with status 1: mmap");
  EXPECT_EQ(explain_no_verdict(exited(1), output_of("\b\b only \033[1mthis\n\n", "")),
            "it ended with status 1: only [1mthis");
  EXPECT_EQ(explain_no_verdict(exited(1), output_of("", "")), "it ended with status 1");
  EXPECT_EQ(explain_no_verdict(SIGKILL, output_of("", "")), "signal 9 ended it");
  EXPECT_NE(explain_no_verdict(SIGBUS, output_of("", "")).find("a memory error"),
            std::string::npos);
}

}  // namespace
}  // namespace memplug
