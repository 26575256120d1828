// SPDX-License-Identifier: MIT
// Carries a call out and judges its answer by what the contract says of any call: the errno is a
// documented one, rights are kept, nothing is written where nothing may be, and figures add up.
// What the memory of the machine looks like afterwards is not judged here.
#pragma once

#include <poll.h>
#include <sys/time.h>

#include <utility>

#include "fuzz_contract.hpp"
#include "fuzz_memory.hpp"

namespace fuzz {

struct Answer {
  std::size_t row = other_row;
  int error = 0;
  bool passed = false;   // came through the checks of syntax
  bool claimed = false;  // took memory
  std::uint32_t signature = 0;
  const char* wrong = nullptr;  // what breaks the contract
};

class Caller {
 public:
  Caller() : argument_(3 * Window::page), results_(256 << 10), blocked_(16 << 10) {
    restore();
    fds_[index_of(Channel::other)] = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  ~Caller() {
    for (const int fd : fds_) {
      ::close(fd);
    }
  }

  // The caller has no CAP_SYS_ADMIN any more: from now on it may change nothing.
  void lose_rights() { privileged_ = false; }

  // Opens what a sequence before has closed.
  void restore() {
    static constexpr std::array<int, nr_device_channels> how = {O_RDWR, O_RDONLY, O_WRONLY, -1};
    for (std::size_t i = 0; i < how.size(); ++i) {
      if (fds_[i] < 0) {
        fds_[i] = how[i] >= 0 ? ::open(lab::device_path, how[i] | O_CLOEXEC | O_NONBLOCK)
                              : ::dup(fds_[0]);
      }
    }
  }

  // Closes all that it has of the device: what is tied to it goes back.
  void let_go() {
    for (std::size_t i = 0; i < nr_device_channels; ++i) {
      ::close(std::exchange(fds_[i], -1));
    }
  }

  [[nodiscard]] int fd(Channel channel) const { return fds_[index_of(channel)]; }

  Answer perform(const Call& call) {
    Answer answer;
    const int fd = this->fd(call.channel);
    const bool of_device = index_of(call.channel) < nr_device_channels && fd >= 0;
    if (call.is_command() || call.operation == Operation::unknown) {
      control(call, fd, of_device, answer);
    } else if (call.is_call()) {
      touch(call, fd, answer);
    } else {
      prepare(call);
      return answer;
    }
    if (of_device) {
      answer.row = index_of(call.operation);
      if (!is_documented(call.operation, answer.error)) {
        answer.wrong = "this errno is not documented";
      }
    }
    if (call.expected >= 0 && call.expected != answer.error) {
      answer.wrong = "another errno was expected";
    }
    const std::uint64_t seen = (answer.row * nr_errnos + static_cast<std::uint64_t>(answer.error))
                                   << 24 |
                               answer.signature;
    answer.signature = static_cast<std::uint32_t>(seen * 0x9e3779b97f4a7c15 >> 40);
    return answer;
  }

 private:
  static constexpr std::size_t canary = 64;

  void prepare(const Call& call) {
    int& fd = fds_[index_of(call.channel)];
    switch (call.operation) {
      case Operation::alarm: {
        itimerval timer{};
        timer.it_value.tv_usec = static_cast<suseconds_t>(1 + call[Field::delay] % 1000000);
        ::setitimer(ITIMER_REAL, &timer, nullptr);
        break;
      }
      case Operation::close:
      case Operation::reopen:
        // Who has no rights to open it anew keeps what there is.
        if (index_of(call.channel) < nr_device_channels && fd >= 0 && privileged_) {
          ::close(fd);
          fd = -1;
          if (call.operation == Operation::reopen) {
            restore();
          }
        }
        break;
      default:
        break;
    }
  }

  void touch(const Call& call, int fd, Answer& answer) {
    const Window::Spot spot = results_.at(call.place(Pointer::results), call[Field::cut]);
    void* buffer = nullptr;
    std::memcpy(&buffer, &spot.user, sizeof(buffer));
    const std::size_t length = std::min<std::uint64_t>(call[Field::length], spot.room);
    errno = 0;
    switch (call.operation) {
      case Operation::poll: {
        pollfd wait{fd, POLLIN, 0};
        ::poll(&wait, 1, 0);
        answer.signature = static_cast<std::uint32_t>(wait.revents);
        break;
      }
      case Operation::read:
        read_events(fd, buffer, length, spot.alias, answer);
        break;
      case Operation::write:
        answer.error = ::write(fd, buffer, length) < 0 ? errno : 0;
        break;
      default:
        map(call, fd, answer);
    }
  }

  void map(const Call& call, int fd, Answer& answer) const {
    const bool writable = (call[Field::flags] & mmap_writable) != 0;
    const bool is_private = (call[Field::flags] & mmap_private) != 0;
    const std::size_t length = call[Field::length];
    void* memory =
        ::mmap(nullptr, length, writable ? PROT_READ | PROT_WRITE : PROT_READ,
               is_private ? MAP_PRIVATE : MAP_SHARED, fd, static_cast<off_t>(call[Field::start]));
    if (memory == MAP_FAILED) {
      answer.error = errno;
      return;
    }
    if (call.channel == Channel::other) {
      ::munmap(memory, length);
      return;
    }
    if (!privileged_ || is_private || call.channel == Channel::ro) {
      answer.wrong = "mapped without the right to";
    }
    // Both ends of it, as far as others leave them alone: that nobody faults is what counts.
    auto* bytes = static_cast<volatile char*>(memory);
    for (const std::size_t place : {std::size_t{0}, length - 1}) {
      const char was = bytes[place];
      if (writable) {
        bytes[place] = static_cast<char>(was + 1);
      }
    }
    answer.signature = 1;
    ::munmap(memory, length);
  }

  // Nobody waits: descriptors do not block. What other threads read of the same one is missing.
  static void read_events(int fd, void* buffer, std::size_t length, const std::byte* alias,
                          Answer& answer) {
    const ssize_t got = ::read(fd, buffer, length);
    answer.error = got < 0 ? errno : 0;
    if (got < 0 || alias == nullptr) {
      return;
    }
    const auto count = static_cast<std::size_t>(got) / sizeof(memplug_event);
    answer.signature = static_cast<std::uint32_t>(count);
    std::uint64_t last = 0;
    for (std::size_t i = 0; i < count; ++i) {
      memplug_event event{};
      std::memcpy(&event, alias + i * sizeof(event), sizeof(event));
      if (event.type < MEMPLUG_EVENT_UNPLUGGED || event.type > MEMPLUG_EVENT_QUARANTINE ||
          event.__reserved != 0 || (i != 0 && event.generation != last + 1)) {
        answer.wrong = "events that are out of order, or none";
      }
      last = event.generation;
    }
  }

  void control(const Call& call, int fd, bool of_device, Answer& answer) {
    const Window::Spot spot = argument_.at(call.place(Pointer::argument), call[Field::cut]);
    const std::byte* before = before_.data();
    const std::size_t length = compose(call, before_.data());
    const std::size_t there = std::min(length + canary, spot.room);
    if (spot.alias != nullptr) {
      std::memcpy(spot.alias, before, there);
    }
    answer.error = ::ioctl(fd, number_of(call), spot.user) == 0 ? 0 : errno;
    answer.passed = of_device && call.is_command() && came_through(answer.error);
    if (!of_device || !call.is_command()) {
      return;
    }
    judge_rights(call, answer);
    const bool answers = answer.error == 0 || answer.error == EMSGSIZE || answer.error == ENXIO;
    // A fault in the middle of writing may have left a part.
    const std::size_t may_change =
        answers || answer.error == EFAULT
            ? std::min<std::size_t>(call.word(Field::size), call.command().size)
            : 0;
    if (there > may_change && spot.alias != nullptr &&
        std::memcmp(spot.alias + may_change, before + may_change, there - may_change) != 0) {
      answer.wrong = "something was written behind what may be";
    }
    if (answers && there >= call.command().first_size) {
      read_answer(call, spot.alias, answer);
    }
  }

  // The kernel answers these before any driver sees them: FIGETBSZ, FIOCLEX, FIFREEZE, ...
  static bool is_for_any_file(unsigned long number) {
    const unsigned long type = _IOC_TYPE(number);
    return type == 0 || type == 'T' || type == 'X' || type == 'f' || type == 0x94;
  }

  // An unknown command must not be a known one.
  static unsigned long number_of(const Call& call) {
    if (!call.is_command() && is_for_any_file(call.word(Field::number))) {
      return _IO(MEMPLUG_IOC_TYPE, 0x80 | (call.word(Field::number) & 0x7f));
    }
    const unsigned long number =
        call.is_command() ? call.command().number : call.word(Field::number);
    const bool known = std::any_of(lab::commands().begin(), lab::commands().end(),
                                   [&](const auto& command) { return command.number == number; });
    return known && !call.is_command() ? number + nr_commands : number;
  }

  // Returns how many bytes the structure has, with its tail. What is not for input is junk.
  std::size_t compose(const Call& call, std::byte* to) {
    const std::size_t known = call.is_command() ? call.command().size : sizeof(memplug_request);
    const std::size_t size = std::min<std::size_t>(call.word(Field::size), Window::page + 64);
    const std::size_t length = std::max(known, size);
    std::memset(to, 0xa5, known);
    std::memset(to + known, 0, length - known);
    std::memset(to + length, 0xa5, canary);
    if (call[Field::tail] >= known && call[Field::tail] < size) {
      to[call[Field::tail]] = std::byte{1};
    }
    lab::put_word(to, 0, call.word(Field::size));
    lab::put_word(to, 4, call.word(Field::flags));
    const std::uint64_t results = results_.at(call.place(Pointer::results), call[Field::cut]).user;
    switch (call.operation) {
      case Operation::nodes:
        put(to, offsetof(memplug_nodes, nodes), results);
        lab::put_word(to, offsetof(memplug_nodes, capacity), call.word(Field::capacity));
        break;
      case Operation::list:
        put(to, offsetof(memplug_list, ranges), results);
        lab::put_word(to, offsetof(memplug_list, capacity), call.word(Field::capacity));
        lab::put_word(to, offsetof(memplug_list, __reserved), call.word(Field::reserved));
        break;
      case Operation::progress:
        lab::put_word(to, offsetof(memplug_progress, __reserved), call.word(Field::reserved));
        break;
      case Operation::target:
        put(to, offsetof(memplug_target, target), call[Field::target]);
        break;
      case Operation::survey:
        put(to, offsetof(memplug_survey, start), call[Field::start]);
        put(to, offsetof(memplug_survey, length), call[Field::length]);
        put(to, offsetof(memplug_survey, records), results);
        lab::put_word(to, offsetof(memplug_survey, capacity), call.word(Field::capacity));
        break;
      case Operation::quarantine:
        put(to, offsetof(memplug_quarantine, start), call[Field::start]);
        put(to, offsetof(memplug_quarantine, length), call[Field::length]);
        lab::put_word(to, offsetof(memplug_quarantine, __reserved), call.word(Field::reserved));
        break;
      case Operation::unplug:
      case Operation::plug:
        compose_request(call, results, to);
        break;
      default:
        break;
    }
    return length;
  }

  void compose_request(const Call& call, std::uint64_t results, std::byte* to) {
    put(to, offsetof(memplug_request, length), call[Field::length]);
    put(to, offsetof(memplug_request, start), call[Field::start]);
    put(to, offsetof(memplug_request, window_start), call[Field::window_start]);
    put(to, offsetof(memplug_request, window_length), call[Field::window_length]);
    put(to, offsetof(memplug_request, align), call[Field::align]);
    put(to, offsetof(memplug_request, timeout_ns), call[Field::timeout]);
    lab::put_word(to, offsetof(memplug_request, node), call.word(Field::node));
    put(to, offsetof(memplug_request, ranges), results);
    lab::put_word(to, offsetof(memplug_request, ranges_capacity), call.word(Field::capacity));
    put(to, offsetof(memplug_request, blocked),
        blocked_.at(call.place(Pointer::blocked), call[Field::cut]).user);
    lab::put_word(to, offsetof(memplug_request, blocked_capacity),
                  call.word(Field::blocked_capacity));
    lab::put_word(to, offsetof(memplug_request, __reserved), call.word(Field::reserved));
    lab::put_word(to, offsetof(memplug_request, __reserved2), call.word(Field::reserved2));
  }

  static void put(std::byte* to, std::size_t offset, std::uint64_t value) {
    std::memcpy(to + offset, &value, sizeof(value));
  }

  void judge_rights(const Call& call, Answer& answer) const {
    if (!call.command().writes && !call.command().reads_memory) {
      return;
    }
    if (call.command().writes && call.channel == Channel::ro) {
      if (answer.error != EBADF) {
        answer.wrong = "a read-only descriptor, and no EBADF";
      }
    } else if (!privileged_) {
      if (answer.error != EPERM) {
        answer.wrong = "no CAP_SYS_ADMIN, and no EPERM";
      }
    } else if (answer.error == EPERM || answer.error == EBADF) {
      answer.wrong = "refused for lack of rights that the caller has";
    }
  }

  void read_answer(const Call& call, const std::byte* from, Answer& answer) {
    if (call.is_request()) {
      memplug_request request{};
      std::memcpy(&request, from, sizeof(request));
      if (answer.error == 0) {
        judge_request(call, request, answer);
      } else if (request.out_bad_why > MEMPLUG_BAD_MIXED) {
        answer.wrong = "ENXIO for an unknown reason";
      }
      answer.signature |= request.out_bad_why << 20;
    } else if (call.operation == Operation::list) {
      memplug_list list{};
      std::memcpy(&list, from, sizeof(list));
      judge_list(call, list, answer);
    } else if (call.operation == Operation::info) {
      memplug_info info{};
      std::memcpy(&info, from, std::min<std::size_t>(sizeof(info), call.command().first_size));
      if (info.out_unplugged_size > info.out_managed_size) {
        answer.wrong = "more is unplugged than there is";
      }
    } else if (call.operation == Operation::quarantine) {
      memplug_quarantine told{};
      std::memcpy(&told, from, sizeof(told));
      if (told.out_unplugged > told.out_quarantined || told.out_quarantined > told.length ||
          told.out_changed > told.length || (answer.error == ENXIO) != (told.out_bad_why != 0)) {
        answer.wrong = "the figures of a quarantine do not add up";
      }
      answer.signature = told.out_bad_why << 4 | (told.out_changed != 0 ? 1U : 0) |
                         (told.out_unplugged != 0 ? 2U : 0) |
                         (told.out_unplugged != told.out_quarantined ? 4U : 0);
    }
  }

  void judge_list(const Call& call, const memplug_list& list, Answer& answer) const {
    const bool withheld = (list.out_flags & MEMPLUG_OUT_WITHHELD) != 0;
    if (answer.error == 0 && withheld == privileged_) {
      answer.wrong = "WITHHELD is not as the caller's rights are";
    }
    if (answer.error != 0 || call.place(Pointer::results) != Place::good) {
      return;
    }
    std::uint64_t end = 0;
    for (std::uint32_t i = 0; i < list.out_count && answer.wrong == nullptr; ++i) {
      memplug_range range{};
      std::memcpy(&range, results_.at(Place::good, 0).alias + i * sizeof(range), sizeof(range));
      if (withheld ? range.start != 0 : range.start < end) {
        answer.wrong = "the ranges are out of order, or not withheld";
      }
      end = range.start + range.length;
    }
  }

  void judge_request(const Call& call, const memplug_request& request, Answer& answer) {
    const bool dry = (call[Field::flags] & MEMPLUG_REQ_DRY_RUN) != 0;
    const bool whole = (call[Field::flags] & (MEMPLUG_REQ_EXACT | MEMPLUG_REQ_CONTIGUOUS)) != 0;
    const std::uint64_t had = request.out_done + request.out_already;
    answer.claimed = call.operation == Operation::unplug && !dry && request.out_done != 0;
    answer.signature = request.out_stop << 16 | (request.out_done != 0 ? 1U << 15 : 0) |
                       (request.out_already != 0 ? 1U << 14 : 0) | request.out_flags << 12 |
                       (call.word(Field::flags) & 0x7f);
    if (had > request.out_requested ||
        (had == request.out_requested) != (request.out_stop == MEMPLUG_STOP_NONE)) {
      answer.wrong = "done, already and the stop reason do not add up to what was requested";
    } else if (whole && request.out_done != 0 && had != request.out_requested) {
      answer.wrong = "all or nothing gave a part";
    } else if (request.out_stop > MEMPLUG_STOP_EXHAUSTED) {
      answer.wrong = "stopped for an unknown reason";
    }
    // Only as many as fit were written, and only a list that is whole adds up.
    const bool complete = request.out_ranges <= call.word(Field::capacity) &&
                          call.place(Pointer::results) == Place::good &&
                          request.out_ranges * sizeof(memplug_range) <= results_.size();
    std::uint64_t sum = 0;
    for (std::uint32_t i = 0; complete && i < request.out_ranges; ++i) {
      memplug_range range{};
      std::memcpy(&range, results_.at(Place::good, 0).alias + i * sizeof(range), sizeof(range));
      sum += range.length;
    }
    if (complete && sum != request.out_done) {
      answer.wrong = "the ranges are not as long as what was done";
    }
    const Window::Spot blocked = blocked_.at(Place::good, 0);
    if (request.out_blocked != 0 && call.word(Field::blocked_capacity) != 0 &&
        call.place(Pointer::blocked) == Place::good) {
      answer.signature ^= lab::get_word(blocked.alias, offsetof(memplug_blocked, reason)) << 8;
    }
  }

  std::array<std::byte, 2 * Window::page> before_{};
  std::array<int, channel_names.size()> fds_{-1, -1, -1, -1, -1, -1};
  Window argument_;
  Window results_;
  Window blocked_;
  bool privileged_ = true;
};

}  // namespace fuzz
