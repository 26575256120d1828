// SPDX-License-Identifier: MIT
// Memory errors, in the words of those that tell of them.
#include "quarantine/error_log.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace memplug::test {
namespace {

using namespace std::chrono_literals;

std::optional<MemoryError> told(const std::vector<std::string>& lines) {
  ErrorLog log;
  std::optional<MemoryError> error;
  for (const std::string& line : lines) {
    EXPECT_FALSE(error.has_value()) << "told before " << line;
    error = log.take(line);
  }
  return error;
}

TEST(ErrorLog, Edac) {
  EXPECT_EQ(told({"EDAC MC0: 1 CE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0 (channel:1 "
                  "slot:0 page:0x14000a offset:0x680 grain:32 syndrome:0x0 - area:DRAM)"}),
            (MemoryError{PhysAddr{0x14000a680}, true, 1}));
  EXPECT_EQ(told({"[ 12.345] EDAC MC1: 3 UE memory scrub error on unknown label (node:0 "
                  "page:0x123 offset:0x0 grain:4096)"}),
            (MemoryError{PhysAddr{0x123000}, false, 3}));
}

TEST(ErrorLog, MachineChecksOfTheKernel) {
  EXPECT_EQ(told({"mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank 8: 8c00004000010090",
                  "mce: [Hardware Error]: TSC 0 ADDR 14000a680 MISC 86 "}),
            (MemoryError{PhysAddr{0x14000a680}, true, 1}));
  EXPECT_EQ(told({"mce: [Hardware Error]: CPU 0: Machine Check Exception: 5 Bank 8: "
                  "be00000000010091",
                  "mce: [Hardware Error]: RIP 10:<ffffffff8100> ",
                  "mce: [Hardware Error]: TSC 1 ADDR 1000"}),
            (MemoryError{PhysAddr{0x1000}, false, 1}));
}

TEST(ErrorLog, MachineChecksOfMcelog) {
  EXPECT_EQ(told({"MCE 0", "CPU 0 BANK 5 TSC 0", "MISC 0 ADDR 3f5c40", "TIME 1500000000",
                  "MCi status:", "Corrected error", "STATUS 8c00004000010091 MCGSTATUS 0"}),
            (MemoryError{PhysAddr{0x3f5c40}, true, 1}));
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
  EXPECT_EQ(told({"Memory failure: 0x14000a: recovery action for dirty LRU page: Recovered"}),
            (MemoryError{PhysAddr{0x14000a000}, false, 1}));
  EXPECT_EQ(told({"Memory failure: 0x14000a: already hardware poisoned"}), std::nullopt);
}

TEST(ErrorLog, Rasdaemon) {
  EXPECT_EQ(
      told({"<...>-123   [001]     0.000012: mc_event:             2026-01-01 00:00:00 +0000 2 "
            "Corrected errors: memory read error on DIMM_A1 (mc: 0 location: 1:0 address: "
            "0x14000a680 grain: 32)"}),
      (MemoryError{PhysAddr{0x14000a680}, true, 2}));
  EXPECT_EQ(told({"mc_event: 2026-01-01 00:00:00 +0000 1 Uncorrected error: on DIMM_A1 (mc: 0 "
                  "address: 0x1000)"}),
            (MemoryError{PhysAddr{0x1000}, false, 1}));
  EXPECT_EQ(told({"mc_event: 1 Info error: on DIMM_A1 (mc: 0 address: 0x1000)"}), std::nullopt);
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
  const ErrorCounts::Clock::time_point now{};
  EXPECT_FALSE(counts.take(corrected(0x1000), now));
  EXPECT_FALSE(counts.take(corrected(0x2000), now)) << "another page";
  EXPECT_FALSE(counts.take(corrected(0x1fff), now));
  EXPECT_TRUE(counts.take(corrected(0x1800), now));
  EXPECT_FALSE(counts.take(corrected(0x1000), now)) << "anew";
}

TEST(ErrorCounts, SeveralAtOnceCount) {
  ErrorCounts counts(3);
  EXPECT_TRUE(counts.take(corrected(0x1000, ~std::uint64_t{0}), {}));
  EXPECT_FALSE(counts.take(corrected(0x2000, 2), {}));
  EXPECT_TRUE(counts.take(corrected(0x2000, 2), {}));
}

TEST(ErrorCounts, OneThatIsNotCorrectedIsEnough) {
  ErrorCounts counts(1000);
  EXPECT_TRUE(counts.take({PhysAddr{0x1000}, false, 1}, {}));
}

TEST(ErrorCounts, OldOnesAreForgotten) {
  ErrorCounts counts(2);
  const ErrorCounts::Clock::time_point now{};
  EXPECT_FALSE(counts.take(corrected(0x1000), now));
  EXPECT_FALSE(counts.take(corrected(0x1000), now + 25h));
  EXPECT_TRUE(counts.take(corrected(0x1000), now + 26h));
}

}  // namespace
}  // namespace memplug::test
