// SPDX-License-Identifier: MIT
// unplug --reclaim-slab: when it tries again, for what, and what is told of all passes together.
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <new>
#include <nlohmann/json.hpp>
#include <thread>

#include "fake_channel.hpp"
#include "memplug/failure.hpp"
#include "setting_file.hpp"
#include "verbs/unplug.hpp"

namespace memplug::test {
namespace {

// What one pass comes to.
struct Pass {
  std::uint64_t done = 0;
  std::uint32_t stop = MEMPLUG_STOP_EXHAUSTED;
  std::uint64_t already = 0;
  int error = 0;
  std::uint32_t reason = MEMPLUG_REASON_UNMOVABLE;
};

class UnplugPassesTest : public testing::Test {
 protected:
  // Each pass takes what is below that of the one before.
  void answer(const std::vector<Pass>& passes) {
    module_.answer = [this, passes](memplug_request& request) {
      const Pass& pass = passes.at(requests_.size());
      requests_.push_back(request);
      request.out_requested = request.length;
      request.out_done = pass.done;
      request.out_already = pass.already;
      request.out_stop = pass.stop;
      request.out_pages_migrated = 10;
      next_ -= pass.done;
      if (pass.done != 0) {
        put_ranges(request, {{next_, pass.done, 0, 0, 0, 0}});
      }
      if (pass.stop != MEMPLUG_STOP_NONE && pass.reason != MEMPLUG_REASON_UNKNOWN) {
        memplug_blocked blocked{};
        blocked.start = 6 * gib;
        blocked.length = 4 * mib;
        blocked.reason = pass.reason;
        put_blocked(request, {blocked});
      }
      return pass.error;
    };
  }

  ExitStatus run(UnplugOptions options) {
    options.reclaim_slab = true;
    return run_unplug(options, opener(module_), surroundings_, captured_.output);
  }

  nlohmann::json json_of(const UnplugOptions& options, ExitStatus expected) {
    captured_.output.style.json = true;
    EXPECT_EQ(run(options), expected);
    return nlohmann::json::parse(captured_.data());
  }

  bool said(const std::string& text) const {
    return captured_.prose().find(text) != std::string::npos;
  }

  FakeModule module_;
  Captured captured_;
  SettingFile watermarks_{"10\n"};
  SettingFile drop_{"0\n"};
  Surroundings surroundings_ = [this] {
    Surroundings surroundings = surroundings_with(watermarks_.path());
    surroundings.slab = SlabReclaim(drop_.path());
    return surroundings;
  }();
  std::vector<memplug_request> requests_;
  std::uint64_t next_ = 5 * gib;
};

TEST_F(UnplugPassesTest, WhatIsMissingIsTriedAgainAndToldAsOne) {
  answer({{32 * mib}, {16 * mib}, {16 * mib, MEMPLUG_STOP_NONE}});
  const auto json = json_of({.what = "64M"}, ExitStatus::Success);
  EXPECT_EQ(drop_.content(), "2\n");
  ASSERT_EQ(requests_.size(), 3U);
  EXPECT_EQ(requests_[1].length, 32 * mib);
  EXPECT_EQ(requests_[2].length, 16 * mib);
  EXPECT_EQ(json.at("requested_size"), 64 * mib);
  EXPECT_EQ(json.at("done_size"), 64 * mib);
  EXPECT_EQ(json.at("shortfall"), 0);
  EXPECT_EQ(json.at("stopped_by"), nullptr);
  EXPECT_EQ(json.at("pages_migrated"), 30);
  ASSERT_EQ(json.at("ranges").size(), 1U);
  EXPECT_EQ(json.at("ranges")[0].at("start"), 5 * gib - 64 * mib);
  EXPECT_EQ(json.at("ranges")[0].at("size"), 64 * mib);
}

TEST_F(UnplugPassesTest, NothingIsDroppedWhereNothingIsInTheWay) {
  answer({{64 * mib, MEMPLUG_STOP_NONE}});
  EXPECT_EQ(run({.what = "64M"}), ExitStatus::Success);
  EXPECT_FALSE(drop_.written());
}

TEST_F(UnplugPassesTest, NothingIsDroppedWhereThatCanNotHelp) {
  for (const Pass& pass : {Pass{32 * mib, MEMPLUG_STOP_TIMEOUT},
                           Pass{32 * mib, MEMPLUG_STOP_EXHAUSTED, 0, 0, MEMPLUG_REASON_UNKNOWN},
                           Pass{32 * mib, MEMPLUG_STOP_FLOOR, 0, 0, MEMPLUG_REASON_PINNED}}) {
    requests_.clear();
    answer({pass});
    EXPECT_EQ(run({.what = "64M"}), ExitStatus::Partial);
    EXPECT_FALSE(drop_.written());
  }
}

TEST_F(UnplugPassesTest, SlabThatIsInTheWayBeforeTheFloorIsDropped) {
  answer({{32 * mib, MEMPLUG_STOP_FLOOR}, {32 * mib, MEMPLUG_STOP_NONE}});
  EXPECT_EQ(run({.what = "64M"}), ExitStatus::Success);
  EXPECT_TRUE(drop_.written());
}

TEST_F(UnplugPassesTest, WhatOthersGaveBackAndIsTakenAgainCountsOnce) {
  answer({{32 * mib}, {32 * mib, MEMPLUG_STOP_NONE}});
  const auto plain = module_.answer;
  module_.answer = [this, plain](memplug_request& request) {
    next_ = 5 * gib;
    return plain(request);
  };
  const auto json = json_of({.what = "64M"}, ExitStatus::Partial);
  EXPECT_EQ(json.at("done_size"), 32 * mib);
  EXPECT_EQ(json.at("stopped_by"), "exhausted");
  ASSERT_EQ(json.at("ranges").size(), 1U);
  EXPECT_EQ(json.at("ranges")[0].at("size"), 32 * mib);
}

TEST_F(UnplugPassesTest, APassThatBringsNothingIsTheLast) {
  answer({{32 * mib}, {0}});
  EXPECT_EQ(run({.what = "64M"}), ExitStatus::Partial);
  EXPECT_EQ(requests_.size(), 2U);
  EXPECT_TRUE(said("32 MiB of 64 MiB missing")) << captured_.prose();
}

TEST_F(UnplugPassesTest, ThereAreAFewAtMost) {
  answer({{4 * mib}, {4 * mib}, {4 * mib}, {4 * mib}});
  EXPECT_EQ(run({.what = "64M"}), ExitStatus::Partial);
  EXPECT_EQ(requests_.size(), 4U);
}

TEST_F(UnplugPassesTest, ARangeIsAskedForAsItIsAndCountsOnce) {
  answer({{16 * mib, MEMPLUG_STOP_EXHAUSTED, 8 * mib}, {40 * mib, MEMPLUG_STOP_NONE, 24 * mib}});
  const auto json = json_of({.what = "0x100000000+64M"}, ExitStatus::Success);
  ASSERT_EQ(requests_.size(), 2U);
  EXPECT_EQ(requests_[1].length, 64 * mib);
  EXPECT_EQ(json.at("done_size"), 56 * mib);
  EXPECT_EQ(json.at("already_size"), 8 * mib);
  EXPECT_EQ(json.at("shortfall"), 0);
}

TEST_F(UnplugPassesTest, ARangeThatOthersPlugMeanwhileIsNeverMoreThanAllOfIt) {
  answer({{60 * mib}, {64 * mib, MEMPLUG_STOP_NONE}});
  const auto plain = module_.answer;
  module_.answer = [this, plain](memplug_request& request) {
    next_ = 4 * gib + 64 * mib;
    return plain(request);
  };
  const auto json = json_of({.what = "0x100000000+64M"}, ExitStatus::Success);
  EXPECT_EQ(json.at("done_size"), 64 * mib);
  EXPECT_EQ(json.at("already_size"), 0);
  EXPECT_EQ(json.at("shortfall"), 0);
  ASSERT_EQ(json.at("ranges").size(), 1U);
  EXPECT_EQ(json.at("ranges")[0].at("size"), 64 * mib);
}

TEST_F(UnplugPassesTest, AllOrNothingIsTriedAsAWhole) {
  answer({{0}, {64 * mib, MEMPLUG_STOP_NONE}});
  EXPECT_EQ(run({.what = "64M", .exact = true}), ExitStatus::Success);
  EXPECT_EQ(requests_[1].length, 64 * mib);
  EXPECT_EQ(requests_[1].flags, MEMPLUG_REQ_EXACT);
}

TEST_F(UnplugPassesTest, TheTimeIsThatOfAllPasses) {
  answer({{32 * mib}, {32 * mib, MEMPLUG_STOP_NONE}});
  EXPECT_EQ(run({.what = "64M", .timeout = "60m"}), ExitStatus::Success);
  EXPECT_EQ(requests_[0].timeout_ns, 3'600'000'000'000U);
  EXPECT_LT(requests_[1].timeout_ns, requests_[0].timeout_ns);
  EXPECT_GT(requests_[1].timeout_ns, 0U);
}

TEST_F(UnplugPassesTest, WithNoTimeLeftNothingIsBegun) {
  answer({{32 * mib}});
  const auto plain = module_.answer;
  module_.answer = [plain](memplug_request& request) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return plain(request);
  };
  const auto json = json_of({.what = "64M", .timeout = "1ms"}, ExitStatus::Partial);
  EXPECT_EQ(json.at("stopped_by"), "timeout");
  EXPECT_EQ(requests_.size(), 1U);
  EXPECT_FALSE(drop_.written());
}

TEST_F(UnplugPassesTest, ASignalBetweenPassesEndsThem) {
  answer({{32 * mib}});
  const auto plain = module_.answer;
  module_.answer = [plain](memplug_request& request) {
    std::raise(SIGTERM);
    return plain(request);
  };
  const auto json = json_of({.what = "64M"}, ExitStatus::Partial);
  EXPECT_EQ(json.at("stopped_by"), "interrupted");
  EXPECT_EQ(json.at("done_size"), 32 * mib);
  EXPECT_FALSE(drop_.written());
}

TEST_F(UnplugPassesTest, WhatWasTakenIsToldWhateverALaterPassSays) {
  answer({{32 * mib}, {0, MEMPLUG_STOP_NONE, 0, EBUSY}});
  const auto json = json_of({.what = "64M"}, ExitStatus::Partial);
  EXPECT_EQ(json.at("done_size"), 32 * mib);
  EXPECT_EQ(json.at("stopped_by"), "exhausted");
  EXPECT_TRUE(said("it was not tried again")) << captured_.prose();
}

TEST_F(UnplugPassesTest, WhatWasTakenIsToldWhereThereIsNoMemoryForALaterPass) {
  answer({{32 * mib}});
  const auto plain = module_.answer;
  module_.answer = [this, plain](memplug_request& request) {
    if (!requests_.empty()) {
      throw std::bad_alloc();
    }
    return plain(request);
  };
  EXPECT_EQ(json_of({.what = "64M"}, ExitStatus::Partial).at("done_size"), 32 * mib);
  EXPECT_TRUE(said("there is no memory to try again")) << captured_.prose();
}

TEST_F(UnplugPassesTest, RangesThatOnePassCouldNotTellMakeTheWholeIncomplete) {
  for (const bool lost : {false, true}) {
    requests_.clear();
    answer({{32 * mib}, {32 * mib, MEMPLUG_STOP_NONE}});
    const auto plain = module_.answer;
    module_.answer = [this, plain, lost](memplug_request& request) {
      const int error = plain(request);
      if (requests_.size() == 1) {
        // Of what was in the way, or of what was taken, there was more than was told.
        request.out_flags |= MEMPLUG_OUT_TRUNCATED;
        request.out_ranges = lost ? 0 : request.out_ranges;
      }
      return error;
    };
    Captured captured;
    captured.output.style.json = true;
    EXPECT_EQ(run_unplug({.what = "64M", .reclaim_slab = true}, opener(module_), surroundings_,
                         captured.output),
              ExitStatus::Success);
    const auto json = nlohmann::json::parse(captured.data());
    EXPECT_EQ(json.at("truncated"), lost);
    EXPECT_EQ(json.at("done_size"), 64 * mib);
  }
}

TEST_F(UnplugPassesTest, WithoutTheSettingNothingIsBegun) {
  surroundings_.slab = SlabReclaim("/nonexistent/drop_caches");
  try {
    static_cast<void>(run({.what = "64M"}));
    FAIL() << "nothing was refused";
  } catch (const Failure& error) {
    EXPECT_EQ(error.code().value(), ENOENT);
    EXPECT_NE(std::string(error.what()).find("--reclaim-slab"), std::string::npos) << error.what();
  }
  EXPECT_FALSE(module_.request.has_value());
}

TEST_F(UnplugPassesTest, AForecastDropsNothing) {
  EXPECT_THROW(static_cast<void>(run({.what = "64M", .dry_run = true})), UsageError);
  EXPECT_FALSE(module_.opened_for.has_value());
}

TEST_F(UnplugPassesTest, WithVerboseEachPassIsTold) {
  answer({{32 * mib}, {32 * mib, MEMPLUG_STOP_NONE}});
  captured_.output.style.verbose = true;
  EXPECT_EQ(run({.what = "64M"}), ExitStatus::Success);
  EXPECT_TRUE(said("32 MiB more after dropping")) << captured_.prose();
}

}  // namespace
}  // namespace memplug::test
