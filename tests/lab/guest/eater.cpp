// SPDX-License-Identifier: MIT
// Eats so much memory, tells whether it got it, and gives it back when it ends.
//
//   eater [--node N] SIZE...   in MiB: one child after the other eats that much; each is killed, or
//                              is fine. --node: bound to that node by its memory policy
//
// A child's memory is filled and read again: what went away meanwhile would be seen. It asks to be
// the one that is killed. Prints how many were fine and how many were killed; exits with 1 if the
// memory of one was damaged.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>
#include <string>

#include "memplug_device.hpp"

namespace {

using lab::die;

constexpr std::size_t mib = std::size_t{1} << 20;
constexpr std::size_t page_words = 4096 / sizeof(std::uint64_t);

void be_the_one_to_kill() {
  std::FILE* file = std::fopen("/proc/self/oom_score_adj", "we");
  if (file == nullptr || std::fputs("1000", file) < 0 || std::fclose(file) != 0) {
    die("oom_score_adj: %s", std::strerror(errno));
  }
}

void bind_to(unsigned long node) {
  constexpr int bind = 2;  // MPOL_BIND
  const unsigned long mask = 1UL << node;
  if (::syscall(SYS_set_mempolicy, bind, &mask, sizeof(mask) * 8 + 1) != 0) {
    die("set_mempolicy: %s", std::strerror(errno));
  }
}

[[noreturn]] void eat(std::size_t size) {
  be_the_one_to_kill();
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    die("mmap: %s", std::strerror(errno));
  }
  auto* words = static_cast<volatile std::uint64_t*>(memory);
  const std::size_t count = size / sizeof(std::uint64_t);
  for (std::size_t i = 0; i < count; i += page_words) {
    words[i] = i + 1;
  }
  for (std::size_t i = 0; i < count; i += page_words) {
    if (words[i] != i + 1) {
      std::fprintf(stderr, "eater: byte %zu is wrong\n", i * sizeof(std::uint64_t));
      ::_exit(1);
    }
  }
  ::_exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  int fine = 0;
  int killed = 0;
  int first = 1;
  if (argc > 2 && std::string(argv[1]) == "--node") {
    bind_to(std::stoul(argv[2]));
    first = 3;
  }
  for (int i = first; i < argc; ++i) {
    const std::size_t size = std::stoul(argv[i]) * mib;
    const pid_t child = ::fork();
    if (child < 0) {
      die("fork: %s", std::strerror(errno));
    }
    if (child == 0) {
      eat(size);
    }
    int status = 0;
    if (::waitpid(child, &status, 0) != child) {
      die("waitpid: %s", std::strerror(errno));
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
      ++fine;
    } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
      ++killed;
    } else {
      die("a child ended with %#x", static_cast<unsigned>(status));
    }
  }
  std::printf("fine=%d killed=%d\n", fine, killed);
  return 0;
}
