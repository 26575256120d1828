// SPDX-License-Identifier: MIT
// Parsing and printing of sizes, ranges, times and nodes, good and bad.
#include "memplug/quantity.hpp"

#include <gtest/gtest.h>

#include "memplug/failure.hpp"

namespace memplug {
namespace {

using namespace std::chrono_literals;

struct GoodSize {
  std::string text;
  std::uint64_t bytes;
};

class GoodSizes : public testing::TestWithParam<GoodSize> {};

TEST_P(GoodSizes, AreParsedExactly) {
  EXPECT_EQ(parse_size(GetParam().text).value, GetParam().bytes) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Quantity, GoodSizes,
    testing::Values(
        GoodSize{"0", 0}, GoodSize{"1", 1}, GoodSize{"4194304", 4194304}, GoodSize{"64B", 64},
        GoodSize{"64 MiB", 64ULL << 20U}, GoodSize{"64M", 64ULL << 20U},
        GoodSize{"64m", 64ULL << 20U}, GoodSize{"64MiB", 64ULL << 20U}, GoodSize{"64MB", 64000000},
        GoodSize{"1K", 1024}, GoodSize{"1KiB", 1024}, GoodSize{"1KB", 1000}, GoodSize{"1kb", 1000},
        GoodSize{"1.5G", 1610612736}, GoodSize{"2GiB", 2147483648}, GoodSize{"0.5K", 512},
        GoodSize{"1.50M", 1572864}, GoodSize{"1.0", 1}, GoodSize{"0.000001MB", 1},
        GoodSize{"3T", 3ULL << 40U}, GoodSize{"2P", 2ULL << 50U}, GoodSize{"15E", 15ULL << 60U},
        GoodSize{"15.9375E", 18374686479671623680ULL},
        GoodSize{"0.0000019073486328125T", 2ULL << 20U}, GoodSize{"18EB", 18000000000000000000ULL},
        GoodSize{"18446744073709551615", 18446744073709551615ULL}));

class BadSizes : public testing::TestWithParam<std::string> {};

TEST_P(BadSizes, AreRefused) {
  EXPECT_THROW(static_cast<void>(parse_size(GetParam())), UsageError) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Quantity, BadSizes,
                         testing::Values("", " ", "M", "-1", "+1", "-64M", "010", "00", "01.5G",
                                         "0x10", "1.", ".5G", "1..5G", "1.5", "0.3K", "1e3",
                                         "64  M", "64 ", " 64M", "64M ", "64Mi", "64BB", "64MBB",
                                         "64X", "64M64M", "16E", "16777216T",
                                         "18446744073709551616", "99999999999999999999999",
                                         "1.0000000000000000001G", "18446744073709551615.5K",
                                         "1,5G", "inf", "nan"));

TEST(Quantity, BadSizeIsNamedInTheMessage) {
  try {
    static_cast<void>(parse_size("64X"));
    FAIL() << "64X was taken for a size";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("'64X'"), std::string::npos) << error.what();
  }
}

TEST(Quantity, RangeWithLastByteIsInclusive) {
  const Range range = parse_range("0x140000000-0x143ffffff");
  EXPECT_EQ(range.start.value, 0x140000000U);
  EXPECT_EQ(range.size.value, 64ULL << 20U);
}

TEST(Quantity, RangeWithSize) {
  EXPECT_EQ(parse_range("0x140000000+64M"), parse_range("0x140000000-0x143ffffff"));
}

TEST(Quantity, RangeHexMayHaveCapitalsAndLeadingZeros) {
  EXPECT_EQ(parse_range("0x0000000140000000-0x0000000143FFFFFF"), parse_range("0x140000000+64M"));
}

TEST(Quantity, RangeMayEndWithTheAddressSpace) {
  EXPECT_EQ(parse_range("0xfffffffffffff000+4096"),
            parse_range("0xfffffffffffff000-0xffffffffffffffff"));
}

TEST(Quantity, RangeMayBeOneByte) { EXPECT_EQ(parse_range("0x10-0x10").size.value, 1U); }

class BadRanges : public testing::TestWithParam<std::string> {};

TEST_P(BadRanges, AreRefused) {
  EXPECT_THROW(static_cast<void>(parse_range(GetParam())), UsageError) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(
    Quantity, BadRanges,
    testing::Values("", "0x", "0x140000000", "0x140000000-", "0x140000000+", "0x-0x10",
                    "140000000-143ffffff", "0x10-10", "0x20-0x10", "0x0-0xffffffffffffffff",
                    "0x10+0", "0xfffffffffffff000+4097", "0x10000000000000000-0x10000000000000001",
                    "0x10-0x20-0x30", "0x10+-5", "0x10--0x20", "-0x10-0x20", "0x 10-0x20",
                    "0x10+0x", "0x10+0x0", "0xg-0x10", "0x10-0x20 "));

TEST(Quantity, OnlyLeading0xMakesARange) {
  EXPECT_TRUE(looks_like_range("0x10"));
  EXPECT_FALSE(looks_like_range("64M"));
  EXPECT_FALSE(looks_like_range("0"));
  EXPECT_FALSE(looks_like_range(""));
}

TEST(Quantity, Durations) {
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("30s"), 30s);
  EXPECT_EQ(parse_duration("5m"), 5min);
  EXPECT_EQ(parse_duration("0s"), 0s);
  EXPECT_EQ(parse_duration("9223372036s"), 9223372036s);
}

class BadDurations : public testing::TestWithParam<std::string> {};

TEST_P(BadDurations, AreRefused) {
  EXPECT_THROW(static_cast<void>(parse_duration(GetParam())), UsageError) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Quantity, BadDurations,
                         testing::Values("", "5", "s", "-1s", "+1s", "1.5s", "05s", "1h", "1 s",
                                         "5S", "5min", "9223372037s", "153722868m",
                                         "99999999999999999999s"));

TEST(Quantity, Nodes) {
  EXPECT_EQ(parse_node("0"), 0);
  EXPECT_EQ(parse_node("1023"), 1023);
  EXPECT_EQ(parse_node("2147483647"), 2147483647);
  for (const char* bad : {"", "-1", "+1", "01", "1.0", "0x1", "one", "2147483648", "1 "}) {
    EXPECT_THROW(static_cast<void>(parse_node(bad)), UsageError) << bad;
  }
}

TEST(Quantity, SizesPrintInTheLargestExactUnit) {
  EXPECT_EQ(print_size(Bytes{0}), "0 B");
  EXPECT_EQ(print_size(Bytes{1023}), "1023 B");
  EXPECT_EQ(print_size(Bytes{512ULL << 20U}), "512 MiB");
  EXPECT_EQ(print_size(Bytes{1536ULL << 20U}), "1.5 GiB");
  EXPECT_EQ(print_size(Bytes{1280ULL << 20U}), "1.25 GiB");
  EXPECT_EQ(print_size(Bytes{4100ULL << 20U}), "4100 MiB");
  EXPECT_EQ(print_size(Bytes{3ULL << 40U}), "3 TiB");
  EXPECT_EQ(print_size(Bytes{1025}), "1025 B");
}

TEST(Quantity, PrintedSizesParseBack) {
  for (const std::uint64_t bytes :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{4} << 20U, std::uint64_t{1} << 63U,
        std::uint64_t{4100} << 20U, std::uint64_t{3} << 29U, ~std::uint64_t{0}}) {
    EXPECT_EQ(parse_size(print_size_argument(Bytes{bytes})).value, bytes);
  }
}

TEST(Quantity, RangesPrintAsLsmemDoes) {
  EXPECT_EQ(print_range(parse_range("0x140000000+64M")), "0x0000000140000000-0x0000000143ffffff");
}

TEST(Quantity, ElapsedTimePrintsInSeconds) {
  EXPECT_EQ(print_duration(250ms), "0.25 s");
  EXPECT_EQ(print_duration(75s), "75 s");
}

TEST(Sizes, AreTakenAsTheyArePrinted) {
  EXPECT_EQ(parse_size("64 MiB"), Bytes{64ULL << 20U});
  for (const std::uint64_t size : {0ULL, 512ULL, 4096ULL, 1536ULL << 20U, 4097ULL << 30U}) {
    EXPECT_EQ(parse_size(print_size(Bytes{size})), Bytes{size});
  }
}

TEST(Ranges, MayBeInUpperCaseAndHaveAHexadecimalSize) {
  const Range range{PhysAddr{0x140000000}, Bytes{0x4000000}};
  EXPECT_EQ(parse_range("0x140000000+0x4000000"), range);
  EXPECT_EQ(parse_range("0X140000000-0X143FFFFFF"), range);
  EXPECT_EQ(parse_range("0x140000000+64 MiB"), range);
}

TEST(PageFrames, AreDecimalOrHexadecimal) {
  EXPECT_EQ(parse_page_frame("0"), 0U);
  EXPECT_EQ(parse_page_frame("1310720"), 1310720U);
  EXPECT_EQ(parse_page_frame("0x140000"), 0x140000U);
  for (const char* wrong : {"", "x", "010", "-1", "0x", "1 "}) {
    EXPECT_THROW(static_cast<void>(parse_page_frame(wrong)), UsageError) << wrong;
  }
}

TEST(Addresses, AreHexadecimal) {
  EXPECT_EQ(parse_physical_address("0x140001000"), PhysAddr{0x140001000});
  EXPECT_THROW(static_cast<void>(parse_physical_address("140001000")), UsageError);
  EXPECT_THROW(static_cast<void>(parse_physical_address("0x")), UsageError);
  EXPECT_THROW(static_cast<void>(parse_physical_address("0x1+4K")), UsageError);
}

TEST(Operators, SizesAddUpAndDivide) {
  constexpr Bytes four{4096};
  Bytes sum = four + four;
  sum += four;
  sum -= Bytes{96};
  EXPECT_EQ(sum, Bytes{12192});
  EXPECT_EQ(four * 3, Bytes{12288});
  EXPECT_EQ(3 * four, four * 3);
  EXPECT_EQ(four / 2, Bytes{2048});
  EXPECT_EQ(sum / four, 2U);
  EXPECT_EQ(sum % four, Bytes{4000});
}

TEST(Operators, AddressesMoveBySizesAndDifferByThem) {
  constexpr PhysAddr start{0x1'4000'0000};
  constexpr Bytes size{64ULL << 20U};
  EXPECT_EQ(start + size, PhysAddr{0x1'4400'0000});
  EXPECT_EQ(start + size - size, start);
  EXPECT_EQ(start + size - start, size);
  EXPECT_EQ((start + Bytes{5}) % size, Bytes{5});
  PhysAddr next = start;
  next += size;
  EXPECT_EQ(next - start, size);
}

}  // namespace
}  // namespace memplug
