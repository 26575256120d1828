// SPDX-License-Identifier: MIT
// What the fuzzer tries: a call as fields, a sequence of calls, and both as text, a call a line.
// Numbers are kept as wide as they can be: what does not fit is cut off when it is called.
//
//   UNPLUG length=2S flags=RANGE|EXACT start=0x140000000 -> 0
//
// S is the size of a subblock. A field that is not named is 0, the size that of the structure, the
// descriptor open for reading and writing, a pointer good. What follows an arrow is the errno that
// a replay has to meet.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "ioctl_rows.hpp"

namespace fuzz {

// The first ten are the commands, in the order of lab::commands().
enum class Operation : std::uint8_t {
  info,
  nodes,
  list,
  counters,
  progress,
  unplug,
  plug,
  target,
  survey,
  quarantine,
  unknown,  // an ioctl whose number is a field
  poll,
  read,
  write,
  mmap,
  reopen,  // the rest are no calls of the device: they prepare for the next one
  close,
  alarm,
};
inline constexpr std::size_t nr_commands = 10;
inline constexpr std::array<std::string_view, 18> operation_names = {
    "INFO",       "NODES",   "LIST", "COUNTERS", "PROGRESS", "UNPLUG", "PLUG",   "TARGET", "SURVEY",
    "QUARANTINE", "UNKNOWN", "POLL", "READ",     "WRITE",    "MMAP",   "REOPEN", "CLOSE",  "ALARM"};

// Descriptors. The first four are of the device.
enum class Channel : std::uint8_t { rw, ro, wo, dup, closed, other };
inline constexpr std::size_t nr_device_channels = 4;
inline constexpr std::array<std::string_view, 6> channel_names = {"rw",  "ro",     "wo",
                                                                  "dup", "closed", "other"};

// Where a pointer goes. Straddling: the first bytes, as many as the field says, are good.
enum class Place : std::uint8_t {
  good,
  odd,
  null,
  unmapped,
  read_only,
  straddle,
  straddle_read_only,
  kernel,
  beyond,
};
inline constexpr std::array<std::string_view, 9> place_names = {
    "good", "odd", "null", "unmapped", "read-only", "straddle", "half-ro", "kernel", "beyond"};

enum class Pointer : std::uint8_t { argument, results, blocked };
inline constexpr std::array<std::string_view, 3> pointer_names = {"arg", "out", "out2"};

enum class Field : std::uint8_t {
  size,
  flags,
  length,
  start,
  window_start,
  window_length,
  align,
  timeout,
  node,
  capacity,
  blocked_capacity,
  reserved,
  reserved2,
  target,
  tail,    // offset of a byte that is not 0, behind the structure
  cut,     // bytes that are good where a pointer straddles; the shift of an odd one
  number,  // of an unknown command
  delay,   // ALARM: microseconds
};
inline constexpr std::array<std::string_view, 18> field_names = {
    "size",      "flags",   "length", "start",    "window",  "window-length",
    "align",     "timeout", "node",   "capacity", "blocked", "reserved",
    "reserved2", "target",  "tail",   "cut",      "number",  "delay"};

inline constexpr std::array<std::string_view, 10> flag_names = {
    "RANGE", "ALL", "NODE", "WINDOW", "CONTIGUOUS", "EXACT", "DRY_RUN", "TIED", "NORMAL", "LOW"};
// MMAP has flags of its own, by the same names.
inline constexpr std::uint64_t mmap_writable = 1;
inline constexpr std::uint64_t mmap_private = 2;

template <typename Enum>
constexpr std::size_t index_of(Enum value) {
  return static_cast<std::size_t>(value);
}

struct Call {
  Operation operation = Operation::info;
  Channel channel = Channel::rw;
  std::array<Place, pointer_names.size()> places{};
  std::int16_t expected = -1;  // errno, or -1: any
  std::array<std::uint64_t, field_names.size()> values{};

  std::uint64_t& operator[](Field field) { return values[index_of(field)]; }
  std::uint64_t operator[](Field field) const { return values[index_of(field)]; }
  [[nodiscard]] std::uint32_t word(Field field) const {
    return static_cast<std::uint32_t>((*this)[field]);
  }
  [[nodiscard]] Place place(Pointer pointer) const { return places[index_of(pointer)]; }

  [[nodiscard]] bool is_command() const { return index_of(operation) < nr_commands; }
  [[nodiscard]] bool is_request() const {
    return operation == Operation::unplug || operation == Operation::plug;
  }
  // A call at all, and not a preparation.
  [[nodiscard]] bool is_call() const { return operation < Operation::reopen; }
  [[nodiscard]] const lab::Command& command() const { return lab::commands()[index_of(operation)]; }
};

inline Call make_call(Operation operation) {
  Call call;
  call.operation = operation;
  if (call.is_command()) {
    call[Field::size] = call.command().size;
  }
  return call;
}

// Of fixed size: sequences live in memory that processes share.
struct Sequence {
  static constexpr std::size_t room = 12;
  std::uint32_t count = 0;
  std::array<Call, room> calls{};

  void add(const Call& call) {
    if (count < room) {
      calls[count++] = call;
    }
  }
  [[nodiscard]] const Call* begin() const { return calls.data(); }
  [[nodiscard]] const Call* end() const { return calls.data() + count; }
};

inline std::string hex(std::uint64_t value) {
  std::ostringstream out;
  out << (value < 10 ? "" : "0x") << std::hex << value;
  return out.str();
}

inline std::string flags_text(std::uint64_t flags) {
  std::string text;
  for (std::size_t bit = 0; bit < flag_names.size(); ++bit) {
    if ((flags >> bit & 1) != 0) {
      text += (text.empty() ? "" : "|") + std::string(flag_names[bit]);
      flags &= ~(std::uint64_t{1} << bit);
    }
  }
  if (flags != 0) {
    text += (text.empty() ? "" : "|") + hex(flags);
  }
  return text;
}

inline std::string text_of(const Call& call) {
  std::string text(operation_names[index_of(call.operation)]);
  if (call.channel != Channel::rw) {
    text += " on=" + std::string(channel_names[index_of(call.channel)]);
  }
  for (std::size_t i = 0; i < pointer_names.size(); ++i) {
    if (call.places[i] != Place::good) {
      text += " " + std::string(pointer_names[i]) + "=" +
              std::string(place_names[index_of(call.places[i])]);
    }
  }
  const Call usual = make_call(call.operation);
  for (std::size_t i = 0; i < field_names.size(); ++i) {
    if (call.values[i] != usual.values[i]) {
      text += " " + std::string(field_names[i]) + "=" +
              (i == index_of(Field::flags) ? flags_text(call.values[i]) : hex(call.values[i]));
    }
  }
  return text;
}

inline std::string text_of(const Sequence& sequence) {
  std::string text;
  for (const Call& call : sequence) {
    text += text_of(call) + "\n";
  }
  return text;
}

template <std::size_t N>
std::optional<std::size_t> find_name(const std::array<std::string_view, N>& names,
                                     std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - names.begin());
}

// With an S behind it, so many subblocks: -1S is the last one of the address space.
inline std::optional<std::uint64_t> parse_number(const std::string& text,
                                                 std::uint64_t subblock = 0) {
  char* end = nullptr;
  errno = 0;
  const std::uint64_t value = std::strtoull(text.c_str(), &end, 0);
  const bool in_subblocks = subblock != 0 && *end == 'S';
  if (text.empty() || end[in_subblocks ? 1 : 0] != '\0' || errno != 0) {
    return std::nullopt;
  }
  return in_subblocks ? value * subblock : value;
}

inline std::optional<std::uint64_t> parse_flags(const std::string& text) {
  std::istringstream words(text);
  std::uint64_t flags = 0;
  for (std::string word; std::getline(words, word, '|');) {
    if (const auto bit = find_name(flag_names, word)) {
      flags |= std::uint64_t{1} << *bit;
    } else if (const auto number = parse_number(word)) {
      flags |= *number;
    } else {
      return std::nullopt;
    }
  }
  return flags;
}

inline std::optional<std::int16_t> parse_errno(const std::string& name) {
  if (name == "0") {
    return 0;
  }
  for (std::int16_t number = 1; number < 134; ++number) {
    const char* known = ::strerrorname_np(number);
    if (known != nullptr && name == known) {
      return number;
    }
  }
  return std::nullopt;
}

// One "key=value" of a line; false if it is none.
inline bool parse_setting(const std::string& word, std::uint64_t subblock, Call& call) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos) {
    return false;
  }
  const std::string key = word.substr(0, equals);
  const std::string value = word.substr(equals + 1);
  if (key == "on") {
    const auto channel = find_name(channel_names, value);
    call.channel = static_cast<Channel>(channel.value_or(0));
    return channel.has_value();
  }
  if (const auto pointer = find_name(pointer_names, key)) {
    const auto place = find_name(place_names, value);
    call.places[*pointer] = static_cast<Place>(place.value_or(0));
    return place.has_value();
  }
  const auto field = find_name(field_names, key);
  if (!field) {
    return false;
  }
  const auto number =
      *field == index_of(Field::flags) ? parse_flags(value) : parse_number(value, subblock);
  call.values[*field] = number.value_or(0);
  return number.has_value();
}

inline std::optional<Call> parse_call(const std::string& line, std::uint64_t subblock) {
  std::istringstream words(line);
  std::string word;
  words >> word;
  const auto operation = find_name(operation_names, word);
  if (!operation) {
    return std::nullopt;
  }
  Call call = make_call(static_cast<Operation>(*operation));
  while (words >> word) {
    if (word == "->") {
      words >> word;
      const auto expected = parse_errno(word);
      if (!expected) {
        return std::nullopt;
      }
      call.expected = *expected;
    } else if (!parse_setting(word, subblock, call)) {
      return std::nullopt;
    }
  }
  return call;
}

// Dies on a line that is no call: an input that is half read proves nothing.
inline Sequence parse_sequence(std::istream& in, const std::string& name, std::uint64_t subblock) {
  Sequence sequence;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line[0] == '#') {
      continue;
    }
    const auto call = parse_call(line, subblock);
    if (!call || sequence.count == Sequence::room) {
      lab::die("%s, line %d: %s", name.c_str(), number,
               call ? "more calls than a sequence has room for" : "not a call");
    }
    sequence.add(*call);
  }
  return sequence;
}

}  // namespace fuzz
