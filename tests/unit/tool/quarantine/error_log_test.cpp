// SPDX-License-Identifier: MIT
// Memory errors, in the words of those that tell of them.
#include "quarantine/error_log.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace memplug::test {
namespace {

using namespace std::chrono_literals;

std::optional<MemoryError> told(const std::vector<std::string>& lines,
                                LogSource source = LogSource::Text) {
  ErrorLog log;
  std::optional<MemoryError> error;
  for (const std::string& line : lines) {
    EXPECT_FALSE(error.has_value()) << "told before " << line;
    error = log.take({line, source, {}});
  }
  return error;
}

const std::string edac_line =
    "EDAC MC0: 1 CE read error on DIMM_A1 (page:0x14000a offset:0x0 grain:32)";
const std::string failure_line =
    "Memory failure: 0x14000a: recovery action for dirty LRU page: Recovered";
const std::string rasdaemon_line =
    "<...>-123   [001]     0.000012: mc_event:             2026-01-01 00:00:00 +0000 2 "
    "Corrected errors: memory read error on DIMM_A1 (mc: 0 location: 1:0 address: "
    "0x14000a680 grain: 32)";

TEST(ErrorLog, Edac) {
  EXPECT_EQ(told({"EDAC MC0: 1 CE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0 (channel:1 "
                  "slot:0 page:0x14000a offset:0x680 grain:32 syndrome:0x0 - area:DRAM)"}),
            (MemoryError{PhysAddr{0x14000a680}, true, 1}));
  EXPECT_EQ(told({"EDAC MC0: 1 CE on DIMM_A1 (page:0x1 offset:0x0 grain:32)"}),
            (MemoryError{PhysAddr{0x1000}, true, 1}))
      << "whose driver says no more";
  EXPECT_EQ(told({"EDAC MC1: 3 UE memory scrub error on unknown label (node:0 "
                  "page:0x123 offset:0x0 grain:4096)"}),
            (MemoryError{PhysAddr{0x123000}, false, 3}));
}

TEST(ErrorLog, MachineChecksOfTheKernel) {
  EXPECT_EQ(told({"mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank 8: 8c00004000010090",
                  "mce: [Hardware Error]: TSC 0 ADDR 14000a680 MISC 86 "}),
            (MemoryError{PhysAddr{0x14000a680}, true, 1, ErrorTeller::MachineCheck}));
  EXPECT_EQ(told({"mce: [Hardware Error]: CPU 0: Machine Check Exception: 5 Bank 8: "
                  "be00000000010091",
                  "mce: [Hardware Error]: RIP 10:<ffffffff8100> ",
                  "mce: [Hardware Error]: TSC 1 ADDR 1000"}),
            (MemoryError{PhysAddr{0x1000}, false, 1, ErrorTeller::MachineCheck}));
}

TEST(ErrorLog, MachineChecksOfMcelog) {
  EXPECT_EQ(told({"MCE 0", "CPU 0 BANK 5 TSC 0", "MISC 0 ADDR 3f5c40", "TIME 1500000000",
                  "MCi status:", "Corrected error", "STATUS 8c00004000010091 MCGSTATUS 0"}),
            (MemoryError{PhysAddr{0x3f5c40}, true, 1, ErrorTeller::Mcelog}));
}

TEST(ErrorLog, OtherMachineChecksAreNone) {
  const std::string at = "mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank 1: ";
  const std::string address = "mce: [Hardware Error]: TSC 0 ADDR 1000 ";
  EXPECT_EQ(told({at + "9400004000040150", address}), std::nullopt) << "a cache";
  EXPECT_EQ(told({at + "8800004000010090", address}), std::nullopt) << "its address is not valid";
  EXPECT_EQ(told({at + "0c00004000010090", address}), std::nullopt) << "nothing of it is valid";
  // Of two, neither has the other's address.
  EXPECT_EQ(told({at + "8c00004000010090", at + "9400004000040150", address}), std::nullopt);
}

TEST(ErrorLog, MemoryFailures) {
  EXPECT_EQ(told({failure_line}),
            (MemoryError{PhysAddr{0x14000a000}, false, 1, ErrorTeller::MemoryFailure}));
  EXPECT_EQ(told({"Memory failure: 0x14000a: already hardware poisoned"}), std::nullopt);
}

TEST(ErrorLog, Rasdaemon) {
  EXPECT_EQ(told({rasdaemon_line}),
            (MemoryError{PhysAddr{0x14000a680}, true, 2, ErrorTeller::Rasdaemon}));
  EXPECT_EQ(told({"mc_event: 2026-01-01 00:00:00 +0000 1 Uncorrected error: on DIMM_A1 (mc: 0 "
                  "address: 0x1000)"}),
            (MemoryError{PhysAddr{0x1000}, false, 1, ErrorTeller::Rasdaemon}));
  EXPECT_EQ(told({"mc_event: 1 Info error: on DIMM_A1 (mc: 0 address: 0x1000)"}), std::nullopt);
}

TEST(ErrorLog, EachIsBelievedInItsOwnWords) {
  for (const std::string& line : {edac_line, failure_line}) {
    EXPECT_TRUE(told({line}, LogSource::Kernel)) << line;
    EXPECT_FALSE(told({line}, LogSource::Rasdaemon)) << line;
    EXPECT_FALSE(told({line}, LogSource::Mcelog)) << line;
  }
  EXPECT_TRUE(told({rasdaemon_line}, LogSource::Rasdaemon));
  EXPECT_FALSE(told({rasdaemon_line}, LogSource::Kernel));
}

TEST(ErrorLog, TheKernelRepeatsWhatUsersSay) {
  for (const std::string& line : {
           "tmpfs: Unknown parameter '" + failure_line + "'",
           "tmpfs: Unknown parameter 'x\n" + failure_line + "'",
           "x: " + edac_line,
           // Names of programs, which have at most 15 characters.
           std::string(
               "EDAC MC0: 1 CE [123]: segfault at 0 error 4 in x on y (page:0x1 offset:0x0"),
           std::string("EDAC MC0: 1 CE : page allocation failure: order:0, cpuset= on x (page:0x1"),
           std::string("Memory failure:[12]: segfault at 0 in 0x1: recovery action for x"),
           std::string("mce: [Hardware [12]: segfault at 0 in ADDR 1000: Machine Check: 0 Bank 8: "
                       "8c00004000010090"),
       }) {
    EXPECT_EQ(told({line}, LogSource::Kernel), std::nullopt) << line;
  }
}

// Drivers tell of the machine check as well, in lines of their own.
TEST(ErrorLog, OneErrorIsNoTwo) {
  ErrorLog log;
  int told = 0;
  for (const char* line :
       {"EDAC sbridge MC3: CPU 0: Machine Check Event: 0 Bank 7: 8c00004000010090",
        "EDAC sbridge MC3: ADDR 12345000",
        "EDAC MC3: 1 CE read error on DIMM (page:0x12345 offset:0x0 grain:32)"}) {
    told += log.take({line, LogSource::Text, {}}) ? 1 : 0;
  }
  EXPECT_EQ(told, 1);
}

TEST(ErrorLog, AnythingElseIsNone) {
  for (const std::string& line :
       {std::string(), std::string("EDAC MC0: Giving out device to module skx_edac"),
        std::string("EDAC MC0: 1 CE error (page:0x fffff offset:)"),
        std::string("EDAC MC0: 0 CE error (page:0x1 offset:0x0)"),
        std::string("EDAC MC0: 1 CE error (page:0xffffffffffffffff offset:0x0)"),
        std::string("Memory failure: "), std::string("mc_event:"), std::string(100000, 'x'),
        std::string("ADDR 1000")}) {
    EXPECT_EQ(told({line}), std::nullopt) << line.substr(0, 80);
  }
}

MemoryError corrected(std::uint64_t address, std::uint64_t count = 1) {
  return {PhysAddr{address}, true, count};
}

TEST(ErrorCounts, SoManyOfAPageAreTooMany) {
  ErrorCounts counts(3);
  EXPECT_FALSE(counts.take(corrected(0x1000), {}));
  EXPECT_FALSE(counts.take(corrected(0x2000), {})) << "another page";
  EXPECT_FALSE(counts.take(corrected(0x1fff), {}));
  EXPECT_TRUE(counts.take(corrected(0x1800), {}));
  EXPECT_TRUE(counts.take(corrected(0x1000), {})) << "until something is done about it";
}

TEST(ErrorCounts, WhatIsSettledIsNoNews) {
  ErrorCounts counts(1);
  EXPECT_TRUE(counts.take(corrected(0x5000), {}));
  counts.settle({PhysAddr{0x4000}, Bytes{0x4000}});
  for (const bool is_corrected : {true, false}) {
    EXPECT_FALSE(counts.take({PhysAddr{0x5000}, is_corrected, 1}, {}));
    EXPECT_FALSE(counts.take({PhysAddr{0x7fff}, is_corrected, 1}, {}));
    EXPECT_TRUE(counts.take({PhysAddr{0x8000}, is_corrected, 1}, {}));
    EXPECT_TRUE(counts.take({PhysAddr{0x3fff}, is_corrected, 1}, {}));
  }
}

TEST(ErrorCounts, SeveralAtOnceCount) {
  ErrorCounts counts(3);
  EXPECT_TRUE(counts.take(corrected(0x1000, ~std::uint64_t{0}), {}));
  EXPECT_FALSE(counts.take(corrected(0x2000, 2), {}));
  EXPECT_TRUE(counts.take(corrected(0x2000, 2), {}));
}

TEST(ErrorCounts, EachTellerIsCountedByItself) {
  ErrorCounts counts(2);
  MemoryError error = corrected(0x1000);
  for (const ErrorTeller teller : {ErrorTeller::Edac, ErrorTeller::MachineCheck,
                                   ErrorTeller::Rasdaemon, ErrorTeller::Mcelog}) {
    error.teller = teller;
    EXPECT_FALSE(counts.take(error, {}));
  }
  EXPECT_TRUE(counts.take(error, {}));
}

TEST(ErrorCounts, OneThatIsNotCorrectedIsEnough) {
  ErrorCounts counts(1000);
  EXPECT_TRUE(counts.take({PhysAddr{0x1000}, false, 1}, {}));
}

TEST(ErrorCounts, OldOnesAreForgotten) {
  ErrorCounts counts(2);
  const LogEntry::Time now{};
  EXPECT_FALSE(counts.take(corrected(0x1000), now));
  EXPECT_FALSE(counts.take(corrected(0x1000), now + 25h));
  EXPECT_TRUE(counts.take(corrected(0x1000), now + 26h));
}

}  // namespace
}  // namespace memplug::test
