// SPDX-License-Identifier: MIT
// Mappings of the library, with a file in the place of the device: what of it they show, who
// unmaps, and that errors are told.
#include "memplug/mapping.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "fake_channel.hpp"
#include "memplug/version.hpp"

namespace memplug::test {
namespace {

constexpr std::size_t page = 4096;

class MappingTest : public testing::Test {
 protected:
  MappingTest() {
    EXPECT_EQ(::ftruncate(file_, 4 * page), 0);
    const std::array mark{std::byte{1}, std::byte{2}};
    EXPECT_EQ(::pwrite(file_, mark.data(), mark.size(), page), 2);
    module_.descriptor = file_;
  }

  void TearDown() override { ::close(file_); }

  int file_ = ::memfd_create("memory", MFD_CLOEXEC);
  FakeModule module_;
  Device device_{make_channel(module_)};
  Range range_{PhysAddr{page}, Bytes{2 * page}};
};

TEST_F(MappingTest, ShowsTheRangeAndTakesWrites) {
  const Mapping mapping(device_, range_, Access::Write);
  ASSERT_EQ(mapping.bytes().size(), 2 * page);
  EXPECT_EQ(mapping.range(), range_);
  EXPECT_EQ(mapping.bytes()[1], std::byte{2});
  mapping.bytes()[0] = std::byte{7};
  std::byte first{};
  ASSERT_EQ(::pread(file_, &first, 1, page), 1);
  EXPECT_EQ(first, std::byte{7});
}

TEST_F(MappingTest, MovesAndUnmapsOnce) {
  Mapping one(device_, range_, Access::Read);
  const std::byte* memory = one.bytes().data();
  Mapping other = std::move(one);
  EXPECT_EQ(other.bytes().data(), memory);
  // NOLINTNEXTLINE(bugprone-use-after-move): that is what is tried
  EXPECT_TRUE(one.bytes().empty());
  one = std::move(other);
  EXPECT_EQ(one.bytes().data(), memory);
  std::array<unsigned char, 2> resident{};
  void* address = one.bytes().data();
  ASSERT_EQ(::mincore(address, 2 * page, resident.data()), 0);
  one = Mapping(device_, Range{PhysAddr{0}, Bytes{page}}, Access::Read);
  EXPECT_EQ(one.bytes().size(), page);
  if (one.bytes().data() != memory) {
    EXPECT_EQ(::mincore(address, 2 * page, resident.data()), -1) << "the old one is still mapped";
  }
}

TEST_F(MappingTest, SaysWhatTheKernelSays) {
  try {
    const Mapping mapping(device_, Range{PhysAddr{1}, Bytes{page}}, Access::Read);
    FAIL() << "an address within a page was mapped";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EINVAL);
  }
}

TEST(Version, IsThatOfTheTool) { EXPECT_STREQ(version, MEMPLUG_VERSION); }

}  // namespace
}  // namespace memplug::test
