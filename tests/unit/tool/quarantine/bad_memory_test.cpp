// SPDX-License-Identifier: MIT
// Quarantine files, what GRUB and the kernel take, and sets of ranges.
#include "quarantine/bad_memory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <limits>
#include <ostream>
#include <random>

#include "memplug/failure.hpp"
#include "quarantine/bad_memory_formats.hpp"

namespace memplug {
namespace {

using Ranges = std::vector<Range>;

constexpr std::uint64_t max_u64 = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t page = bad_memory_page.value;

// Both ends included.
Range between(std::uint64_t first, std::uint64_t last) {
  return Range{PhysAddr{first}, Bytes{last - first + 1}};
}

Range page_at(std::uint64_t address) { return between(address, address + page - 1); }

Ranges parse(std::string_view text) { return parse_bad_memory(text, "bad"); }

// What the error says, or nothing.
template <typename Function>
std::string error_of(const Function& function) {
  try {
    static_cast<void>(function());
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

std::string error_in(std::string_view text) {
  return error_of([text] { return parse(text); });
}

struct GoodFile {
  std::string text;
  Ranges ranges;
};

void PrintTo(const GoodFile& file, std::ostream* out) { *out << file.text.substr(0, 80); }

class GoodFiles : public testing::TestWithParam<GoodFile> {};

TEST_P(GoodFiles, AreRead) { EXPECT_EQ(parse(GetParam().text), GetParam().ranges); }

INSTANTIATE_TEST_SUITE_P(
    BadMemoryLines, GoodFiles,
    testing::Values(GoodFile{"", {}}, GoodFile{"\n\r\n \t\n#\n# 0x1000-0x1fff\n", {}},
                    GoodFile{"0x1000-0x1fff", {page_at(0x1000)}},
                    GoodFile{"\t 0x1000-0x1fff \t\r\n", {page_at(0x1000)}},
                    GoodFile{"0x1000+4K# \x01 \xff anything\n0x5000+4096 # too",
                             {page_at(0x1000), page_at(0x5000)}},
                    // A bad byte makes a bad page.
                    GoodFile{"0x1fff-0x1fff", {page_at(0x1000)}},
                    GoodFile{"0x1fff+2", {between(0x1000, 0x2fff)}},
                    // Sorted, and made one where they overlap or touch.
                    GoodFile{"0x9000+4K\n0x2000+8K\n0x3000+8K\n0x1000+4K",
                             {between(0x1000, 0x4fff), page_at(0x9000)}},
                    GoodFile{"0x1000+4K\n0x5000+4K\n0x3000+4K\n0x0+64K", {between(0, 0xffff)}},
                    GoodFile{"0xfffffffffffff001-0xffffffffffffffff",
                             {between(max_u64 - page + 1, max_u64)}}));

INSTANTIATE_TEST_SUITE_P(
    BadMemoryPatterns, GoodFiles,
    testing::Values(
        GoodFile{"badram=0x1000,0xfffff000", {page_at(0x1000)}},
        GoodFile{"badram=0x1234,0xfffffffffffff000", {page_at(0x1000)}},
        GoodFile{"badram=0x15c1e3c20,0xfffffffffffffff8", {page_at(0x15c1e3000)}},
        GoodFile{"badram=0x7ddf0000,0xffffc000", {between(0x7ddf0000, 0x7ddf3fff)}},
        // A mask of 32 bits, or of any less than 64, has ones above.
        GoodFile{"badram=0x123456000,0xfffff000", {page_at(0x123456000)}},
        GoodFile{"badram=0x123456000,0xffffff0000", {between(0x123450000, 0x12345ffff)}},
        GoodFile{"badram=0x100000000,0x80000000", {between(0x100000000, 0x17fffffff)}},
        GoodFile{"badram=0x0,0x8000000000000000", {between(0, max_u64 / 2)}},
        // A gap of one bit, of two in two places, and one that makes ranges touch another.
        GoodFile{"badram=0x2000,0xffffeff000", {page_at(0x2000), page_at(0x102000)}},
        GoodFile{"badram=0x0,0xfffeb000",
                 {page_at(0), page_at(0x4000), page_at(0x10000), page_at(0x14000)}},
        GoodFile{"badram=0x0,0xffffd000\n0x1000+4K", {between(0, 0x2fff)}},
        GoodFile{"badram=0x5000,0xfffff000,0x1000,0xfffff000", {page_at(0x1000), page_at(0x5000)}},
        GoodFile{"badram= 0x5000 , 0xfffff000,\t0x1000,0xfffff000 ",
                 {page_at(0x1000), page_at(0x5000)}},
        // A comma at the end of a line is one between lines.
        GoodFile{"badram=0x5000,0xfffff000, # x\r\n\n# y\n \t0x1000,\n0xfffff000\n0x9000+4K",
                 {page_at(0x1000), page_at(0x5000), page_at(0x9000)}},
        GoodFile{"GRUB_BADRAM=\"0x5000,\n0xfffff000\"", {page_at(0x5000)}},
        GoodFile{"badram 0x5000,0xfffff000,0x1000,0xfffff000", {page_at(0x1000), page_at(0x5000)}},
        GoodFile{" badram \t 0x1000,0xfffff000 ", {page_at(0x1000)}},
        GoodFile{"badram '0x1000,0xfffff000'", {page_at(0x1000)}},
        GoodFile{"badram\t0x5000,\n0xfffff000", {page_at(0x5000)}},
        GoodFile{"GRUB_BADRAM=0x1000,0xfffff000", {page_at(0x1000)}},
        GoodFile{"GRUB_BADRAM=\"0x1000,0xFFFFF000\"  # here", {page_at(0x1000)}},
        GoodFile{"GRUB_BADRAM='0x1000,0xfffff000'\r\n", {page_at(0x1000)}}));

INSTANTIATE_TEST_SUITE_P(
    BadMemoryOptions, GoodFiles,
    testing::Values(GoodFile{"memmap=4K$0x1000", {page_at(0x1000)}},
                    GoodFile{"memmap=4096$4096", {page_at(0x1000)}},
                    GoodFile{"memmap=0x1000$0x1000", {page_at(0x1000)}},
                    GoodFile{"memmap=4k$4K", {page_at(0x1000)}},
                    GoodFile{"memmap=1$4097", {page_at(0x1000)}},
                    GoodFile{"memmap=1G$5G", {between(5ULL << 30U, (6ULL << 30U) - 1)}},
                    GoodFile{"memmap=64M$0x140000000", {between(0x140000000, 0x143ffffff)}},
                    GoodFile{"memmap=4K$0xfffffffffffff000", {page_at(max_u64 - page + 1)}},
                    GoodFile{"memmap=4K\\$0x1000", {page_at(0x1000)}},
                    GoodFile{"memmap=4K\\\\\\$0x1000", {page_at(0x1000)}},
                    GoodFile{"memmap=4K$0x5000,4K\\$0x1000", {page_at(0x1000), page_at(0x5000)}},
                    GoodFile{"memmap=4K$0x5000 memmap=4K$0x1000\tmemmap=4K$0x9000",
                             {page_at(0x1000), page_at(0x5000), page_at(0x9000)}},
                    GoodFile{
                        "memmap=4K$0x5000, 4K$0x1000,\n4K$0x9000 4K$0xb000\n",
                        {page_at(0x1000), page_at(0x5000), page_at(0x9000), page_at(0xb000)}}));

struct BadFile {
  std::string text;
  std::string error;
};

void PrintTo(const BadFile& file, std::ostream* out) { *out << file.text.substr(0, 80); }

class BadFiles : public testing::TestWithParam<BadFile> {};

TEST_P(BadFiles, AreRefusedWithTheReason) {
  EXPECT_EQ(error_in(GetParam().text), GetParam().error);
}

const std::string no_entry =
    "': an entry is 0xFIRST-0xLAST or 0xFIRST+SIZE, badram ADDRESS,MASK,... or memmap=SIZE$ADDRESS";
const std::string no_range =
    "': a range is 0xFIRST-0xLAST with LAST inclusive, 0xFIRST+SIZE or 0xFIRST+0xSIZE";
const std::string whole_space =
    "range 0x0000000000000000-0xffffffffffffffff: too large, it is the whole address space";
const std::string many_characters = "...': too long; it takes 80 characters at most";

INSTANTIATE_TEST_SUITE_P(
    BadMemoryLines, BadFiles,
    testing::Values(
        BadFile{"0x1000+4K\n\n# x\nfoo", "bad, line 4: entry 'foo" + no_entry},
        BadFile{"\r\n1000-1fff\r\n", "bad, line 2: entry '1000-1fff" + no_entry},
        BadFile{std::string(100000, 'x'),
                "bad, line 1: entry '" + std::string(80, 'x') + "..." + no_entry},
        BadFile{"0x1000", "bad, line 1: range '0x1000" + no_range},
        BadFile{"0x1000 - 0x1fff", "bad, line 1: range '0x1000 - 0x1fff" + no_range},
        BadFile{"0x2000-0x1000",
                "bad, line 1: range '0x2000-0x1000': its last byte lies before its first"},
        BadFile{"0x1000+0", "bad, line 1: range '0x1000+0': it is empty"},
        BadFile{
            "0xfffffffffffff000+4097",
            "bad, line 1: range '0xfffffffffffff000+4097': it passes the end of the address space"},
        BadFile{"0x10000000000000000-0x10000000000000fff",
                "bad, line 1: range '0x10000000000000000-0x10000000000000fff" + no_range},
        BadFile{"0x" + std::string(99999, '0') + "-0x1",
                "bad, line 1: range '0x" + std::string(78, '0') + many_characters},
        // As a whole, after rounding, and as the sum of two.
        BadFile{"0x0-0xffffffffffffffff", "bad, line 1: range '0x0-0xffffffffffffffff': too large"},
        BadFile{"0x1-0xffffffffffffffff", "bad, line 1: " + whole_space},
        BadFile{"0x0-0x1fff\n0x2000-0xffffffffffffffff", "bad, line 2: " + whole_space},
        BadFile{std::string("0x1000+4K\0", 10),
                "bad, line 1: entry '0x1000+4K': character 10 of it is none of printable ASCII, "
                "which is all that an entry may have"},
        BadFile{" \x1b[31m",
                "bad, line 1: entry '': character 1 of it is none of printable ASCII, which is all "
                "that an entry may have"},
        BadFile{"GRUB_BADRAM=\xe2\x80\x9d"
                "0x1000",
                "bad, line 1: entry 'GRUB_BADRAM=': character 13 of it is none of printable ASCII, "
                "which is all that an entry may have"}));

const std::string no_pattern =
    "': patterns are badram ADDRESS,MASK[,ADDRESS,MASK...], hexadecimal with 0x";
const std::string no_next_line =
    "': it ends in a comma, and no line follows that it could go on in; was all of it copied?";
const std::string another_entry =
    "': the line before ends in a comma, so its list goes on here; was all of it copied?";
const std::string no_mask = "': a mask is 0x and 8 to 16 hexadecimal digits, such as 0xfffff000";
const std::string all_loose = "': its mask has no 1 above a page; that of one page is 0xfffff000";
const std::string many_gaps =
    "': the gaps in its mask make more ranges than the 4096 that a file may have; a mask of 64 "
    "bits "
    "has ones in the high bits, too";

INSTANTIATE_TEST_SUITE_P(
    BadMemoryPatterns, BadFiles,
    testing::Values(
        BadFile{"badram=", "bad, line 1: badram '" + no_pattern},
        BadFile{"badram", "bad, line 1: entry 'badram" + no_entry},
        BadFile{"badram # 0x1000,0xfffff000", "bad, line 1: entry 'badram" + no_entry},
        BadFile{"badram0x1000,0xfffff000",
                "bad, line 1: entry 'badram0x1000,0xfffff000" + no_entry},
        BadFile{"GRUB_BADRAM 0x1000,0xfffff000",
                "bad, line 1: entry 'GRUB_BADRAM 0x1000,0xfffff000" + no_entry},
        BadFile{"badram 0x1000 0xfffff000", "bad, line 1: badram '0x1000 0xfffff000" + no_pattern},
        BadFile{"badram =0x1000,0xfffff000",
                "bad, line 1: badram '=0x1000,0xfffff000" + no_pattern},
        BadFile{"GRUB_BADRAM=\"\"", "bad, line 1: badram '" + no_pattern},
        BadFile{"badram=,", "bad, line 1: entry 'badram=," + no_next_line},
        BadFile{"badram=,\n,0x1000", "bad, line 1: badram '," + no_pattern},
        BadFile{"badram=1000,0xfffff000", "bad, line 1: badram '1000,0xfffff000" + no_pattern},
        BadFile{"badram=0x10000000000000000,0xfffff000",
                "bad, line 1: badram '0x10000000000000000,0xfffff000" + no_pattern},
        BadFile{"badram=0x1000,0xfffff000,,0x5000", "bad, line 1: badram ',0x5000" + no_pattern},
        BadFile{"badram=0x1000,0xfffff000,\n#\n,0x5000",
                "bad, line 3: badram ',0x5000" + no_pattern},
        BadFile{"badram=0x1000,0xfffff000,\n\n0x5000,\n0xfff",
                "bad, line 4: badram '0x5000,0xfff" + no_mask},
        BadFile{"badram=0x1000,0xfffff000,\n0x5000\n0x9000,0xfffff000",
                "bad, line 2: badram '0x5000" + no_mask},
        BadFile{"badram=0x1000,0xfffff000,\n \x1b",
                "bad, line 2: entry '': character 1 of it is none of printable ASCII, which is all "
                "that an entry may have"},
        BadFile{"badram=0x1000,0xfffff000,\n#\n0x5000+4K",
                "bad, line 3: entry '0x5000+4K" + another_entry},
        BadFile{"badram=0x1000,0xfffff000,\nmemmap=4K$0x1000",
                "bad, line 2: entry 'memmap=4K$0x1000" + another_entry},
        BadFile{"badram=0x1000", "bad, line 1: badram '0x1000" + no_mask},
        BadFile{"badram=0x1000,", "bad, line 1: entry 'badram=0x1000," + no_next_line},
        BadFile{"badram=0x1000,\n", "bad, line 1: entry 'badram=0x1000," + no_next_line},
        BadFile{"\nbadram=0x1000,\n0xfffff000,\n# x",
                "bad, line 3: entry 'badram=0x1000,0xfffff000," + no_next_line},
        BadFile{"badram=0x1000,0x", "bad, line 1: badram '0x1000,0x" + no_mask},
        BadFile{"badram=0x1000,x", "bad, line 1: badram '0x1000,x" + no_mask},
        BadFile{"badram=0x1000,0xfff000", "bad, line 1: badram '0x1000,0xfff000" + no_mask},
        BadFile{"badram=0x1000,0x0fffffffffffff000",
                "bad, line 1: badram '0x1000,0x0fffffffffffff000" + no_mask},
        BadFile{"badram=0x1000,-0xfffff000", "bad, line 1: badram '0x1000,-0xfffff000" + no_mask},
        BadFile{"badram=0x1000,0x00000000", "bad, line 1: badram '0x1000,0x00000000" + all_loose},
        BadFile{"badram=0x1000,0x0000000000000fff",
                "bad, line 1: badram '0x1000,0x0000000000000fff" + all_loose},
        BadFile{"badram=0x1000,0x00000000fffff000",
                "bad, line 1: badram '0x1000,0x00000000fffff000" + many_gaps},
        BadFile{"badram=0x1000,0x0000000000001000",
                "bad, line 1: badram '0x1000,0x0000000000001000" + many_gaps},
        BadFile{"badram=\"0x1000,0xfffff000",
                "bad, line 1: badram '\"0x1000,0xfffff000': its quotes do not match"},
        BadFile{"badram=\"0x1000,0xfffff000'",
                "bad, line 1: badram '\"0x1000,0xfffff000'': its quotes do not match"},
        BadFile{"badram=\"", "bad, line 1: badram '\"': its quotes do not match"}));

const std::string only_dollar =
    "': only a $ marks reserved memory, as in memmap=SIZE$ADDRESS; @, # and ! do not";
const std::string no_number =
    "': its numbers are decimal, also with K, M or G, or hexadecimal with 0x, of 64 bits";

INSTANTIATE_TEST_SUITE_P(
    BadMemoryOptions, BadFiles,
    testing::Values(
        BadFile{"memmap=", "bad, line 1: memmap '" + only_dollar},
        BadFile{"memmap=64K", "bad, line 1: memmap '64K" + only_dollar},
        BadFile{"memmap=64K@0x1000", "bad, line 1: memmap '64K@0x1000" + only_dollar},
        // The # begins a comment.
        BadFile{"memmap=64K#0x1000", "bad, line 1: memmap '64K" + only_dollar},
        BadFile{"memmap=64K!0x1000", "bad, line 1: memmap '64K!0x1000" + only_dollar},
        BadFile{"memmap=4K$0x1000,4K!0x5000", "bad, line 1: memmap '4K!0x5000" + only_dollar},
        BadFile{"memmap=4K$0x1000 quiet", "bad, line 1: memmap 'quiet" + only_dollar},
        BadFile{"memmap=4K$0x1000,\n\n4K!0x5000,\n4K$0x9000",
                "bad, line 3: memmap '4K!0x5000" + only_dollar},
        BadFile{"memmap=4K$0x1000,", "bad, line 1: entry 'memmap=4K$0x1000," + no_next_line},
        BadFile{"memmap=4K$0x1000,\n0x5000-0x5fff",
                "bad, line 2: entry '0x5000-0x5fff" + another_entry},
        BadFile{"memmap=$0x1000", "bad, line 1: memmap '$0x1000" + no_number},
        BadFile{"memmap=4K$", "bad, line 1: memmap '4K$" + no_number},
        BadFile{"memmap=-4K$0x1000", "bad, line 1: memmap '-4K$0x1000" + no_number},
        BadFile{"memmap=1.5M$0", "bad, line 1: memmap '1.5M$0" + no_number},
        BadFile{"memmap=4KB$0x1000", "bad, line 1: memmap '4KB$0x1000" + no_number},
        BadFile{"memmap=4X$0x1000", "bad, line 1: memmap '4X$0x1000" + no_number},
        BadFile{"memmap=4K$1000$0", "bad, line 1: memmap '4K$1000$0" + no_number},
        BadFile{"memmap=4K$0x10000000000000000",
                "bad, line 1: memmap '4K$0x10000000000000000" + no_number},
        BadFile{"memmap=010$0",
                "bad, line 1: memmap '010$0': size '010': a leading zero could mean "
                "octal; write it without"},
        BadFile{"memmap=4K$99999999999999999999",
                "bad, line 1: memmap '4K$99999999999999999999': size "
                "'99999999999999999999': too large"},
        BadFile{"memmap=0$0x1000", "bad, line 1: memmap '0$0x1000': it is empty"},
        BadFile{"memmap=4097$0xfffffffffffff000",
                "bad, line 1: memmap '4097$0xfffffffffffff000': it passes the end of "
                "the address space"},
        BadFile{"memmap=" + std::string(99999, '9') + "$0",
                "bad, line 1: memmap '" + std::string(80, '9') + many_characters}));

TEST(BadMemory, FileIsNamedInTheError) {
  const auto read = [] { return parse_bad_memory("x", "/etc/bad memory"); };
  EXPECT_TRUE(error_of(read).starts_with("/etc/bad memory, line 1: entry 'x': ")) << error_of(read);
}

TEST(BadMemory, GapsMayMakeAsManyRangesAsAFileMayHave) {
  EXPECT_EQ(parse("badram=0x0,0xfe001000").size(), max_bad_ranges);
  EXPECT_EQ(error_in("badram=0x0,0xfc001000"), "bad, line 1: badram '0x0,0xfc001000" + many_gaps);
}

TEST(BadMemory, GapsCountForAllOfAFile) {
  const std::string half = "badram=0x0,0xff001000\n";
  EXPECT_EQ(parse(half + half).size(), max_bad_ranges / 2);
  EXPECT_EQ(error_in(half + half + half), "bad, line 3: badram '0x0,0xff001000" + many_gaps);
}

TEST(BadMemory, SeparateRangesAreCapped) {
  std::string text;
  for (std::uint64_t i = 0; i < max_bad_ranges; ++i) {
    text += print_address(PhysAddr{2 * i * page}) + "+4K\n";
  }
  EXPECT_EQ(parse(text).size(), max_bad_ranges);
  EXPECT_EQ(parse(text + text + "0x1000+4K").size(), max_bad_ranges - 1);
  EXPECT_EQ(error_in(text + "0x2000000+4K"),
            "bad, line 4097: range 0x0000000002000000-0x0000000002000fff: one more than the 4096 "
            "separate ranges that a file may have");
}

TEST(BadMemory, LinesMayBeLong) {
  std::string patterns = "badram=";
  std::string options = "memmap=";
  for (int i = 0; i < 20000; ++i) {
    patterns += "0x1000,0xfffff000,";
    options += "4K$0x1000,";
  }
  patterns += "\n0x1000,0xfffff000\n";
  options += "\n4K$0x1000\n";
  EXPECT_EQ(parse(patterns + options), Ranges{page_at(0x1000)});
}

TEST(BadMemory, ListsMayHaveManyLines) {
  std::string patterns = "badram=";
  for (int i = 0; i < 20000; ++i) {
    patterns += "0x1000,0xfffff000,\n";
  }
  EXPECT_EQ(parse(patterns + "0x1000,0xfffff000"), Ranges{page_at(0x1000)});
  EXPECT_EQ(error_in(patterns + "0x1000"), "bad, line 20001: badram '0x1000" + no_mask);
}

TEST(BadMemory, PrintsAsAFile) {
  const std::string head =
      "# Bad memory, for memplugctl: whole pages, one range a line, with inclusive ends.\n"
      "# Lines such as badram ADDRESS,MASK and memmap=SIZE$ADDRESS are understood, too.\n";
  EXPECT_EQ(print_bad_memory({}), head);
  EXPECT_EQ(print_bad_memory({page_at(0x1000), page_at(0x140000000)}),
            head +
                "0x0000000000001000-0x0000000000001fff\n"
                "0x0000000140000000-0x0000000140000fff\n");
}

TEST(BadMemory, PrintsAsPatterns) {
  EXPECT_EQ(print_badram({}), "");
  EXPECT_EQ(print_grub({}), "");
  EXPECT_EQ(print_badram({page_at(0x140000000)}), "badram 0x0000000140000000,0xfffffffffffff000\n");
  // Each piece begins at a multiple of itself.
  EXPECT_EQ(print_grub({between(0x1000, 0x4fff), page_at(0x9000)}),
            "GRUB_BADRAM=\"0x0000000000001000,0xfffffffffffff000,"
            "0x0000000000002000,0xffffffffffffe000,0x0000000000004000,0xfffffffffffff000,"
            "0x0000000000009000,0xfffffffffffff000\"\n");
  EXPECT_EQ(print_badram({between(0, max_u64 / 2)}),
            "badram 0x0000000000000000,0x8000000000000000\n");
  EXPECT_EQ(print_badram({page_at(max_u64 - page + 1)}),
            "badram 0xfffffffffffff000,0xfffffffffffff000\n");
}

TEST(BadMemory, PrintsAsKernelOptions) {
  EXPECT_EQ(print_memmap({}), "");
  EXPECT_EQ(
      print_memmap({page_at(0), between(0x100000, 0x1fffff), between(0x140000000, 0x1ffffffff)}),
      "memmap=4K$0x0 memmap=1M$0x100000 memmap=3G$0x140000000\n");
  EXPECT_EQ(print_memmap({between(0x1000, 0x1000)}), "memmap=1$0x1000\n");
}

TEST(BadMemory, CommandLineHasItsOtherWords) {
  EXPECT_EQ(command_line_length("memmap=4K$0x1000", ""), 16U);
  EXPECT_EQ(command_line_length("memmap=4K$0x1000", "ro  quiet\n"), 16U + 3 + 6);
  EXPECT_EQ(command_line_length("memmap=4K$0x1000", "memmap=4K$0x5000 ro memmap=1G$4G"), 16U + 3);
  EXPECT_EQ(command_line_length("", " ro "), 3U);
}

// Some overlap, some touch, and some lie at the end of the address space.
Ranges some_ranges(std::mt19937_64& random) {
  const unsigned bits = 16 + static_cast<unsigned>(random() % 49);
  Ranges ranges;
  for (std::uint64_t count = random() % 40; count != 0; --count) {
    const std::uint64_t address = (max_u64 - (random() >> (64 - bits))) / page * page;
    const std::uint64_t start = random() % 2 == 0 ? address : ~address / page * page;
    const std::uint64_t most = std::min<std::uint64_t>((max_u64 - start) / page + 1, 1ULL << 40U);
    ranges.push_back(
        {PhysAddr{start}, Bytes{(1 + random() % most % (1 + random() % most)) * page}});
  }
  return ranges;
}

TEST(BadMemory, WhatIsPrintedIsReadBack) {
  std::mt19937_64 random(20240229);
  for (int round = 0; round < 300; ++round) {
    const Ranges ranges = some_ranges(random);
    const Ranges merged = merge(ranges);
    for (const auto& print : {print_bad_memory, print_badram, print_grub, print_memmap}) {
      EXPECT_EQ(parse(print(ranges)), merged) << print(ranges);
      EXPECT_EQ(parse(print(merged)), merged) << print(merged);
    }
  }
}

// Of the first units of memory, those in ranges; there are no ranges elsewhere.
using Units = std::bitset<256>;

Units units_in(const Ranges& ranges, std::uint64_t unit) {
  Units units;
  for (const Range& range : ranges) {
    for (std::uint64_t i = range.start.value / unit; i <= last_byte(range).value / unit; ++i) {
      units.set(i);
    }
  }
  return units;
}

TEST(BadMemory, PatternsAreWhatAgreesWithThem) {
  std::mt19937_64 random(20240301);
  for (int round = 0; round < 300; ++round) {
    const std::uint64_t address = random() % 0x100000;
    const std::uint64_t mask = random() | ~std::uint64_t{0xfffff};
    Units agreeing;
    for (std::uint64_t i = 0; i < agreeing.size(); ++i) {
      agreeing[i] = ((i * page ^ address) & mask & ~(page - 1)) == 0;
    }
    const std::string text =
        "badram=" + print_address(PhysAddr{address}) + "," + print_address(PhysAddr{mask});
    EXPECT_EQ(units_in(parse(text), page), agreeing) << text;
  }
}

TEST(BadMemory, SetsOfRangesAreSetsOfBytes) {
  std::mt19937_64 random(20240302);
  const auto some_range = [&random] {
    const std::uint64_t start = random() % 200;
    return between(start, start + random() % 20);
  };
  for (int round = 0; round < 300; ++round) {
    Ranges ranges(random() % 20);
    std::generate(ranges.begin(), ranges.end(), some_range);
    const Ranges merged = merge(ranges);
    EXPECT_EQ(units_in(merged, 1), units_in(ranges, 1));
    for (std::size_t i = 1; i < merged.size(); ++i) {
      EXPECT_GT(merged[i].start.value, last_byte(merged[i - 1]).value + 1);
    }
    const Range what = some_range();
    const Ranges rest = subtract(merged, what);
    EXPECT_EQ(units_in(rest, 1), units_in(ranges, 1) & ~units_in({what}, 1));
    EXPECT_EQ(merge(rest), rest);
  }
}

TEST(BadMemory, RoundsOutward) {
  EXPECT_EQ(round_outward(page_at(0x1000), Bytes{page}), page_at(0x1000));
  EXPECT_EQ(round_outward(between(0x1fff, 0x2000), Bytes{page}), between(0x1000, 0x2fff));
  EXPECT_EQ(round_outward(page_at(0x1000), Bytes{4U << 20U}), between(0, 0x3fffff));
  EXPECT_EQ(round_outward(between(5, 5), Bytes{1}), between(5, 5));
  EXPECT_EQ(round_outward(between(5, 6), Bytes{3}), between(3, 8));
}

TEST(BadMemory, RoundingEndsWithTheAddressSpace) {
  EXPECT_EQ(round_outward(between(max_u64, max_u64), Bytes{page}), page_at(max_u64 - page + 1));
  // 3 divides the last address: its unit is short.
  EXPECT_EQ(round_outward(between(max_u64, max_u64), Bytes{3}), between(max_u64, max_u64));
  EXPECT_EQ(round_outward(between(5, 5), Bytes{1ULL << 63U}), between(0, max_u64 / 2));
  EXPECT_EQ(round_outward(between(5, 5), Bytes{max_u64}), between(0, max_u64 - 1));
  EXPECT_EQ(error_of([] { return round_outward(between(1, max_u64), Bytes{page}); }), whole_space);
}

TEST(BadMemory, Merges) {
  EXPECT_EQ(merge({}), Ranges{});
  EXPECT_EQ(merge({between(20, 29), between(0, 9)}), (Ranges{between(0, 9), between(20, 29)}));
  EXPECT_EQ(merge({between(10, 19), between(0, 9)}), Ranges{between(0, 19)});
  EXPECT_EQ(merge({between(0, 99), between(5, 9), between(50, 120)}), Ranges{between(0, 120)});
  EXPECT_EQ(merge({between(5, 5), between(5, 5)}), Ranges{between(5, 5)});
  EXPECT_EQ(merge({between(max_u64, max_u64), between(9, max_u64 - 1)}),
            Ranges{between(9, max_u64)});
  EXPECT_EQ(error_of([] { return merge({between(9, max_u64), between(0, 8)}); }), whole_space);
}

TEST(BadMemory, Subtracts) {
  const Ranges from{between(0, 9), between(20, 29), between(40, max_u64)};
  EXPECT_EQ(subtract({}, between(0, 9)), Ranges{});
  EXPECT_EQ(subtract(from, between(10, 19)), from);
  EXPECT_EQ(subtract(from, between(0, max_u64 - 1)), Ranges{between(max_u64, max_u64)});
  EXPECT_EQ(subtract(from, between(20, 29)), (Ranges{between(0, 9), between(40, max_u64)}));
  EXPECT_EQ(subtract(from, between(22, 22)),
            (Ranges{between(0, 9), between(20, 21), between(23, 29), between(40, max_u64)}));
  EXPECT_EQ(subtract(from, between(5, 44)), (Ranges{between(0, 4), between(45, max_u64)}));
  EXPECT_EQ(subtract(from, between(9, max_u64)), Ranges{between(0, 8)});
}

}  // namespace
}  // namespace memplug
