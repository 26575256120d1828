// SPDX-License-Identifier: MIT
// Takes memory with the library memplug::memplug, tells what it got and what was in the way, and
// gives it back when stdin is closed, or when it ends otherwise.
//
//   take 64M
#include <chrono>
#include <exception>
#include <iostream>
#include <memplug/device.hpp>
#include <memplug/device_file.hpp>
#include <memplug/failure.hpp>
#include <memplug/quantity.hpp>
#include <memplug/reason_words.hpp>

namespace {

int take(memplug::Bytes size) {
  memplug::Device device = memplug::open_device(memplug::default_device, memplug::Access::Write);
  const memplug::Bytes subblock = device.info().subblock;
  if (size.value % subblock.value != 0) {
    std::cerr << "take: a size is a multiple of " << memplug::print_size(subblock) << '\n';
    return 2;
  }

  memplug::Request request;
  request.length = size;
  request.timeout = std::chrono::seconds{10};
  request.tied = true;
  constexpr memplug::Capacity capacity{.ranges = 256, .blocked = 64};
  const memplug::Result result = device.carry_out(request, capacity);

  std::cout << "took " << memplug::print_size(result.done) << '\n';
  for (const memplug::HeldRange& range : result.ranges) {
    if (range.start) {
      std::cout << memplug::print_range({*range.start, range.size}) << '\n';
    }
  }
  for (const memplug::Blocked& blocked : result.blocked) {
    std::cout << "not " << memplug::print_range(blocked.range) << ": "
              << memplug::words_for(blocked.reason).what << '\n';
  }
  std::cout << std::flush;

  while (std::cin.get() != std::istream::traits_type::eof()) {
  }
  return result.shortfall().value == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: take SIZE\n";
    return 2;
  }
  try {
    return take(memplug::parse_size(argv[1]));
  } catch (const memplug::Failure& failure) {
    std::cerr << "take: " << failure.what() << '\n';
    if (!failure.next_step().empty()) {
      std::cerr << "take: " << failure.next_step() << '\n';
    }
  } catch (const std::exception& error) {
    std::cerr << "take: " << error.what() << '\n';
  }
  return 1;
}
