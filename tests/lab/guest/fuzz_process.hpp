// SPDX-License-Identifier: MIT
// One process of the fuzzer: makes up sequences or changes kept ones, carries them out, keeps what
// reached something new. Which rights it has, and whether faults are injected, is its role.
#pragma once

#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>

#include <csignal>
#include <memory>
#include <thread>

#include "fuzz_author.hpp"
#include "fuzz_caller.hpp"
#include "fuzz_coverage.hpp"

namespace fuzz {

enum class Role : std::uint8_t { all_rights, no_capability, other_namespace, injector, racer };

inline constexpr const char* fail_nth = "/proc/thread-self/fail-nth";

inline void write_text(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0 || ::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    lab::die("can't write %s to %s: %s", text.c_str(), path.c_str(), std::strerror(errno));
  }
  ::close(file);
}

// Has one of the next allocations and copies of this thread fail.
class Injection {
 public:
  Injection() : file_(::open(fail_nth, O_RDWR | O_CLOEXEC)) {}

  // A signal whose frame can't be written ends the process: none may come while a fault is due.
  static void keep_signals_out() {
    sigset_t signals{};
    sigemptyset(&signals);
    sigaddset(&signals, SIGALRM);
    sigaddset(&signals, SIGUSR1);
    if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) {
      lab::die("sigprocmask: %s", std::strerror(errno));
    }
  }
  Injection(const Injection&) = delete;
  Injection& operator=(const Injection&) = delete;
  ~Injection() {
    if (file_ >= 0) {
      ::close(file_);
    }
  }

  void arm(std::uint64_t nth) const { set(std::to_string(nth)); }
  void disarm() const { set("0"); }

 private:
  // What is left of a fault may hit the very copy that is to end it: once.
  void set(const std::string& text) const {
    for (int tries = 0; tries < 3; ++tries) {
      if (::write(file_, text.data(), text.size()) == static_cast<ssize_t>(text.size())) {
        return;
      }
    }
    lab::die("can't write %s to %s: %s", text.c_str(), fail_nth, std::strerror(errno));
  }

  int file_;
};

// What a process last tried, at its place in a file on a disk that outlives the guest. A block
// holds the beginning of a sequence that is too long for it.
class Journal {
 public:
  static constexpr std::size_t block = 4096;

  Journal(const std::string& path, std::size_t slot) : slot_(slot) {
    if (path.empty()) {
      return;
    }
    // Past the page cache, or it would not be on the disk when the kernel panics.
    file_ = ::open(path.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC);
    if (file_ < 0) {
      lab::die("%s: %s", path.c_str(), std::strerror(errno));
    }
  }
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal() {
    if (file_ >= 0) {
      ::close(file_);
    }
  }

  void note(const Sequence& sequence) {
    if (file_ < 0) {
      return;
    }
    const std::string text = "# memplug fuzz journal, process " + std::to_string(slot_) +
                             ", sequence " + std::to_string(++count_) + "\n" + text_of(sequence);
    std::memset(buffer_.data(), 0, block);
    std::memcpy(buffer_.data(), text.data(), std::min(text.size(), block - 1));
    if (::pwrite(file_, buffer_.data(), block, static_cast<off_t>(slot_ * block)) !=
        static_cast<ssize_t>(block)) {
      lab::die("the journal: %s", std::strerror(errno));
    }
  }

 private:
  alignas(block) std::array<char, block> buffer_{};
  std::size_t slot_;
  std::uint64_t count_ = 0;
  int file_ = -1;
};

// Lies still while the books are looked at.
inline void rest_if_asked(Board& board, std::size_t slot) {
  while (board.pause && !board.stop) {
    board.resting[slot] = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  board.resting[slot] = false;
}

inline void drop_capabilities() {
  __user_cap_header_struct header{};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  if (::syscall(SYS_capset, &header, none.data()) != 0) {
    lab::die("capset: %s", std::strerror(errno));
  }
}

class Process {
 public:
  Process(Board& board, std::size_t slot, Role role, const Terrain& terrain, std::uint64_t seed,
          const std::string& journal)
      : board_(board),
        slot_(slot),
        role_(role),
        author_(terrain, seed),
        terrain_(terrain),
        journal_(journal, slot) {
    // The descriptors are open already: who calls counts, not who opened.
    if (role == Role::no_capability) {
      drop_capabilities();
      caller_.lose_rights();
    } else if (role == Role::injector) {
      Injection::keep_signals_out();
    } else if (role == Role::other_namespace) {
      if (::unshare(CLONE_NEWUSER) != 0) {
        lab::die("unshare: %s", std::strerror(errno));
      }
      caller_.lose_rights();
    }
  }

  void run() {
    const bool short_lived = role_ != Role::all_rights;
    for (std::uint64_t left = short_lived ? 100 : 1000; left > 0 && !board_.stop; --left) {
      rest_if_asked(board_, slot_);
      const Sequence sequence = next();
      journal_.note(sequence);
      caller_.restore();
      try_out(sequence);
      if (left % 16 == 0 && role_ == Role::all_rights) {
        give_back();
      }
    }
  }

 private:
  Sequence next() {
    const Corpus& corpus = board_.corpus;
    const Sequence* one = corpus.at(author_.below(corpus.size()));
    const Sequence* other = corpus.at(author_.below(corpus.size()));
    if (one == nullptr || other == nullptr || author_.one_in(3)) {
      return author_.fresh();
    }
    return author_.changed(*one, *other);
  }

  void try_out(const Sequence& sequence) {
    Sequence useful;
    std::uint32_t useful_until = 0;
    for (const Call& made : sequence) {
      Call call = made;
      call.expected = -1;
      useful.add(call);
      if (try_out(call, sequence)) {
        useful_until = useful.count;
      }
    }
    // What came after it did nothing for it.
    if (useful_until != 0) {
      useful.count = useful_until;
      board_.corpus.keep(useful);
    }
  }

  // Whether it reached something new.
  bool try_out(const Call& call, const Sequence& sequence) {
    const bool inject = role_ == Role::injector && call.is_command() && author_.one_in(2);
    // The clock may be a system call, which could be what fails.
    const auto begin = std::chrono::steady_clock::now();
    if (inject) {
      injection_.arm(1 + author_.below(author_.one_in(4) ? 60 : 8));
    }
    coverage_.begin();
    const Answer answer = caller_.perform(call);
    const std::uint32_t edges = coverage_.collect(board_.reached);
    if (inject) {
      injection_.disarm();
      ++board_.faults_injected;
    }
    const auto time = std::chrono::steady_clock::now() - begin;
    if (!call.is_call()) {
      return false;
    }
    board_.count(answer.row, answer.error, answer.passed, answer.claimed);
    board_.rows[answer.row].nanoseconds += static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
    if (answer.wrong != nullptr) {
      lab::die("%s: '%s' gave %s, in the sequence\n%s", answer.wrong, text_of(call).c_str(),
               answer.error == 0 ? "0" : ::strerrorname_np(answer.error),
               text_of(sequence).c_str());
    }
    return board_.reached.add_answer(answer.signature) || edges != 0;
  }

  // There has to be something left to take.
  void give_back() {
    auto info = lab::sized<memplug_info>();
    if (::ioctl(caller_.fd(Channel::ro), MEMPLUG_IOC_INFO, &info) != 0 ||
        info.out_unplugged_size < terrain_.managed / 8) {
      return;
    }
    Sequence all;
    Call end = make_call(Operation::quarantine);
    end[Field::flags] = MEMPLUG_QUARANTINE_END;
    end[Field::start] = terrain_.first;
    end[Field::length] = terrain_.end - terrain_.first;
    all.add(end);
    Call call = make_call(Operation::plug);
    call[Field::flags] = MEMPLUG_REQ_ALL;
    all.add(call);
    caller_.restore();
    try_out(all);
  }

  Board& board_;
  std::size_t slot_;
  Role role_;
  Author author_;
  Terrain terrain_;
  Caller caller_;
  Coverage coverage_;
  Injection injection_;
  Journal journal_;
};

}  // namespace fuzz
