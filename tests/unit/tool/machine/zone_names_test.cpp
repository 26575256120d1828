// SPDX-License-Identifier: MIT
// Where memory is that can't be had: the zone is told by name, of a range and of a node.
#include "machine/zone_names.hpp"

#include <nlohmann/json.hpp>

#include "fake_channel.hpp"
#include "memplug/failure.hpp"
#include "report/shortfall.hpp"
#include "request/refusals.hpp"
#include "temporary_folder.hpp"
#include "verbs/unplug.hpp"

namespace memplug::test {
namespace {

class ZoneNamesTest : public testing::Test {
 public:
  ZoneNamesTest() {
    tree_.write("/sys/devices/system/memory/block_size_bytes", "8000000\n");
    tree_.write("/sys/devices/system/memory/memory64/valid_zones", "Movable\n");
    tree_.write("/sys/devices/system/memory/memory2/valid_zones", "DMA32\n");
    tree_.write("/sys/devices/system/memory/memory65/valid_zones", "none\n");
    // As the kernel writes it, with all that lies between.
    tree_.write("/proc/zoneinfo",
                "Node 0, zone   Normal\n  pages free     3\n        managed  1000\n"
                "        cma      0\nNode 1, zone   Normal\n        managed  0\n"
                "Node 1, zone  Movable\n  per-node stats\n      nr_inactive_anon 5\n"
                "        managed  262144\nNode 2, zone   Normal\n        managed  0\n");
  }

 protected:
  TemporaryFolder tree_;
};

TEST_F(ZoneNamesTest, OfAnAddress) {
  const ZoneNames zones(tree_.root());
  EXPECT_EQ(zones.of_address(PhysAddr{8 * gib + 5 * mib}), "ZONE_MOVABLE");
  EXPECT_EQ(zones.of_address(PhysAddr{256 * mib}), "ZONE_DMA32");
  EXPECT_EQ(zones.of_address(PhysAddr{8 * gib + 128 * mib}), "") << "of several";
  EXPECT_EQ(zones.of_address(PhysAddr{0}), "");
  EXPECT_EQ(ZoneNames("/nonexistent").of_address(PhysAddr{8 * gib}), "");
}

TEST_F(ZoneNamesTest, OfANode) {
  const ZoneNames zones(tree_.root());
  EXPECT_EQ(zones.of_node(0), std::vector<std::string>{"ZONE_NORMAL"});
  EXPECT_EQ(zones.of_node(1), std::vector<std::string>{"ZONE_MOVABLE"});
  EXPECT_TRUE(zones.of_node(2).empty());
  EXPECT_TRUE(zones.of_node(3).empty());
}

TEST_F(ZoneNamesTest, RangeElsewhereIsToldByItsZone) {
  const Range part{PhysAddr{8 * gib}, Bytes{4 * mib}};
  const Failure failure =
      unmanaged_failure({}, UnmanagedError(part, BadWhy::Zone), ZoneNames(tree_.root()));
  EXPECT_NE(std::string(failure.what()).find("ZONE_MOVABLE"), std::string::npos) << failure.what();
  EXPECT_NE(failure.next_step().find("online_kernel"), std::string::npos) << failure.next_step();
  // What lies low is where it is on every machine.
  const Range low{PhysAddr{256 * mib}, Bytes{4 * mib}};
  const Failure dma32 =
      unmanaged_failure({}, UnmanagedError(low, BadWhy::Zone), ZoneNames(tree_.root()));
  EXPECT_NE(std::string(dma32.what()).find("ZONE_DMA32"), std::string::npos) << dma32.what();
  EXPECT_NE(dma32.next_step().find("4 GiB"), std::string::npos) << dma32.next_step();
}

TEST_F(ZoneNamesTest, NodeWithoutMemoryIsToldByName) {
  FakeModule module;
  const auto run = [&](const std::string& node) {
    Captured captured;
    module.answer = done_with(0, MEMPLUG_STOP_EXHAUSTED);
    EXPECT_EQ(run_unplug({.what = "64M", .node = node}, opener(module), Surroundings(tree_.root()),
                         captured.output),
              ExitStatus::Failure);
    return captured.prose();
  };
  module.nodes = {{0, 0, 4 * gib, 0}, {1, 0, 0, 0}, {2, 0, 0, 0}};
  EXPECT_NE(run("1").find("node 1 has no managed memory: what it has is in ZONE_MOVABLE"),
            std::string::npos)
      << run("1");
  EXPECT_NE(run("2").find("node 2 has no managed memory: it has no memory online"),
            std::string::npos)
      << run("2");
  EXPECT_NE(run("0").find("nothing is left to try"), std::string::npos) << run("0");
}

}  // namespace
}  // namespace memplug::test
