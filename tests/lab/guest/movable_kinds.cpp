// SPDX-License-Identifier: MIT
// For each kind of page that can be moved, and for ranges of several lengths that are full of it:
// what a dry run says could be unplugged is what an unplug gets, and no byte is lost.
//   movable_kinds KIND...
// KIND: anon, thp, shmem, mlocked, hugetlb (needs free pages in the pool), ksm, swap (needs swap on
// a disk), zsmalloc (needs a device of zram that is not in use, at /dev/zram0). Prints a line for
// each kind and length: how many of its pages were in the range, bytes forecast and done. Ends with
// 1 if one got less than was forecast.
#include "holding.hpp"

#include <sys/stat.h>

#include <map>
#include <memory>

#include "pattern.hpp"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

namespace {

using lab::Device;
using lab::die;
using lab::expect;
using lab::page_size;
using lab::page_words;

constexpr std::size_t mib = std::size_t{1} << 20;
constexpr std::size_t content_size = 96 * mib;
constexpr std::size_t content_pages = content_size / page_size;
constexpr std::size_t huge_page = 2 * mib;

void write_setting(const char* path, const char* value) {
  std::FILE* file = std::fopen(path, "we");
  if (file == nullptr || std::fputs(value, file) < 0 || std::fclose(file) != 0) {
    die("%s: %s", path, std::strerror(errno));
  }
}

std::uint64_t read_number(const char* path) {
  std::FILE* file = std::fopen(path, "re");
  unsigned long long number = 0;
  if (file == nullptr || std::fscanf(file, "%llu", &number) != 1) {
    die("%s: %s", path, std::strerror(errno));
  }
  std::fclose(file);
  return number;
}

// Where these pages lie, as far as they are in memory.
std::vector<std::uint64_t> frames_of(const std::uint64_t* memory, std::size_t pages) {
  const int fd = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  std::vector<std::uint64_t> entries(pages);
  const std::size_t size = pages * sizeof(entries[0]);
  if (fd < 0 || ::pread(fd, entries.data(), size,
                        static_cast<off_t>(lab::user_pointer(memory) / page_size *
                                           sizeof(entries[0]))) != static_cast<ssize_t>(size)) {
    die("pagemap: %s", std::strerror(errno));
  }
  ::close(fd);
  std::vector<std::uint64_t> frames;
  for (const std::uint64_t entry : entries) {
    if ((entry >> 63) != 0) {
      frames.push_back(entry & ((std::uint64_t{1} << 55) - 1));
    }
  }
  return frames;
}

class Content {
 public:
  Content() = default;
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;
  virtual ~Content() = default;
  virtual void verify() const = 0;
  // How many of its pages are in each subblock.
  [[nodiscard]] virtual std::map<std::uint64_t, std::size_t> where(
      const Device& device, std::uint64_t subblock) const = 0;
};

class Mapped : public Content {
 public:
  Mapped(int flags, int fd, std::size_t copies = 1) : copies_(copies) {
    const std::size_t length = copies * content_size;
    void* room = ::mmap(nullptr, length + huge_page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(room != MAP_FAILED, "no room");
    void* aligned =
        static_cast<char*>(room) + (huge_page - lab::user_pointer(room) % huge_page) % huge_page;
    room_ = room;
    room_length_ = length + huge_page;
    void* memory = ::mmap(aligned, length, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
    if (memory == MAP_FAILED) {
      die("mmap: %s", std::strerror(errno));
    }
    memory_ = static_cast<std::uint64_t*>(memory);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  ~Mapped() override { ::munmap(room_, room_length_); }

  void advise(int advice) {
    if (::madvise(memory_, copies_ * content_size, advice) != 0) {
      die("madvise %d: %s", advice, std::strerror(errno));
    }
  }
  void fill() {
    for (std::size_t i = 0; i < copies_ * content_pages; ++i) {
      pattern_.fill(i % content_pages, memory_ + i * page_words);
    }
  }
  void verify() const override {
    for (std::size_t i = 0; i < copies_ * content_pages; ++i) {
      expect(pattern_.mismatch(i % content_pages, memory_ + i * page_words) == page_words,
             "a page is not what it was");
    }
  }
  [[nodiscard]] std::map<std::uint64_t, std::size_t> where(const Device& /*device*/,
                                                           std::uint64_t subblock) const override {
    std::map<std::uint64_t, std::size_t> counts;
    for (const std::uint64_t frame : frames_of(memory_, copies_ * content_pages)) {
      ++counts[frame * page_size / subblock];
    }
    return counts;
  }
  void lock() { expect(::mlock(memory_, content_size) == 0, "mlock"); }

 private:
  lab::Pattern pattern_{0x5eed};
  std::size_t copies_;
  void* room_ = nullptr;
  std::size_t room_length_ = 0;
  std::uint64_t* memory_ = nullptr;
};

// Pages of the pool that others can be moved to are left.
std::unique_ptr<Content> make_hugetlb() {
  auto content = std::make_unique<Mapped>(MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
  content->fill();
  const std::uint64_t left =
      read_number("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
  std::printf("# huge pages left in the pool: %llu\n", static_cast<unsigned long long>(left));
  expect(left >= content_size / huge_page / 4, "the pool has no free pages");
  return content;
}

std::unique_ptr<Content> make_ksm() {
  auto content = std::make_unique<Mapped>(MAP_PRIVATE | MAP_ANONYMOUS, -1, 2);
  content->advise(MADV_MERGEABLE);
  content->fill();
  write_setting("/sys/kernel/mm/ksm/pages_to_scan", "20000");
  write_setting("/sys/kernel/mm/ksm/sleep_millisecs", "10");
  write_setting("/sys/kernel/mm/ksm/run", "1");
  lab::wait_until("pages to be merged", [] {
    return read_number("/sys/kernel/mm/ksm/pages_sharing") >= content_pages * 9 / 10;
  });
  write_setting("/sys/kernel/mm/ksm/run", "0");
  return content;
}

// In memory, and still in the swap, too.
std::unique_ptr<Content> make_swap() {
  auto content = std::make_unique<Mapped>(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  content->advise(MADV_NOHUGEPAGE);
  content->fill();
  content->advise(MADV_PAGEOUT);
  content->verify();
  return content;
}

// What a device of zram has compressed lies in pages that only their owner can move.
class Zram : public Content {
 public:
  Zram() : fd_(::open("/dev/zram0", O_RDWR | O_CLOEXEC | O_DIRECT)) {
    if (fd_ < 0) {
      die("/dev/zram0: %s", std::strerror(errno));
    }
    write_setting("/sys/block/zram0/disksize", std::to_string(2 * content_size).c_str());
    buffer_ = static_cast<std::uint64_t*>(std::aligned_alloc(page_size, page_size));
    for (std::size_t i = 0; i < 2 * content_pages; ++i) {
      fill(i);
      expect(::pwrite(fd_, buffer_, page_size, static_cast<off_t>(i * page_size)) ==
                 static_cast<ssize_t>(page_size),
             "writing to zram");
    }
  }
  Zram(const Zram&) = delete;
  Zram& operator=(const Zram&) = delete;
  ~Zram() override {
    ::close(fd_);
    write_setting("/sys/block/zram0/reset", "1");
    std::free(buffer_);
  }
  void verify() const override {
    std::vector<std::uint64_t> wanted(page_words);
    for (std::size_t i = 0; i < 2 * content_pages; ++i) {
      expect(::pread(fd_, buffer_, page_size, static_cast<off_t>(i * page_size)) ==
                 static_cast<ssize_t>(page_size),
             "reading from zram");
      std::copy_n(buffer_, page_words, wanted.data());
      fill(i);
      expect(std::equal(wanted.begin(), wanted.end(), buffer_), "zram has lost something");
    }
  }
  // Movable, and neither of processes nor of files.
  [[nodiscard]] std::map<std::uint64_t, std::size_t> where(const Device& device,
                                                           std::uint64_t subblock) const override {
    std::vector<memplug_subblock> records(4096);
    std::map<std::uint64_t, std::size_t> counts;
    auto survey = lab::sized<memplug_survey>();
    survey.records = lab::user_pointer(records.data());
    survey.capacity = static_cast<std::uint32_t>(records.size());
    survey.start = 0;
    survey.length = std::uint64_t{64} << 30;
    expect(device.call(MEMPLUG_IOC_SURVEY, &survey) == 0, "SURVEY");
    for (std::uint32_t i = 0; i < survey.out_count; ++i) {
      const memplug_subblock& record = records[i];
      if (record.movable > record.anon + record.file) {
        counts[record.start / subblock] = record.movable - record.anon - record.file;
      }
    }
    return counts;
  }

 private:
  // Half a page of a pattern, and half of nothing.
  void fill(std::size_t i) const {
    pattern_.fill(i, buffer_);
    std::fill(buffer_ + page_words / 2, buffer_ + page_words, 0);
  }

  lab::Pattern pattern_{0x2a11};
  int fd_;
  std::uint64_t* buffer_;
};

std::unique_ptr<Content> make(const std::string& kind) {
  if (kind == "hugetlb") {
    return make_hugetlb();
  }
  if (kind == "ksm") {
    return make_ksm();
  }
  if (kind == "swap") {
    return make_swap();
  }
  if (kind == "zsmalloc") {
    return std::make_unique<Zram>();
  }
  if (kind == "shmem") {
    const int fd = ::memfd_create("movable", MFD_CLOEXEC);
    expect(fd >= 0 && ::ftruncate(fd, content_size) == 0, "memfd");
    auto content = std::make_unique<Mapped>(MAP_SHARED, fd);
    ::close(fd);
    content->fill();
    return content;
  }
  auto content = std::make_unique<Mapped>(MAP_PRIVATE | MAP_ANONYMOUS, -1);
  content->advise(kind == "thp" ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  content->fill();
  if (kind == "mlocked") {
    content->lock();
  } else if (kind != "anon" && kind != "thp") {
    die("there is no kind '%s'", kind.c_str());
  }
  return content;
}

lab::Outcome unplug(const Device& device, std::uint64_t start, std::uint64_t length,
                    std::uint32_t flags) {
  memplug_request request{};
  request.flags = MEMPLUG_REQ_RANGE | flags;
  request.start = start;
  request.length = length;
  return lab::carry_out(device, MEMPLUG_IOC_UNPLUG, request);
}

struct Window {
  std::uint64_t first = 0;
  std::size_t pages = 0;
};

// The fullest first.
std::vector<Window> windows(const std::map<std::uint64_t, std::size_t>& counts,
                            std::uint64_t length) {
  std::vector<Window> found;
  for (const auto& [first, count] : counts) {
    Window window{first, 0};
    for (auto i = counts.find(first); i != counts.end() && i->first < first + length; ++i) {
      window.pages += i->second;
    }
    found.push_back(window);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Window& a, const Window& b) { return a.pages > b.pages; });
  return found;
}

// Returns whether it got what was forecast.
bool try_length(const Device& device, const std::string& kind, const Content& content,
                std::uint64_t subblock, std::uint64_t length) {
  constexpr std::size_t most_windows = 200;
  auto candidates = windows(content.where(device, subblock), length);
  candidates.resize(std::min(candidates.size(), most_windows));
  for (const Window& window : candidates) {
    const std::uint64_t start = window.first * subblock;
    const std::uint64_t size = length * subblock;
    const lab::Outcome forecast = unplug(device, start, size, MEMPLUG_REQ_DRY_RUN);
    // Where nothing else is in the way.
    if (forecast.error != 0 || forecast.request.out_done != size) {
      continue;
    }
    const lab::Outcome got = unplug(device, start, size, 0);
    std::printf("%s: %llu MiB, %zu of %llu pages: forecast %llu, done %llu, pages moved %llu\n",
                kind.c_str(), static_cast<unsigned long long>(size / mib), window.pages,
                static_cast<unsigned long long>(size / page_size),
                static_cast<unsigned long long>(forecast.request.out_done),
                static_cast<unsigned long long>(got.request.out_done),
                static_cast<unsigned long long>(got.request.out_pages_migrated));
    expect(got.error == 0, "UNPLUG failed");
    expect(window.pages * page_size >= size / 8, "hardly anything of that kind is there");
    for (const memplug_blocked& blocked : got.blocked) {
      std::printf("# %#llx+%llu: reason %u, pfn %llu\n",
                  static_cast<unsigned long long>(blocked.start),
                  static_cast<unsigned long long>(blocked.length), blocked.reason,
                  static_cast<unsigned long long>(blocked.pfn));
    }
    content.verify();
    lab::plug_all(device);
    return got.request.out_done == forecast.request.out_done;
  }
  std::printf("%s: no range of %llu subblocks can be had\n", kind.c_str(),
              static_cast<unsigned long long>(length));
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  const Device device;
  const std::uint64_t subblock = device.info().out_subblock_size;
  bool good = argc > 1;
  for (int i = 1; i < argc; ++i) {
    const std::string kind = argv[i];
    const std::unique_ptr<Content> content = make(kind);
    for (const std::uint64_t length : {1, 2, 8}) {
      good = try_length(device, kind, *content, subblock, length) && good;
    }
  }
  std::fflush(stdout);
  return good ? 0 : 1;
}
