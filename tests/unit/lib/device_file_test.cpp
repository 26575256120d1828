// SPDX-License-Identifier: MIT
// The wait on a descriptor, against a pipe: it tells input, time and signals apart.
#include "memplug/device_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

#include "terminal/interrupt.hpp"
#include "wait_for_input.hpp"

namespace memplug {
namespace {

using namespace std::chrono_literals;

class WaitForInput : public testing::Test {
 public:
  WaitForInput() { EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0); }
  WaitForInput(const WaitForInput&) = delete;
  WaitForInput& operator=(const WaitForInput&) = delete;
  ~WaitForInput() override {
    ::close(reader());
    close_writer();
  }

 protected:
  [[nodiscard]] int reader() const { return ends_[0]; }
  void write_byte() const { EXPECT_EQ(::write(ends_[1], "x", 1), 1); }
  void close_writer() {
    if (ends_[1] >= 0) {
      ::close(ends_[1]);
      ends_[1] = -1;
    }
  }

 private:
  std::array<int, 2> ends_{};
};

TEST_F(WaitForInput, InputEndsIt) {
  write_byte();
  EXPECT_EQ(wait_for_input(reader(), 1h), 0);
}

TEST_F(WaitForInput, InputThatComesLaterEndsIt) {
  std::thread writer([this] {
    std::this_thread::sleep_for(20ms);
    write_byte();
  });
  EXPECT_EQ(wait_for_input(reader(), 1h), 0);
  writer.join();
}

TEST_F(WaitForInput, ItTakesItsTime) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(wait_for_input(reader(), 20ms), ETIMEDOUT);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
}

TEST_F(WaitForInput, TimeThatIsOverWaitsNot) {
  EXPECT_EQ(wait_for_input(reader(), -1h), ETIMEDOUT);
}

TEST_F(WaitForInput, TimeBeyondAnIntIsNoTimeInThePast) {
  write_byte();
  EXPECT_EQ(wait_for_input(reader(), std::chrono::hours{24 * 365}), 0);
}

TEST_F(WaitForInput, SignalEndsIt) {
  const InterruptGuard guard;
  // The guard's signals come again each second until it is gone.
  std::raise(SIGINT);
  EXPECT_EQ(wait_for_input(reader(), 1h), EINTR);
  EXPECT_TRUE(InterruptGuard::interrupted());
}

TEST_F(WaitForInput, HangUpIsNoInput) {
  close_writer();
  EXPECT_EQ(wait_for_input(reader(), 1h), EIO);
}

TEST(OpenDevice, OtherDeviceIsToldApart) {
  try {
    static_cast<void>(open_device("/dev/null", Access::Read));
    FAIL() << "/dev/null was taken for memplug";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), ENOTTY);
  }
}

}  // namespace
}  // namespace memplug
