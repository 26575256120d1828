// SPDX-License-Identifier: MIT
// A process that holds memory whose every byte is known, reads it again and again, and at times
// lets go of it and fills new memory. It never rests: content has to hold at all times.
#pragma once

#include <sys/mman.h>

#include <fstream>
#include <memory>
#include <random>
#include <string>

#include "pattern.hpp"
#include "soak_board.hpp"

namespace soak {

enum class Store : std::uint8_t { huge_pages, base_pages, tmpfs, clean_disk, dirty_disk };

struct Holding {
  const char* name;
  Store store;
  std::uint64_t mebibytes;
  const char* path;  // of a file
};

// Unmapped with it.
class Mapping {
 public:
  Mapping(int fd, std::size_t size, int flags)
      : size_(size), memory_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0)) {
    if (memory_ == MAP_FAILED) {
      lab::die("mmap: %s", std::strerror(errno));
    }
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { ::munmap(memory_, size_); }

  void advise(int advice) const { ::madvise(memory_, size_, advice); }
  [[nodiscard]] std::uint64_t* page(std::uint64_t index) const {
    return static_cast<std::uint64_t*>(memory_) + index * lab::page_words;
  }

 private:
  std::size_t size_;
  void* memory_;
};

class Content {
 public:
  Content(Board& board, Holding holding, std::uint64_t seed)
      : board_(board),
        holding_(holding),
        pages_((holding.mebibytes << 20) / page_size),
        random_(seed) {}
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;
  ~Content() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

  void run() {
    refill();
    do {
      if (random_() % 4 == 0) {
        refill();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 500));
      before_reading();
      verify();
    } while (!board_.stop);
    // What happened since the last look is looked at, too.
    verify();
  }

 private:
  [[nodiscard]] bool is_file() const { return holding_.path != nullptr; }
  [[nodiscard]] std::size_t bytes() const { return pages_ * page_size; }

  // New memory, or a new file: what is verified next can't be what was there before.
  void refill() {
    mapping_.reset();
    pattern_ = lab::Pattern(random_());
    if (is_file()) {
      replace_file();
    }
    map();
    for (std::uint64_t page = 0; page < pages_; ++page) {
      pattern_.fill(page, mapping_->page(page));
    }
    if (holding_.store == Store::clean_disk && ::fsync(fd_) != 0) {
      broke(board_, "fsync %s: %s", holding_.path, std::strerror(errno));
    }
  }

  void replace_file() {
    if (fd_ >= 0) {
      ::close(fd_);
      ::unlink(holding_.path);
    }
    fd_ = ::open(holding_.path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd_ < 0 || ::ftruncate(fd_, static_cast<off_t>(bytes())) != 0) {
      broke(board_, "%s: %s", holding_.path, std::strerror(errno));
    }
  }

  void map() {
    mapping_ = std::make_unique<Mapping>(fd_, bytes(),
                                         is_file() ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS);
    if (holding_.store == Store::huge_pages) {
      mapping_->advise(MADV_HUGEPAGE);
    } else if (holding_.store == Store::base_pages) {
      mapping_->advise(MADV_NOHUGEPAGE);
    }
  }

  // A file's pages are found anew, and some of them come from the disk.
  void before_reading() {
    if (!is_file()) {
      return;
    }
    mapping_.reset();
    if (holding_.store == Store::clean_disk && random_() % 2 == 0) {
      std::ofstream file("/proc/sys/vm/drop_caches");
      file << (random_() % 4 == 0 ? 3 : 1) << std::flush;
      if (!file) {
        broke(board_, "the page cache can't be dropped");
      }
      ++board_.caches_dropped;
    }
    map();
  }

  void verify() {
    for (std::uint64_t page = 0; page < pages_; ++page) {
      const std::uint64_t* words = mapping_->page(page);
      const std::size_t word = pattern_.mismatch(page, words);
      if (word != lab::page_words) {
        board_.bytes_wrong += pattern_.wrong_bytes(page, words);
        broke(board_, "%s: %llu bytes of page %llu are wrong, the first word at byte %zu",
              holding_.name, static_cast<unsigned long long>(board_.bytes_wrong.load()),
              static_cast<unsigned long long>(page), word * sizeof(std::uint64_t));
      }
      board_.bytes_verified += page_size;
    }
    ++board_.passes;
  }

  Board& board_;
  Holding holding_;
  std::uint64_t pages_;
  std::mt19937_64 random_;
  lab::Pattern pattern_{0};
  int fd_ = -1;
  std::unique_ptr<Mapping> mapping_;
};

}  // namespace soak
