// SPDX-License-Identifier: MIT
// The verb hold against the fake module, with real commands: what they find in their environment,
// what their ends are worth, and when none is run.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "fake_channel.hpp"
#include "file_descriptor.hpp"
#include "memplug/failure.hpp"
#include "setting_file.hpp"
#include "temporary_folder.hpp"
#include "verbs/hold.hpp"

namespace memplug::test {
namespace {

class HoldTest : public testing::Test {
 protected:
  HoldTest() {
    module_.info.out_features |= MEMPLUG_FEATURE_TIED;
    module_.answer = done_at(5 * gib);
    module_.descriptor = opened_.number();
  }

  int run(const HoldOptions& options) {
    return static_cast<int>(run_hold(options, opener(module_), surroundings_, captured_.output));
  }
  int run_shell(const std::string& script, const UnplugOptions& unplug = {.what = "16M"}) {
    return run({unplug, {"sh", "-c", script + "\n", path_}});
  }

  // What the script has written to "$0".
  std::string written() const {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  void expect_failure(const HoldOptions& options, int error_number, const std::string& words) {
    try {
      static_cast<void>(run(options));
      ADD_FAILURE() << "nothing was refused";
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code().value(), error_number);
      EXPECT_NE(std::string(failure.what()).find(words), std::string::npos) << failure.what();
    }
  }

  FakeModule module_;
  Captured captured_;
  SettingFile setting_{"10\n"};
  Surroundings surroundings_ = surroundings_with(setting_.path());
  FileDescriptor opened_{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  TemporaryFolder folder_;
  std::string path_ = folder_.root() + "/written";
};

TEST_F(HoldTest, AsksForAllOfItTied) {
  EXPECT_EQ(run_shell("exit 0"), 0);
  ASSERT_TRUE(module_.request.has_value());
  EXPECT_EQ(module_.request->flags, MEMPLUG_REQ_EXACT | MEMPLUG_REQ_TIED);
  EXPECT_EQ(module_.request->length, 16 * mib);
  EXPECT_EQ(module_.opened_for, Access::Write);
}

TEST_F(HoldTest, WatermarksAreRecomputedWhenTheMemoryIsOutAndWhenItIsBack) {
  const std::string make_old = "touch -d @1 '" + setting_.path() + "'";
  EXPECT_EQ(
      run_shell("[ $(stat -c %Y '" + setting_.path() + "') != 1 ] && " + make_old, {.what = "64M"}),
      0);
  EXPECT_TRUE(setting_.written());
  EXPECT_EQ(run_shell(make_old, {.what = "60M"}), 0);
  EXPECT_FALSE(setting_.written()) << "too little to matter";
  EXPECT_EQ(run_shell(make_old, {.what = "64M", .keep_watermarks = true}), 0);
  EXPECT_FALSE(setting_.written());
}

TEST_F(HoldTest, OneRunIsAllOrNothingByItself) {
  EXPECT_EQ(run_shell("exit 0", {.what = "16M", .within = "0x140000000+1G", .contiguous = true}),
            0);
  EXPECT_EQ(module_.request->flags, MEMPLUG_REQ_CONTIGUOUS | MEMPLUG_REQ_WINDOW | MEMPLUG_REQ_TIED);
}

TEST_F(HoldTest, GivesTheCommandsOwnStatus) {
  EXPECT_EQ(run_shell("exit 0"), 0);
  EXPECT_EQ(run_shell("exit 1"), 1);
  EXPECT_EQ(run_shell("exit 77"), 77);
  EXPECT_EQ(run_shell("kill -KILL $$"), 128 + SIGKILL);
  EXPECT_EQ(run_shell("kill -TERM $$"), 128 + SIGTERM);
}

TEST_F(HoldTest, TellsTheCommandWhatItHas) {
  EXPECT_EQ(run_shell("echo \"$MEMPLUG_RANGES\" >\"$0\"; echo \"$MEMPLUG_JSON\" >>\"$0\""), 0);
  const std::string text = written();
  const std::size_t end = text.find('\n');
  ASSERT_NE(end, std::string::npos);
  EXPECT_EQ(text.substr(0, end), "0x0000000140000000-0x0000000140ffffff");
  const auto object = nlohmann::json::parse(text.substr(end));
  EXPECT_EQ(object.at("operation"), "unplug");
  EXPECT_EQ(object.at("done_size"), 16 * mib);
  EXPECT_EQ(captured_.data(), "") << "stdout is the command's";
}

TEST_F(HoldTest, TheCommandHasTheDescriptor) {
  EXPECT_EQ(run_shell("readlink /proc/self/fd/$MEMPLUG_FD >\"$0\""), 0);
  EXPECT_EQ(written(), "/dev/null\n");
  EXPECT_NE(::fcntl(opened_.number(), F_GETFD) & FD_CLOEXEC, 0) << "others inherit it as well";
}

TEST_F(HoldTest, AnEnvironmentOfThatNameIsReplaced) {
  ::setenv("MEMPLUG_RANGES", "old", 1);
  EXPECT_EQ(run_shell("env | grep -c ^MEMPLUG_RANGES= >\"$0\"; [ \"$MEMPLUG_RANGES\" != old ]"), 0);
  ::unsetenv("MEMPLUG_RANGES");
  EXPECT_EQ(written(), "1\n");
}

TEST_F(HoldTest, ThereIsNoSuchCommand) {
  EXPECT_EQ(run({{.what = "16M"}, {"/nonexistent/command"}}), 127);
  EXPECT_NE(captured_.prose().find("cannot run /nonexistent/command: No such file"),
            std::string::npos)
      << captured_.prose();
}

TEST_F(HoldTest, TheCommandCannotBeRun) {
  std::ofstream(path_) << "no program";
  EXPECT_EQ(run({{.what = "16M"}, {path_}}), 126);
}

TEST_F(HoldTest, ABrokenPipeIsTheCommandsOwnBusiness) {
  const auto old = std::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(run_shell("kill -PIPE $$; exit 3"), 128 + SIGPIPE);
  static_cast<void>(std::signal(SIGPIPE, old));
}

TEST_F(HoldTest, SignalsArePassedOn) {
  for (const auto& [signal, name] :
       {std::pair{SIGTERM, "TERM"}, std::pair{SIGHUP, "HUP"}, std::pair{SIGINT, "INT"}}) {
    // A shell can't trap what was ignored when it began, as SIGINT is in a script's background.
    const auto old = std::signal(signal, SIG_DFL);
    std::filesystem::remove(path_);
    std::thread killer([this, signal = signal] {
      // Else it would end the process here: only the thread that waits for it has it blocked, and
      // not yet when this one begins.
      sigset_t all{};
      ::sigfillset(&all);
      ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
      while (!std::filesystem::exists(path_)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      ::kill(::getpid(), signal);
    });
    EXPECT_EQ(run_shell(std::string("trap 'exit 9' ") + name +
                        "; : >\"$0\"; while :; do sleep 0.02; done"),
              9)
        << name;
    killer.join();
    static_cast<void>(std::signal(signal, old));
  }
}

TEST_F(HoldTest, NothingIsRunIfNotAllOfItIsThere) {
  module_.answer = done_with(0, MEMPLUG_STOP_EXHAUSTED);
  EXPECT_EQ(run_shell(": >\"$0\""), 125);
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_NE(captured_.prose().find("memplugctl: hold: "), std::string::npos);
}

TEST_F(HoldTest, NothingIsRunIfSomebodyHasItAlready) {
  module_.answer = [](memplug_request& request) {
    request.out_requested = request.length;
    request.out_already = 4 * mib;
    request.out_done = request.length - 4 * mib;
    return 0;
  };
  expect_failure({{.what = "0x140000000+16M"}, {"sh", "-c", ": >\"$0\"", path_}}, EBUSY,
                 "is unplugged already");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(HoldTest, ADryRunRunsNothing) {
  EXPECT_EQ(run_shell(": >\"$0\"", {.what = "16M", .dry_run = true}), 0);
  EXPECT_EQ(module_.request->flags, MEMPLUG_REQ_EXACT | MEMPLUG_REQ_TIED | MEMPLUG_REQ_DRY_RUN);
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_NE(captured_.data(), "");
}

TEST_F(HoldTest, NeedsACommand) {
  EXPECT_THROW(static_cast<void>(run({{.what = "16M"}, {}})), UsageError);
  EXPECT_THROW(static_cast<void>(run({{}, {"true"}})), UsageError);
  EXPECT_FALSE(module_.request.has_value());
}

TEST_F(HoldTest, AnOlderModuleCannot) {
  module_.info.out_features &= ~std::uint64_t{MEMPLUG_FEATURE_TIED};
  expect_failure({{.what = "16M"}, {"true"}}, ENOTTY, "can't tie memory to a command");
}

}  // namespace
}  // namespace memplug::test
