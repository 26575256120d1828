// SPDX-License-Identifier: MIT
// Reads physical memory through /proc/kcore, as a debugger of the running kernel would, and prints
// how many pages of it hold anything but zeroes. Judges nothing.
//
//   kcore count START LENGTH   both in bytes, whole pages
//   kcore fill MIB             leave content in as much memory: write to it and free it
#include <elf.h>
#include <sys/mman.h>

#include <algorithm>
#include <string>
#include <vector>

#include "memplug_device.hpp"

namespace {

using lab::die;

constexpr std::size_t page_size = 4096;

void read_at(int fd, std::uint64_t offset, void* buffer, std::size_t length) {
  auto* bytes = static_cast<char*>(buffer);
  std::size_t done = 0;
  while (done < length) {
    const ssize_t got = ::pread(fd, bytes + done, length - done, static_cast<off_t>(offset + done));
    if (got <= 0) {
      die("/proc/kcore at offset %#llx: %s", static_cast<unsigned long long>(offset) + done,
          got == 0 ? "end of file" : std::strerror(errno));
    }
    done += static_cast<std::size_t>(got);
  }
}

// Where in the file this memory is: some segments, such as vmalloc's, stand for no physical range.
std::uint64_t file_offset(int fd, std::uint64_t start, std::uint64_t length) {
  Elf64_Ehdr header{};
  read_at(fd, 0, &header, sizeof(header));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    die("/proc/kcore is no ELF file");
  }
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  read_at(fd, header.e_phoff, segments.data(), segments.size() * sizeof(segments[0]));
  const auto found = std::find_if(segments.begin(), segments.end(), [&](const Elf64_Phdr& segment) {
    return segment.p_type == PT_LOAD && segment.p_paddr != ~Elf64_Addr{0} &&
           segment.p_paddr <= start && start + length <= segment.p_paddr + segment.p_memsz;
  });
  if (found == segments.end()) {
    die("no segment of /proc/kcore holds %#llx", static_cast<unsigned long long>(start));
  }
  return found->p_offset + (start - found->p_paddr);
}

std::uint64_t pages_with_content(std::uint64_t start, std::uint64_t length) {
  const int fd = ::open("/proc/kcore", O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    die("/proc/kcore: %s", std::strerror(errno));
  }
  const std::uint64_t offset = file_offset(fd, start, length);
  std::vector<char> buffer(std::size_t{256} * page_size);
  std::uint64_t pages = 0;
  for (std::uint64_t done = 0; done < length; done += buffer.size()) {
    buffer.resize(std::min<std::uint64_t>(buffer.size(), length - done));
    read_at(fd, offset + done, buffer.data(), buffer.size());
    for (std::size_t at = 0; at < buffer.size(); at += page_size) {
      const char* page = buffer.data() + at;
      // All equal to the first byte, and that is zero.
      const bool zero = *page == 0 && std::memcmp(page, page + 1, page_size - 1) == 0;
      pages += zero ? 0 : 1;
    }
  }
  ::close(fd);
  return pages;
}

void fill(std::uint64_t mib) {
  const std::size_t length = mib << 20;
  void* memory =
      ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    die("mmap: %s", std::strerror(errno));
  }
  for (std::size_t at = 0; at < length; at += page_size) {
    static_cast<volatile char*>(memory)[at + page_size / 2] = 'x';
  }
  ::munmap(memory, length);
}

int usage() {
  std::fputs("usage: kcore count START LENGTH, or kcore fill MIB\n", stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "fill" && argc == 3) {
    fill(std::stoull(argv[2]));
    return 0;
  }
  if (verb != "count" || argc != 4) {
    return usage();
  }
  const std::uint64_t start = std::stoull(argv[2], nullptr, 0);
  const std::uint64_t length = std::stoull(argv[3], nullptr, 0);
  if (length == 0 || start % page_size != 0 || length % page_size != 0) {
    die("not whole pages");
  }
  std::printf("%llu\n", static_cast<unsigned long long>(pages_with_content(start, length)));
  return 0;
}
