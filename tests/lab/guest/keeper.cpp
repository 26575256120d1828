// SPDX-License-Identifier: MIT
// Holds memory whose every word is known, as a daemon, and tells at any time whether one byte of
// it was lost. It must not touch its memory between fill and verify, and never repairs it.
//
//   keeper start NAME anon|hugetlb SIZE         anonymous memory
//   keeper start NAME file PATH SIZE    page cache of a file, written back and clean (tmpfs or
//   disk) keeper start NAME dirty PATH SIZE   page cache of a file, written anew and left dirty
//   each time keeper verify NAME                  0: all of it is there; 1: not, and where keeper
//   stop NAME                    verify once more, then let go
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "memplug_device.hpp"
#include "pattern.hpp"

namespace {

using lab::die;
using lab::page_size;
using lab::page_words;
using lab::Pattern;

struct Verdict {
  bool good = true;
  std::string text;
};

Verdict wrong(const char* what, std::uint64_t page, std::size_t word) {
  return {false, std::string(what) + ": page " + std::to_string(page) + ", byte " +
                     std::to_string(word * sizeof(std::uint64_t)) + " is wrong"};
}

class Content {
 public:
  virtual ~Content() = default;
  virtual void fill() = 0;
  virtual Verdict verify() = 0;
  // Removes what would outlive the process.
  virtual void discard() {}
};

class Anonymous : public Content {
 public:
  Anonymous(std::uint64_t seed, std::uint64_t pages, int flags) : pattern_(seed), pages_(pages) {
    void* memory = ::mmap(nullptr, pages * page_size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    if (memory == MAP_FAILED) {
      die("mmap: %s", std::strerror(errno));
    }
    memory_ = static_cast<std::uint64_t*>(memory);
  }

  void fill() override {
    for (std::uint64_t page = 0; page < pages_; ++page) {
      pattern_.fill(page, memory_ + page * page_words);
    }
  }

  Verdict verify() override {
    for (std::uint64_t page = 0; page < pages_; ++page) {
      const std::size_t word = pattern_.mismatch(page, memory_ + page * page_words);
      if (word != page_words) {
        return wrong("anonymous memory", page, word);
      }
    }
    return {};
  }

 private:
  Pattern pattern_;
  std::uint64_t pages_;
  std::uint64_t* memory_;
};

// Mapped only while it is filled or verified. Plain read() and write() would do as well, but
// copying between kernel and user costs a guest under software emulation twenty times as much.
class PageCache : public Content {
 public:
  PageCache(std::uint64_t seed, std::string path, std::uint64_t pages, bool dirty)
      : seed_(seed), path_(std::move(path)), pages_(pages), dirty_(dirty) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd_ < 0 || ::ftruncate(fd_, static_cast<off_t>(pages_ * page_size)) != 0) {
      die("%s: %s", path_.c_str(), std::strerror(errno));
    }
  }
  PageCache(const PageCache&) = delete;
  PageCache& operator=(const PageCache&) = delete;
  ~PageCache() override { ::close(fd_); }

  void fill() override {
    const Pattern pattern(seed_);
    std::uint64_t* memory = map(PROT_READ | PROT_WRITE);
    for (std::uint64_t page = 0; page < pages_; ++page) {
      pattern.fill(page, memory + page * page_words);
    }
    ::munmap(memory, pages_ * page_size);
    if (!dirty_ && ::fsync(fd_) != 0) {
      die("fsync %s: %s", path_.c_str(), std::strerror(errno));
    }
  }

  Verdict verify() override {
    const Pattern pattern(seed_);
    const std::uint64_t* memory = map(PROT_READ);
    Verdict verdict;
    for (std::uint64_t page = 0; page < pages_ && verdict.good; ++page) {
      const std::size_t word = pattern.mismatch(page, memory + page * page_words);
      if (word != page_words) {
        verdict = wrong(path_.c_str(), page, word);
      }
    }
    ::munmap(const_cast<std::uint64_t*>(memory), pages_ * page_size);
    if (dirty_ && verdict.good) {
      // New words: what is verified next can't have come back from the disk as it was before.
      ++seed_;
      fill();
    }
    return verdict;
  }

  void discard() override { ::unlink(path_.c_str()); }

 private:
  [[nodiscard]] std::uint64_t* map(int protection) const {
    void* memory = ::mmap(nullptr, pages_ * page_size, protection, MAP_SHARED, fd_, 0);
    if (memory == MAP_FAILED) {
      die("mmap %s: %s", path_.c_str(), std::strerror(errno));
    }
    return static_cast<std::uint64_t*>(memory);
  }

  std::uint64_t seed_;
  std::string path_;
  std::uint64_t pages_;
  bool dirty_;
  int fd_ = -1;
};

sockaddr_un address_of(const std::string& name) {
  // In the abstract namespace (a leading NUL), so that nothing is left behind.
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "keeper.%s", name.c_str());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}

int new_socket() {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    die("socket: %s", std::strerror(errno));
  }
  return fd;
}

// One request a connection: 'v' or 's'. The answer is '0' or '1', then a text.
[[noreturn]] void serve(int listener, const std::unique_ptr<Content>& content) {
  for (;;) {
    const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    char request = 0;
    if (client < 0 || ::read(client, &request, 1) != 1) {
      ::close(client);
      continue;
    }
    const auto begin = std::chrono::steady_clock::now();
    const Verdict verdict = content->verify();
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin);
    std::string answer = verdict.good ? "0every byte is there (" : "1" + verdict.text + " (";
    answer += std::to_string(took.count()) + " ms)";
    if (request == 's') {
      content->discard();
    }
    if (::write(client, answer.data(), answer.size()) < 0) {
      std::perror("keeper: answer");
    }
    ::close(client);
    if (request == 's') {
      std::exit(0);
    }
  }
}

std::uint64_t pages_of(const std::string& size) {
  char* end = nullptr;
  const std::uint64_t number = std::strtoull(size.c_str(), &end, 10);
  const std::string unit = end;
  if (number == 0 || (unit != "M" && unit != "G")) {
    die("SIZE is a number with M or G, not '%s'", size.c_str());
  }
  return (number << (unit == "M" ? 20 : 30)) / page_size;
}

void start(const std::string& name, const std::unique_ptr<Content>& content) {
  const int listener = new_socket();
  const sockaddr_un address = address_of(name);
  if (::bind(listener, generic(address), sizeof(address)) != 0 || ::listen(listener, 4) != 0) {
    die("%s: %s", name.c_str(), std::strerror(errno));
  }
  std::array<int, 2> ready{};
  if (::pipe2(ready.data(), O_CLOEXEC) != 0) {
    die("pipe: %s", std::strerror(errno));
  }
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) {
    die("fork: %s", std::strerror(errno));
  }
  if (child == 0) {
    ::setsid();
    ::signal(SIGPIPE, SIG_IGN);
    ::close(ready[0]);
    content->fill();
    if (::write(ready[1], "r", 1) != 1) {
      die("its starter is gone");
    }
    ::close(ready[1]);
    // Whoever reads the starter's output must not wait for the daemon to end.
    const int null = ::open("/dev/null", O_RDWR);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      ::dup2(null, stream);
    }
    serve(listener, content);
  }
  ::close(ready[1]);
  char byte = 0;
  if (::read(ready[0], &byte, 1) != 1) {
    die("%s could not be filled", name.c_str());
  }
}

int ask(const std::string& name, char request) {
  const int fd = new_socket();
  const sockaddr_un address = address_of(name);
  if (::connect(fd, generic(address), sizeof(address)) != 0 || ::write(fd, &request, 1) != 1) {
    die("%s is gone: %s", name.c_str(), std::strerror(errno));
  }
  std::string answer;
  std::array<char, 256> buffer{};
  for (ssize_t got = 0; (got = ::read(fd, buffer.data(), buffer.size())) > 0;) {
    answer.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  if (answer.empty() || answer[0] != '0') {
    die("%s: %s", name.c_str(), answer.empty() ? "died while verifying" : answer.c_str() + 1);
  }
  std::printf("keeper: %s: %s\n", name.c_str(), answer.c_str() + 1);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 2 && words[0] == "verify") {
    return ask(words[1], 'v');
  }
  if (words.size() == 2 && words[0] == "stop") {
    return ask(words[1], 's');
  }
  if (words.size() == 4 && words[0] == "start" && (words[2] == "anon" || words[2] == "hugetlb")) {
    const auto seed = std::hash<std::string>{}(words[1]);
    start(words[1], std::make_unique<Anonymous>(seed, pages_of(words[3]),
                                                words[2] == "anon" ? 0 : MAP_HUGETLB));
    return 0;
  }
  if (words.size() == 5 && words[0] == "start" && (words[2] == "file" || words[2] == "dirty")) {
    const auto seed = std::hash<std::string>{}(words[1]);
    start(words[1],
          std::make_unique<PageCache>(seed, words[3], pages_of(words[4]), words[2] == "dirty"));
    return 0;
  }
  std::fputs(
      "usage: keeper start NAME anon SIZE | start NAME file|dirty PATH SIZE | "
      "verify NAME | stop NAME\n",
      stderr);
  return 2;
}
