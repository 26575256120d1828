// SPDX-License-Identifier: MIT
// The verb quarantine against the fake module, with files of its own.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "fake_channel.hpp"
#include "machine/text_file.hpp"
#include "memplug/failure.hpp"
#include "temporary_folder.hpp"
#include "verbs/quarantine.hpp"

namespace memplug::test {
namespace {

constexpr std::uint64_t start = 5 * gib;

class QuarantineTest : public testing::Test {
 protected:
  QuarantineOptions options(QuarantineVerb verb,
                            const std::optional<std::string>& range = std::nullopt) const {
    QuarantineOptions options;
    options.verb = verb;
    options.range = range;
    options.file = path_;
    options.timeout = "50ms";
    return options;
  }

  int run(const QuarantineOptions& options) {
    return static_cast<int>(run_quarantine(options, opener(module_), next_line_, captured_.output));
  }
  int add(const std::string& range) { return run(options(QuarantineVerb::Add, range)); }

  nlohmann::json run_json(const QuarantineOptions& options, int wanted = 0) {
    Captured captured;
    captured.output.style.json = true;
    const ExitStatus status = run_quarantine(options, opener(module_), next_line_, captured.output);
    EXPECT_EQ(static_cast<int>(status), wanted);
    return nlohmann::json::parse(captured.data());
  }

  // The ranges of the file, without what is said about it.
  std::string entries() const {
    std::string text = read_file(path_);
    while (text.starts_with('#')) {
      text.erase(0, text.find('\n') + 1);
    }
    return text;
  }

  // None of it can be had.
  void keep_all_wanted() {
    module_.answer_quarantine = [this](memplug_quarantine& asked) {
      asked.out_changed = asked.length;
      asked.out_quarantined = asked.length;
      module_.quarantined = {
          {asked.start, asked.length, MEMPLUG_RANGE_QUARANTINED | MEMPLUG_RANGE_WANTED, 0, 0, 0}};
      return 0;
    };
  }

  // What lies below this address is not managed.
  void refuse_below(std::uint64_t address) {
    module_.answer_quarantine = [this, address](memplug_quarantine& asked) {
      if (asked.start < address) {
        asked.out_bad_start = asked.start;
        asked.out_bad_length =
            std::min<std::uint64_t>(address, asked.start + asked.length) - asked.start;
        asked.out_bad_why = MEMPLUG_BAD_ZONE;
        return ENXIO;
      }
      asked.out_changed = asked.length;
      module_.quarantined.push_back(
          {asked.start, asked.length, MEMPLUG_RANGE_QUARANTINED, 0, 0, 0});
      return 0;
    };
  }

  template <typename Error>
  void expect_refused(const QuarantineOptions& options, const std::string& words) {
    try {
      static_cast<void>(run(options));
      ADD_FAILURE() << "nothing was refused";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  }

  FakeModule module_;
  Captured captured_;
  std::istringstream log_;
  NextLine next_line_ = [this]() -> std::optional<std::string> {
    std::string line;
    return std::getline(log_, line) ? std::optional(line) : std::nullopt;
  };
  TemporaryFolder temporary_;
  const std::string& folder_ = temporary_.root();
  std::string path_ = folder_ + "/etc/quarantine";
};

TEST_F(QuarantineTest, AddRoundsOutwardAndRemembersPages) {
  EXPECT_EQ(add("0x140001234-0x140001235"), 0);
  ASSERT_EQ(module_.quarantines.size(), 1U);
  EXPECT_EQ(module_.quarantines[0].start, start);
  EXPECT_EQ(module_.quarantines[0].length, 4 * mib);
  EXPECT_EQ(module_.quarantines[0].flags, 0U);
  EXPECT_EQ(module_.opened_for, Access::Write);
  EXPECT_EQ(entries(), "0x0000000140001000-0x0000000140001fff\n");
  EXPECT_NE(captured_.prose().find("4 KiB of bad memory take whole subblocks, 4 MiB"),
            std::string::npos)
      << captured_.prose();
}

TEST_F(QuarantineTest, WhatIsThereAlreadyIsLeftAsItIs) {
  std::filesystem::create_directories(folder_ + "/etc");
  replace_file(path_, "# mine\nbadram=0x140000000,0xfffffffffffff000  # old\n0x150000000+4K");
  EXPECT_EQ(add("0x140000000+4K"), 0);
  EXPECT_EQ(read_file(path_),
            "# mine\nbadram=0x140000000,0xfffffffffffff000  # old\n0x150000000+4K");
  EXPECT_EQ(add("0x160000000+4K"), 0);
  EXPECT_EQ(read_file(path_),
            "# mine\nbadram=0x140000000,0xfffffffffffff000  # old\n0x150000000+4K\n"
            "0x0000000160000000-0x0000000160000fff\n");
}

TEST_F(QuarantineTest, NoSaveLeavesTheFile) {
  QuarantineOptions once = options(QuarantineVerb::Add, "0x140000000+4K");
  once.no_save = true;
  EXPECT_EQ(run(once), 0);
  EXPECT_FALSE(is_file_there(path_));
}

TEST_F(QuarantineTest, ADamagedFileIsFoundBeforeAnythingIsDone) {
  std::filesystem::create_directories(folder_ + "/etc");
  replace_file(path_, "0x15000\n");
  expect_refused<UsageError>(options(QuarantineVerb::Add, "0x140000000+4K"), "line 1");
  EXPECT_TRUE(module_.quarantines.empty());
  EXPECT_EQ(read_file(path_), "0x15000\n");
}

TEST_F(QuarantineTest, WhatIsNotManagedIsNotRemembered) {
  refuse_below(6 * gib);
  EXPECT_EQ(add("0x140000000+4K"), 1);
  EXPECT_FALSE(is_file_there(path_));
  EXPECT_NE(captured_.prose().find("it is in a zone that is not managed"), std::string::npos)
      << captured_.prose();
}

TEST_F(QuarantineTest, APartThatIsNotManagedIsSavedWithTheRest) {
  refuse_below(start);
  const auto json = run_json(options(QuarantineVerb::Add, "0x13fc00000+8M"), 64);
  EXPECT_EQ(json["requested_size"], 8 * mib);
  EXPECT_EQ(json["out_size"], 4 * mib);
  EXPECT_EQ(json["refused_size"], 4 * mib);
  EXPECT_EQ(json["refused"][0]["start"], start - 4 * mib);
  EXPECT_EQ(json["refused"][0]["why"], "zone");
  EXPECT_EQ(entries(), "0x000000013fc00000-0x00000001403fffff\n");
}

TEST_F(QuarantineTest, WaitsForWhatIsWantedAndTellsWhatIsNotOut) {
  keep_all_wanted();
  const auto json = run_json(options(QuarantineVerb::Add, "0x140000000+4K"), 64);
  EXPECT_EQ(json["stopped_by"], "timeout");
  EXPECT_EQ(json["out_size"], 0);
  EXPECT_EQ(json["wanted_size"], 4 * mib);
  EXPECT_EQ(json["ranges"][0]["state"], "wanted");
  EXPECT_GE(module_.wait_calls, 1);
  EXPECT_FALSE(entries().empty()) << "it is to be kept out after the next boot all the same";
}

TEST_F(QuarantineTest, ReturnsAsSoonAsAllIsOut) {
  keep_all_wanted();
  module_.answer_wait = [this](int /*earlier*/, std::chrono::milliseconds /*timeout*/) {
    module_.quarantined[0].flags = MEMPLUG_RANGE_QUARANTINED;
    return 0;
  };
  QuarantineOptions patient = options(QuarantineVerb::Add, "0x140000000+4K");
  patient.timeout = "5m";
  EXPECT_EQ(run(patient), 0);
  EXPECT_EQ(module_.wait_calls, 1);
}

TEST_F(QuarantineTest, RemoveEndsItAndGivesItBack) {
  ASSERT_EQ(add("0x140001000+4K"), 0);
  const auto json = run_json(options(QuarantineVerb::Remove, "0x140001000+4K"));
  EXPECT_EQ(module_.quarantines.back().flags, MEMPLUG_QUARANTINE_END);
  EXPECT_EQ(module_.quarantines.back().start, start);
  EXPECT_EQ(module_.operation, Operation::Plug);
  EXPECT_EQ(module_.request->start, start);
  EXPECT_EQ(module_.request->length, 4 * mib);
  EXPECT_EQ(json["operation"], "quarantine_remove");
  EXPECT_EQ(json["ended_size"], 4 * mib);
  EXPECT_EQ(json["plugged_size"], 4 * mib);
  EXPECT_EQ(entries(), "");
}

TEST_F(QuarantineTest, RemoveKeepsASubblockThatAnotherBadPageNeeds) {
  ASSERT_EQ(add("0x140001000+4K"), 0);
  ASSERT_EQ(add("0x140003000+4K"), 0);
  const std::size_t calls = module_.quarantines.size();
  EXPECT_EQ(run(options(QuarantineVerb::Remove, "0x140001000+4K")), 0);
  EXPECT_EQ(module_.quarantines.size(), calls) << "nothing was to be changed in the module";
  EXPECT_FALSE(module_.operation.has_value());
  EXPECT_EQ(entries(), "0x0000000140003000-0x0000000140003fff\n");
}

TEST_F(QuarantineTest, RemoveAllTakesWhatTheFileDoesNotKnowToo) {
  ASSERT_EQ(add("0x140001000+4K"), 0);
  module_.quarantined.push_back({8 * gib, 4 * mib, MEMPLUG_RANGE_QUARANTINED, 0, 0, 0});
  QuarantineOptions all = options(QuarantineVerb::Remove);
  all.all = true;
  EXPECT_EQ(run(all), 0);
  EXPECT_TRUE(module_.quarantined.empty());
  EXPECT_EQ(entries(), "");
}

TEST_F(QuarantineTest, RemoveOfWhatIsWantedPlugsNothing) {
  keep_all_wanted();
  ASSERT_EQ(add("0x140001000+4K"), 64);
  module_.answer_quarantine = [this](memplug_quarantine& asked) {
    asked.out_changed = asked.length;
    module_.quarantined.clear();
    return 0;
  };
  EXPECT_EQ(run(options(QuarantineVerb::Remove, "0x140001000+4K")), 0);
  EXPECT_FALSE(module_.operation.has_value());
}

TEST_F(QuarantineTest, ApplyTakesAllForms) {
  std::filesystem::create_directories(folder_ + "/etc");
  replace_file(path_,
               "0x140000000-0x140000fff\n"
               "badram=0x180000000,0xfffffffffffff000\n"
               "memmap=4K$0x1c0000000\n");
  const auto json = run_json(options(QuarantineVerb::Apply));
  EXPECT_EQ(json["operation"], "quarantine_apply");
  EXPECT_EQ(json["requested_size"], 12 * mib);
  EXPECT_EQ(json["out_size"], 12 * mib);
  EXPECT_EQ(json["pages"].size(), 3U);
  EXPECT_EQ(module_.quarantines.size(), 3U);
}

TEST_F(QuarantineTest, ApplyNeedsAFile) {
  expect_refused<Failure>(options(QuarantineVerb::Apply), "cannot read " + path_);
  EXPECT_TRUE(module_.quarantines.empty());
  std::filesystem::create_directories(path_);
  expect_refused<Failure>(options(QuarantineVerb::Apply), "directory");
}

TEST_F(QuarantineTest, ApplyOfNothingIsDone) {
  std::filesystem::create_directories(folder_ + "/etc");
  replace_file(path_, "# nothing is bad\n");
  EXPECT_EQ(run(options(QuarantineVerb::Apply)), 0);
}

TEST_F(QuarantineTest, ListTellsBoth) {
  ASSERT_EQ(add("0x140001000+4K"), 0);
  module_.quarantined.push_back(
      {8 * gib, 4 * mib, MEMPLUG_RANGE_QUARANTINED | MEMPLUG_RANGE_WANTED, -1, 0, 0});
  Captured text;
  EXPECT_EQ(run_quarantine(options(QuarantineVerb::List), opener(module_), next_line_, text.output),
            ExitStatus::Success);
  EXPECT_EQ(module_.opened_for, Access::Read);
  EXPECT_EQ(text.data(),
            "RANGE                                   SIZE  NODE  STATE\n"
            "0x0000000140000000-0x00000001403fffff  4 MiB     0  unplugged\n"
            "0x0000000200000000-0x00000002003fffff  4 MiB     -  wanted\n"
            "\nout of use: 4 MiB, wanted: 4 MiB\n"
            "\n" +
                path_ + ":\n0x0000000140001000-0x0000000140001fff  4 KiB\n");
  const auto json = run_json(options(QuarantineVerb::List));
  EXPECT_EQ(json["out_size"], 4 * mib);
  EXPECT_EQ(json["wanted_size"], 4 * mib);
  EXPECT_EQ(json["ranges"][1]["node"], nullptr);
  EXPECT_EQ(json["ranges"][1]["state"], "wanted");
  EXPECT_EQ(json["file"], path_);
  EXPECT_EQ(json["pages"][0]["start"], start + 4096);
}

TEST_F(QuarantineTest, ExportNeedsNoModule) {
  ASSERT_EQ(add("0x140001000+4K"), 0);
  module_.opened_for.reset();
  const auto exported = [this](const std::string& format) {
    QuarantineOptions asked = options(QuarantineVerb::Export);
    asked.format = format;
    Captured text;
    EXPECT_EQ(run_quarantine(asked, opener(module_), next_line_, text.output), ExitStatus::Success);
    return text.data();
  };
  EXPECT_EQ(exported("badram"), "badram 0x0000000140001000,0xfffffffffffff000\n");
  EXPECT_EQ(exported("grub"), "GRUB_BADRAM=\"0x0000000140001000,0xfffffffffffff000\"\n");
  EXPECT_EQ(exported("memmap"), "memmap=4K$0x140001000\n");
  EXPECT_NE(exported("ranges").find("0x0000000140001000-0x0000000140001fff\n"), std::string::npos);
  EXPECT_FALSE(module_.opened_for.has_value());
  QuarantineOptions asked = options(QuarantineVerb::Export);
  asked.format = "badram";
  const auto json = run_json(asked);
  EXPECT_EQ(json["format"], "badram");
  EXPECT_EQ(json["text"], "badram 0x0000000140001000,0xfffffffffffff000\n");
}

TEST_F(QuarantineTest, ArgumentsAreNamed) {
  expect_refused<UsageError>(options(QuarantineVerb::Add), "a RANGE is needed");
  expect_refused<UsageError>(options(QuarantineVerb::Remove), "RANGE or --all");
  expect_refused<UsageError>(options(QuarantineVerb::Add, "64M"), "64M");
  expect_refused<UsageError>(options(QuarantineVerb::None),
                             "add, remove, list, apply, follow and export");
  QuarantineOptions hasty = options(QuarantineVerb::Add, "0x140000000+4K");
  hasty.timeout = "0s";
  expect_refused<UsageError>(hasty, "--timeout");
}

TEST_F(QuarantineTest, AnOlderModuleIsNamed) {
  module_.info.out_features &= ~std::uint64_t{MEMPLUG_FEATURE_QUARANTINE};
  expect_refused<Failure>(options(QuarantineVerb::List), "quarantine");
}

TEST_F(QuarantineTest, WithoutRightsNothingIsRemembered) {
  module_.answer_quarantine = [](memplug_quarantine& /*asked*/) { return EPERM; };
  try {
    static_cast<void>(add("0x140000000+4K"));
    ADD_FAILURE() << "nothing was refused";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code().value(), EPERM);
    EXPECT_NE(failure.next_step().find("root"), std::string::npos);
  }
  EXPECT_FALSE(is_file_there(path_));
}

class FollowTest : public QuarantineTest {
 protected:
  QuarantineOptions follow() const { return options(QuarantineVerb::Follow); }

  void tell_of(std::uint64_t page, int times) {
    std::string lines;
    for (int i = 0; i < times; ++i) {
      lines += "EDAC MC0: 1 CE read error on DIMM_A1 (page:0x" +
               print_address({page / 4096}).substr(2) + " offset:0x10 grain:32)\nsomething else\n";
    }
    log_.str(log_.str() + lines);
  }
};

TEST_F(FollowTest, TooManyErrorsOfAPageTakeItOut) {
  tell_of(start + 8192, 10);
  EXPECT_EQ(run(follow()), 0);
  EXPECT_EQ(entries(), "0x0000000140002000-0x0000000140002fff\n");
  ASSERT_EQ(module_.quarantines.size(), 1U);
  EXPECT_NE(captured_.prose().find("0x0000000140002010: 10 corrected errors"), std::string::npos)
      << captured_.prose();
}

TEST_F(FollowTest, FewerDoNot) {
  tell_of(start, 9);
  tell_of(start + 4096, 9);
  EXPECT_EQ(run(follow()), 0);
  EXPECT_TRUE(module_.quarantines.empty());
  EXPECT_EQ(captured_.prose(), "");
}

TEST_F(FollowTest, OneThatWasNotCorrectedIsEnoughAndTheMarginIsRoundIt) {
  log_.str("Memory failure: 0x140011: recovery action for free buddy page: Recovered\n");
  QuarantineOptions with_margin = follow();
  with_margin.margin = "64K";
  EXPECT_EQ(run(with_margin), 0);
  EXPECT_EQ(entries(), "0x0000000140010000-0x000000014001ffff\n");
}

TEST_F(FollowTest, DryRunOnlyPrints) {
  tell_of(start, 2);
  QuarantineOptions dry = follow();
  dry.threshold = "2";
  dry.dry_run = true;
  EXPECT_EQ(run(dry), 0);
  EXPECT_EQ(captured_.data(), "0x0000000140000000-0x0000000140000fff\n");
  EXPECT_TRUE(module_.quarantines.empty());
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(FollowTest, WhatFailsIsToldAndTheNextIsTaken) {
  log_.str(
      "Memory failure: 0x140000: recovery action for x: Failed\n"
      "Memory failure: 0x150000: recovery action for x: Failed\n");
  const auto usual = module_.answer_quarantine;
  module_.answer_quarantine = [usual](memplug_quarantine& asked) {
    return asked.start == start ? EPERM : usual(asked);
  };
  EXPECT_EQ(run(follow()), 0);
  EXPECT_EQ(entries(), "0x0000000150000000-0x0000000150000fff\n");
}

TEST_F(FollowTest, WhatFailedIsTriedAtTheNextErrorAndWhatWentWellIsNot) {
  tell_of(start, 13);
  auto usual = module_.answer_quarantine;
  module_.answer_quarantine = [this, usual](memplug_quarantine& asked) {
    return module_.quarantines.size() < 3 ? EBUSY : usual(asked);
  };
  EXPECT_EQ(run(follow()), 0);
  EXPECT_EQ(module_.quarantines.size(), 3U) << "of the errors 10 to 13, the last has nothing to do";
  EXPECT_EQ(entries(), "0x0000000140000000-0x0000000140000fff\n");
}

TEST_F(FollowTest, TheJournalsTimesCount) {
  const auto failure = [](std::uint64_t hour) {
    return nlohmann::json{
               {"_TRANSPORT", "kernel"},
               {"PRIORITY", "4"},
               {"__REALTIME_TIMESTAMP", std::to_string(hour * 3600 * 1000000)},
               {"MESSAGE", "EDAC MC0: 1 CE read error on DIMM_A1 (page:0x140000 offset:0x0)"}}
               .dump() +
           "\n";
  };
  QuarantineOptions two = follow();
  two.threshold = "2";
  log_.str(failure(1000) + failure(1025) + failure(1050));
  EXPECT_EQ(run(two), 0);
  EXPECT_TRUE(module_.quarantines.empty());
  log_ = std::istringstream(failure(1000) + failure(1023));
  EXPECT_EQ(run(two), 0);
  EXPECT_EQ(module_.quarantines.size(), 1U);
}

TEST_F(FollowTest, ObjectsAreOneALine) {
  log_.str(
      "Memory failure: 0x140000: recovery action for x: Failed\n"
      "Memory failure: 0x150000: recovery action for x: Failed\n");
  captured_.output.style.json = true;
  EXPECT_EQ(run(follow()), 0);
  std::istringstream lines(captured_.data());
  int objects = 0;
  for (std::string line; std::getline(lines, line); ++objects) {
    EXPECT_EQ(nlohmann::json::parse(line).at("operation"), "quarantine_add");
  }
  EXPECT_EQ(objects, 2);
  QuarantineOptions dry = follow();
  dry.dry_run = true;
  expect_refused<UsageError>(dry, "--json");
}

TEST_F(FollowTest, AFileThatIsFullStaysReadable) {
  std::string full;
  for (std::uint64_t i = 0; i < max_bad_ranges; ++i) {
    full += print_address({8 * gib + i * 8192}) + "+4K\n";
  }
  std::filesystem::create_directories(folder_ + "/etc");
  replace_file(path_, full);
  log_.str("Memory failure: 0x140000: recovery action for x: Failed\n");
  EXPECT_EQ(run(follow()), 0);
  EXPECT_EQ(module_.quarantines.size(), 1U) << "it is kept out until the next boot";
  EXPECT_EQ(read_file(path_), full);
  EXPECT_NE(captured_.prose().find("4096 separate ranges"), std::string::npos) << captured_.prose();
}

TEST_F(FollowTest, OptionsThatCannotBe) {
  for (const char* margin : {"0", "100", "6000", "x"}) {
    QuarantineOptions wrong = follow();
    wrong.margin = margin;
    expect_refused<UsageError>(wrong, "--margin");
  }
  QuarantineOptions wrong = follow();
  wrong.threshold = "0";
  expect_refused<UsageError>(wrong, "--threshold");
}

}  // namespace
}  // namespace memplug::test
