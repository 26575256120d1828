// SPDX-License-Identifier: MIT
#include "request/target_wish.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <thread>

#include "memplug/failure.hpp"
#include "request/request.hpp"

namespace memplug {
namespace {

constexpr int max_tries = 100;
constexpr std::chrono::milliseconds between_tries{1};

Bytes rounded_down(Bytes size, Bytes unit) { return size - size % unit; }

TargetWish parse_by(const std::string& text) {
  if (!text.starts_with('+') && !text.starts_with('-')) {
    throw UsageError("--by " + text + ": begins with + or -, such as +1G or -512M");
  }
  try {
    return {text.front() == '+' ? TargetWish::Of::More : TargetWish::Of::Less,
            parse_size(text.substr(1))};
  } catch (const UsageError& error) {
    throw UsageError(std::string("--by: ") + error.what());
  }
}

TargetWish parse_total(const std::string& text) {
  try {
    return {TargetWish::Of::Total, parse_size(text)};
  } catch (const UsageError& error) {
    throw UsageError(std::string("--total: ") + error.what());
  }
}

// Whole subblocks less than now, so that no less than asked for is left; or more than now.
Bytes target_of_total(Bytes wished, const Sizes& now) {
  const Info& info = now.info;
  if (!now.total) {
    throw Failure(ENOENT, "--total: /proc/meminfo does not tell how much memory there is",
                  "is /proc mounted?");
  }
  const Bytes total = *now.total;
  const Bytes most = total + info.unplugged;
  if (wished > most) {
    throw Failure(ERANGE,
                  "--total " + print_size_argument(wished) +
                      " is more than there is: with everything plugged MemTotal is " +
                      print_size(most),
                  "the most is " + print_size_argument(most));
  }
  // MemTotal and the module's sizes are told by two parties, and need not fit together.
  const Bytes others = total - std::min(total, info.plugged());
  if (wished < others) {
    throw Failure(
        ERANGE,
        "--total " + print_size_argument(wished) +
            " is less than what memplug does not manage, which is " + print_size(others),
        "the least is " + print_size_argument(others) + ", and the floor stops it before that");
  }
  if (wished <= total) {
    return info.plugged() - std::min(info.plugged(), rounded_down(total - wished, info.subblock));
  }
  const Bytes more = wished - total + info.subblock - Bytes{1};
  return std::min(info.plugged() + rounded_down(more, info.subblock), info.managed);
}

Bytes target_of_change(const TargetWish& wish, const Info& info) {
  // What was set and is not reached yet counts: twice the same is twice as much.
  const Bytes base = info.target.value_or(info.plugged());
  const bool more = wish.of == TargetWish::Of::More;
  const std::string typed = std::string("--by ") + (more ? "+" : "-");
  check_multiple("--by", wish.size, info.subblock, Bytes{});
  const Bytes room = more ? info.managed - std::min(info.managed, base) : base;
  if (wish.size > room) {
    throw Failure(ERANGE,
                  typed + print_size_argument(wish.size) + " is more than there is: the target " +
                      (info.target ? "is " : "would be counted from the plugged size, ") +
                      print_size(base) + ", of " + print_size(info.managed) + " managed",
                  "the most is " + std::string(more ? "+" : "-") + print_size_argument(room));
  }
  return more ? base + wish.size : base - wish.size;
}

}  // namespace

TargetWish parse_target_wish(const std::optional<std::string>& what,
                             const std::optional<std::string>& total,
                             const std::optional<std::string>& by) {
  const std::array given{what.has_value(), total.has_value(), by.has_value()};
  if (std::ranges::count(given, true) != 1) {
    throw UsageError("one of SIZE, --total and --by is what the target is to be");
  }
  if (total) {
    return parse_total(*total);
  }
  if (by) {
    return parse_by(*by);
  }
  if (looks_like_range(*what)) {
    throw UsageError("'" + *what +
                     "' is a RANGE; a target is a SIZE, the memory that stays plugged");
  }
  return *what == "none" ? TargetWish{} : TargetWish{TargetWish::Of::Plugged, parse_size(*what)};
}

Sizes read_sizes(Device& device, const Meminfo& meminfo) {
  for (int tries = 0; tries < max_tries; ++tries) {
    if (tries > 0) {
      std::this_thread::sleep_for(between_tries);
    }
    const std::uint64_t before = device.info().generation;
    const auto total = meminfo.size("MemTotal");
    Info info = device.info();
    if (info.generation == before) {
      return {std::move(info), total};
    }
  }
  throw Failure(EAGAIN, "memory changes faster than its size can be read",
                "try again when less is going on");
}

std::optional<Bytes> target_of(const TargetWish& wish, const Sizes& now) {
  switch (wish.of) {
    case TargetWish::Of::None:
      break;
    case TargetWish::Of::Plugged:
      check_multiple("target", wish.size, now.info.subblock, Bytes{0});
      return wish.size;
    case TargetWish::Of::Total:
      return target_of_total(wish.size, now);
    case TargetWish::Of::More:
    case TargetWish::Of::Less:
      return target_of_change(wish, now.info);
  }
  return std::nullopt;
}

}  // namespace memplug
