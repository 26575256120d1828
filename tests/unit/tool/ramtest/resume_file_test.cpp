// SPDX-License-Identifier: MIT
// The file that a memory test goes on from.
#include "ramtest/resume_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "memplug/failure.hpp"
#include "temporary_folder.hpp"

namespace memplug {
namespace {

constexpr std::uint64_t mib = 1ULL << 20U;
constexpr std::uint64_t base = 0x140000000;

Range at(std::uint64_t first_mib, std::uint64_t size_mib) {
  return {PhysAddr{base + first_mib * mib}, Bytes{size_mib * mib}};
}

ResumeState some_state() {
  ResumeState state;
  state.tests = {0, 8};
  state.loops = 3;
  state.known.good = {at(0, 64), at(72, 8)};
  state.known.bad = {{at(64, 4), {PhysAddr{base + 64 * mib}, PhysAddr{base + 65 * mib}}},
                     {at(80, 16), {}}};
  return state;
}

std::string complaint(const std::string& text) {
  try {
    static_cast<void>(parse_resume(text, "FILE"));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const std::size_t begin = text.find(what);
  EXPECT_NE(begin, std::string::npos) << what;
  return text.replace(begin, what.size(), with);
}

TEST(ResumeText, IsReadAsItWasWritten) {
  const ResumeState state = some_state();
  const ResumeState again = parse_resume(print_resume(state), "FILE");
  EXPECT_EQ(again.tests, state.tests);
  EXPECT_EQ(again.loops, state.loops);
  EXPECT_EQ(again.known.good, state.known.good);
  ASSERT_EQ(again.known.bad.size(), 2U);
  EXPECT_EQ(again.known.bad[0].range, state.known.bad[0].range);
  EXPECT_EQ(again.known.bad[0].pages, state.known.bad[0].pages);
  EXPECT_TRUE(again.known.bad[1].pages.empty());
}

TEST(ResumeText, AllTestsAreNull) {
  EXPECT_EQ(parse_resume(print_resume({}), "FILE").tests, std::nullopt);
}

TEST(ResumeText, DamageIsNamed) {
  const std::string text = print_resume(some_state());
  const auto expect = [](const std::string& damaged, const std::string& words) {
    const std::string what = complaint(damaged);
    EXPECT_EQ(what.rfind("--resume FILE: ", 0), 0U) << what;
    EXPECT_NE(what.find(words), std::string::npos) << what;
    EXPECT_NE(what.find("it is left as it is"), std::string::npos) << what;
  };
  expect("", "no JSON at byte 1");
  expect(text.substr(0, text.size() / 2), "no JSON at byte");
  expect("[]", R"("kind" is missing)");
  expect(R"({"schema_version":1})", R"("kind" is missing)");
  expect(replaced(text, "memplugctl test --resume", "other"), R"("kind" is not)");
  expect(replaced(text, R"("resume_version": 1)", R"("resume_version": 2)"),
         "its version is not 1");
  expect(replaced(text, R"("loops": 3)", R"("loops": -3)"), R"("loops" is no whole number)");
  expect(replaced(text, R"("good": [)", R"("godo": [)"), R"("good" is missing)");
  expect(replaced(text, R"("good": [)", R"("good": 1, "x": [)"), R"("good" is no array)");
  expect(replaced(text, "67108864", "67108865"), "are no range of memory");
  expect(replaced(text, "67108864", "0"), "are no range of memory");
  expect(replaced(text, "67108864", "4503599627370496"), "are no range of memory");
  expect(replaced(text, R"("pages":[5435817984)", R"("pages":[4096)"), "is no page of");
  expect(replaced(text, R"("pages":[5435817984)", R"("pages":[5435817985)"), "is no page of");
  expect(replaced(text, R"("pages":[5435817984)", R"("pages":["x")"), "no whole number");
}

TEST(ResumeText, JoinsWhatBothKnow) {
  KnownMemory older;
  older.good = {at(0, 4), at(100, 4)};
  older.bad = {{at(4, 4), {}}, {at(104, 4), {}}};
  KnownMemory newer;
  newer.good = {at(96, 4)};
  newer.bad = {{at(104, 8), {PhysAddr{base + 105 * mib}}}};
  const KnownMemory all = join(older, newer);
  EXPECT_EQ(all.good, (std::vector{at(0, 4), at(96, 8)}));
  ASSERT_EQ(all.bad.size(), 2U);
  EXPECT_EQ(all.bad[0].range, at(4, 4));
  EXPECT_EQ(all.bad[1].range, at(104, 8));
  EXPECT_EQ(all.bad[1].pages.size(), 1U);
}

class ResumeFileTest : public testing::Test {
 protected:
  [[nodiscard]] std::string content() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

  test::TemporaryFolder temporary_;
  const std::string& folder_ = temporary_.root();
  std::string path_ = folder_ + "/state";
  ResumeFile file_{path_};
};

TEST_F(ResumeFileTest, KnowsNothingWithoutAFile) {
  file_.read({});
  EXPECT_TRUE(file_.known().good.empty());
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(ResumeFileTest, KeepsWhatIsElsewhere) {
  ResumeState state = some_state();
  std::ofstream(path_) << print_resume(state);
  file_.read({state.tests, state.loops, {}});
  file_.write({{at(200, 4)}, {}});
  const ResumeState now = parse_resume(content(), "FILE");
  EXPECT_EQ(now.known.good, (std::vector{at(0, 64), at(72, 8), at(200, 4)}));
  EXPECT_EQ(now.known.bad.size(), 2U);
  EXPECT_EQ(now.loops, 3U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1)
      << "something is left beside it";
}

TEST_F(ResumeFileTest, OtherTestsAreNoResults) {
  std::ofstream(path_) << print_resume(some_state());
  try {
    file_.read({std::nullopt, 1, {}});
    ADD_FAILURE() << "it was taken";
  } catch (const UsageError& error) {
    EXPECT_EQ(std::string(error.what()),
              "--resume " + path_ +
                  ": it has the results of --tests 0,8 and --loops 3, and not of all tests and "
                  "--loops 1; ask for the same, or name another file");
  }
}

TEST_F(ResumeFileTest, ADamagedFileIsLeftAsItIs) {
  std::ofstream(path_) << R"({"half)";
  EXPECT_THROW(file_.read({}), UsageError);
  EXPECT_EQ(content(), R"({"half)");
}

TEST_F(ResumeFileTest, WhatIsNoFileIsNotReplaced) {
  EXPECT_THROW(ResumeFile("/dev/null").read({}), UsageError);
  EXPECT_THROW(ResumeFile(folder_).read({}), UsageError);
}

}  // namespace
}  // namespace memplug
