// SPDX-License-Identifier: MIT
// The rows of the ioctl tables: one call each, its errno, and the proof that nothing changed.
// It knows what every command needs to be called rightly, and not what can be wrong with a call.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <iterator>
#include <string>
#include <vector>

#include "memplug_device.hpp"

namespace lab {

// What may not move by a call that fails or only looks.
struct State {
  std::uint64_t managed = 0;
  std::uint64_t unplugged = 0;
  std::uint64_t generation = 0;

  explicit State(const Device& device) {
    const memplug_info info = device.info();
    managed = info.out_managed_size;
    unplugged = info.out_unplugged_size;
    generation = info.out_generation;
  }
  bool operator==(const State&) const = default;
};

class Table {
 public:
  explicit Table(const char* title) : before_(observer_) {
    std::printf("%s, %zu-bit caller\n", title, sizeof(void*) * 8);
  }

  // A row must give this errno (0: success), and leave the state as it was.
  void row(const std::string& name, int got, int wanted) {
    const bool same = State(observer_) == before_;
    const bool good = got == wanted && same;
    std::printf("  %-4s %-58s %s\n", good ? "ok" : "BAD", name.c_str(), spell(got));
    if (got != wanted) {
      std::printf("       wanted %s\n", spell(wanted));
    }
    if (!same) {
      std::printf("       and the state changed\n");
      before_ = State(observer_);
    }
    count(good);
  }

  // A row about anything else than an errno.
  void claim(const std::string& name, bool holds) {
    std::printf("  %-4s %s\n", holds ? "ok" : "BAD", name.c_str());
    count(holds);
  }

  // The test itself changed something between two rows.
  void rebase() { before_ = State(observer_); }

  [[nodiscard]] const Device& observer() const { return observer_; }

  // The program's exit status.
  [[nodiscard]] int finish() const {
    std::printf("%d rows, %d bad\n", rows_, bad_);
    return rows_ > 0 && bad_ == 0 ? 0 : 1;
  }

 private:
  void count(bool good) {
    ++rows_;
    bad_ += good ? 0 : 1;
    // What was seen so far must survive a crash of the guest.
    std::fflush(stdout);
  }

  static const char* spell(int error) { return error == 0 ? "success" : ::strerrorname_np(error); }

  Device observer_{O_RDONLY};
  State before_;
  int rows_ = 0;
  int bad_ = 0;
};

struct Command {
  const char* name;
  unsigned long number;
  std::size_t size;
  std::size_t first_size;  // of the first version of its structure
  std::uint32_t known_flags;
  bool writes;
  std::vector<std::size_t> reserved;  // offsets of 32-bit words that must be zero
  bool reads_memory = false;          // needs CAP_SYS_ADMIN although it changes nothing
};

inline const std::vector<Command>& commands() {
  constexpr std::uint32_t unplug_flags = MEMPLUG_REQ_RANGE | MEMPLUG_REQ_NODE | MEMPLUG_REQ_WINDOW |
                                         MEMPLUG_REQ_CONTIGUOUS | MEMPLUG_REQ_EXACT |
                                         MEMPLUG_REQ_DRY_RUN | MEMPLUG_REQ_TIED |
                                         MEMPLUG_REQ_NORMAL | MEMPLUG_REQ_LOW;
  constexpr std::uint32_t plug_flags =
      MEMPLUG_REQ_RANGE | MEMPLUG_REQ_ALL | MEMPLUG_REQ_NODE | MEMPLUG_REQ_DRY_RUN;
  static const std::vector<Command> all = {
      {"INFO",
       MEMPLUG_IOC_INFO,
       sizeof(memplug_info),
       offsetof(memplug_info, out_wanted_other_zone_size),
       0,
       false,
       {}},
      {"NODES", MEMPLUG_IOC_NODES, sizeof(memplug_nodes), sizeof(memplug_nodes), 0, false, {}},
      {"LIST",
       MEMPLUG_IOC_LIST,
       sizeof(memplug_list),
       sizeof(memplug_list),
       MEMPLUG_LIST_QUARANTINED,
       false,
       {offsetof(memplug_list, __reserved)}},
      {"COUNTERS",
       MEMPLUG_IOC_COUNTERS,
       sizeof(memplug_counters),
       offsetof(memplug_counters, out_survey_ns),
       0,
       false,
       {}},
      {"PROGRESS",
       MEMPLUG_IOC_PROGRESS,
       sizeof(memplug_progress),
       sizeof(memplug_progress),
       0,
       false,
       {offsetof(memplug_progress, __reserved)}},
      {"UNPLUG",
       MEMPLUG_IOC_UNPLUG,
       sizeof(memplug_request),
       sizeof(memplug_request),
       unplug_flags,
       true,
       {offsetof(memplug_request, __reserved), offsetof(memplug_request, __reserved2)}},
      {"PLUG",
       MEMPLUG_IOC_PLUG,
       sizeof(memplug_request),
       sizeof(memplug_request),
       plug_flags,
       true,
       {offsetof(memplug_request, __reserved), offsetof(memplug_request, __reserved2)}},
      {"TARGET", MEMPLUG_IOC_TARGET, sizeof(memplug_target), sizeof(memplug_target), 0, true, {}},
      {"SURVEY",
       MEMPLUG_IOC_SURVEY,
       sizeof(memplug_survey),
       sizeof(memplug_survey),
       0,
       false,
       {},
       true},
      {"QUARANTINE",
       MEMPLUG_IOC_QUARANTINE,
       sizeof(memplug_quarantine),
       sizeof(memplug_quarantine),
       MEMPLUG_QUARANTINE_END,
       true,
       {offsetof(memplug_quarantine, __reserved)}},
  };
  return all;
}

// Two pages of anonymous memory; the second, or both, can be made to fault.
class Pages {
 public:
  static constexpr std::size_t page = 4096;

  Pages()
      : memory_(static_cast<std::byte*>(::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE,
                                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    if (memory_ == MAP_FAILED) {
      die("mmap: %s", std::strerror(errno));
    }
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages() { ::munmap(memory_, 2 * page); }

  [[nodiscard]] std::byte* data() const { return memory_; }

  void protect(std::size_t from, std::size_t length, int protection) const {
    if (::mprotect(memory_ + from, length, protection) != 0) {
      die("mprotect: %s", std::strerror(errno));
    }
  }

 private:
  std::byte* memory_;
};

template <typename Struct>
std::vector<std::byte> bytes_of(const Struct& value) {
  const auto* first = reinterpret_cast<const std::byte*>(&value);
  return {first, first + sizeof(value)};
}

// A call of this command that succeeds and changes nothing: requests are dry runs of a subblock,
// no target is set, and no quarantine ends.
inline std::vector<std::byte> harmless(const Command& command, std::uint64_t subblock) {
  // Room for what LIST and NODES tell; nobody looks at it.
  static memplug_range ranges[64];
  static memplug_node nodes[64];
  static memplug_subblock subblocks[4];
  if (command.number == MEMPLUG_IOC_TARGET) {
    // None is set, and none is again.
    auto target = sized<memplug_target>();
    target.target = MEMPLUG_NO_TARGET;
    return bytes_of(target);
  }
  if (command.number == MEMPLUG_IOC_QUARANTINE) {
    auto quarantine = sized<memplug_quarantine>();
    quarantine.flags = MEMPLUG_QUARANTINE_END;
    quarantine.length = subblock;
    return bytes_of(quarantine);
  }
  if (command.writes) {
    auto request = sized<memplug_request>();
    request.flags = MEMPLUG_REQ_DRY_RUN;
    request.length = subblock;
    return bytes_of(request);
  }
  if (command.number == MEMPLUG_IOC_LIST) {
    auto list = sized<memplug_list>();
    list.ranges = user_pointer(ranges);
    list.capacity = std::size(ranges);
    return bytes_of(list);
  }
  if (command.number == MEMPLUG_IOC_NODES) {
    auto argument = sized<memplug_nodes>();
    argument.nodes = user_pointer(nodes);
    argument.capacity = std::size(nodes);
    return bytes_of(argument);
  }
  if (command.number == MEMPLUG_IOC_SURVEY) {
    auto survey = sized<memplug_survey>();
    survey.length = subblock;
    survey.records = user_pointer(subblocks);
    survey.capacity = std::size(subblocks);
    return bytes_of(survey);
  }
  std::vector<std::byte> argument(command.size);
  const auto size = static_cast<std::uint32_t>(command.size);
  std::memcpy(argument.data(), &size, sizeof(size));
  return argument;
}

inline void put_word(std::byte* argument, std::size_t offset, std::uint32_t word) {
  std::memcpy(argument + offset, &word, sizeof(word));
}

inline std::uint32_t get_word(const std::byte* argument, std::size_t offset) {
  std::uint32_t word = 0;
  std::memcpy(&word, argument + offset, sizeof(word));
  return word;
}

}  // namespace lab
