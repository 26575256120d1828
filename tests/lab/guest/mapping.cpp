// SPDX-License-Identifier: MIT
// What mmap() of the device and tied ranges promise, one promise a function. Everything is plugged
// before and after.
//   mapping
// Writes something into memory that it holds, and prints the physical address and what it was:
//   mapping mark
// Reads a word of unplugged memory at an address; ends as reading does:
//   mapping read ADDRESS
#include "holding.hpp"

#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <array>
#include <csignal>

#include "memory_block.hpp"
#include "pattern.hpp"

namespace {

using lab::Device;
using lab::die;
using lab::expect;
using lab::page_size;
using lab::page_words;
using lab::wait_until;
using namespace std::chrono_literals;

const std::uint64_t subblock = Device().info().out_subblock_size;

void expect_errno(int wanted, const char* what) {
  if (errno != wanted) {
    die("%s: %s, wanted %s", what, std::strerror(errno), std::strerror(wanted));
  }
}

// A child that does this and lives on until it is killed, if it does not end by itself.
template <typename Work>
pid_t start_child(Work work) {
  std::array<int, 2> ready{};
  expect(::pipe(ready.data()) == 0, "pipe");
  std::fflush(nullptr);
  const pid_t child = ::fork();
  expect(child >= 0, "fork");
  if (child == 0) {
    work();
    expect(::write(ready[1], "x", 1) == 1, "write");
    for (;;) {
      ::pause();
    }
  }
  char sign = 0;
  ::close(ready[1]);
  expect(::read(ready[0], &sign, 1) == 1, "the child did not get ready");
  ::close(ready[0]);
  return child;
}

void end_child(pid_t child) {
  ::kill(child, SIGKILL);
  int status = 0;
  expect(::waitpid(child, &status, 0) == child && WIFSIGNALED(status), "the child ended by itself");
}

void expect_refusal(const lab::Outcome& outcome, std::uint64_t done, std::uint32_t reason) {
  expect(outcome.error == 0, "PLUG failed");
  expect(outcome.request.out_done == done, "PLUG gave back what is held, or not what is not");
  expect(outcome.blocked.size() == 1 && outcome.blocked[0].reason == reason,
         "PLUG does not say why not");
}

void tied_is_held_until_it_is_closed() {
  const Device other;
  std::uint64_t start = 0;
  {
    const Device device;
    const memplug_range range = lab::take(device, 4 * subblock, MEMPLUG_REQ_TIED);
    start = range.start;
    const memplug_range told = lab::look_up(other, start);
    expect(told.length == 4 * subblock && told.flags == MEMPLUG_RANGE_TIED &&
               told.holder == ::getpid(),
           "the list does not say whom the range is tied to");
    expect_refusal(lab::plug(other, start, 4 * subblock), 0, MEMPLUG_REASON_HELD);
    const lab::Outcome all = lab::plug_all(device);
    expect(all.request.out_requested == 0 && all.request.out_left == 4 * subblock,
           "PLUG of everything does not pass over what is tied");
    const std::uint64_t ordinary = lab::take(device, subblock).start;
    expect(lab::look_up(other, ordinary).flags == 0, "what is not to be tied is");
    expect(lab::plug_all(device).request.out_done == subblock, "ordinary memory was not plugged");
  }
  expect(lab::look_up(other, start).length == 0, "closing did not give it back");
}

void tied_lives_as_long_as_a_copy_of_the_descriptor() {
  const Device other;
  auto device = std::make_unique<Device>();
  const std::uint64_t start = lab::take(*device, subblock, MEMPLUG_REQ_TIED).start;
  const pid_t child = start_child([] {});
  device.reset();
  expect(lab::look_up(other, start).length == subblock, "the child's copy does not hold it");
  end_child(child);
  wait_until("the killed child's range", [&] { return lab::look_up(other, start).length == 0; });
}

void two_owners_are_told_apart() {
  const Device first;
  auto second = std::make_unique<Device>();
  const std::uint64_t start = lab::take(first, 2 * subblock).start;
  expect(lab::plug(first, start, 2 * subblock).request.out_done == 2 * subblock, "PLUG failed");
  memplug_request request{};
  request.flags = MEMPLUG_REQ_RANGE | MEMPLUG_REQ_TIED;
  request.start = start;
  request.length = subblock;
  expect(lab::carry_out(first, MEMPLUG_IOC_UNPLUG, request).request.out_done == subblock, "first");
  request.start = start + subblock;
  expect(lab::carry_out(*second, MEMPLUG_IOC_UNPLUG, request).request.out_done == subblock,
         "second");
  expect(lab::look_up(first, start).length == subblock, "ranges of two owners were merged");
  // What somebody has is not taken over.
  request.start = start;
  request.length = 2 * subblock;
  const lab::Outcome again = lab::carry_out(*second, MEMPLUG_IOC_UNPLUG, request);
  expect(again.request.out_done == 0 && again.request.out_already == 2 * subblock,
         "what is unplugged was unplugged again");
  second.reset();
  expect(lab::look_up(first, start).length == subblock, "the first owner's range");
  expect(lab::look_up(first, start + subblock).length == 0, "the second owner's range");
}

void mmap_refuses() {
  const Device device;
  const Device reader(O_RDONLY);
  const std::uint64_t start = lab::take(device, 2 * subblock).start;
  const auto refuse = [](int fd, std::uint64_t at, std::size_t length, int protection, int flags,
                         int wanted, const char* what) {
    errno = 0;
    expect(lab::try_map(fd, at, length, protection, flags) == nullptr, what);
    expect_errno(wanted, what);
  };
  constexpr int both = PROT_READ | PROT_WRITE;
  refuse(device.fd(), start, page_size, both, MAP_PRIVATE, EINVAL, "a private mapping");
  refuse(device.fd(), start, page_size, PROT_READ, MAP_PRIVATE, EINVAL,
         "a private mapping to read");
  refuse(reader.fd(), start, page_size, PROT_READ, MAP_SHARED, EACCES, "a descriptor for reading");
  refuse(device.fd(), start, 2 * subblock + page_size, both, MAP_SHARED, ENXIO, "a page too many");
  refuse(device.fd(), start - page_size, page_size, both, MAP_SHARED, ENXIO, "the page before");
  refuse(device.fd(), 0, page_size, both, MAP_SHARED, ENXIO, "address 0");
  refuse(device.fd(), std::uint64_t{1} << 62, page_size, both, MAP_SHARED, ENXIO, "far away");
  lab::plug_all(device);
  refuse(device.fd(), start, page_size, both, MAP_SHARED, ENXIO, "what is plugged");
}

void mapping_shows_the_memory_itself() {
  const Device device;
  const std::uint64_t start = lab::take(device, 2 * subblock).start;
  const lab::Pattern pattern(start);
  const std::size_t pages = 2 * subblock / page_size;
  std::uint64_t* memory = lab::map(device, start, 2 * subblock);
  for (std::size_t i = 0; i < pages; ++i) {
    expect(std::all_of(memory + i * page_words, memory + (i + 1) * page_words,
                       [](std::uint64_t word) { return word == 0; }),
           "it is not zero at first");
    pattern.fill(i, memory + i * page_words);
  }
  // Seen through another descriptor, page by page, and still there when nothing is mapped.
  ::munmap(memory, 2 * subblock);
  const Device other;
  for (std::size_t i = 0; i < pages; i += 37) {
    std::uint64_t* page = lab::map(other, start + i * page_size, page_size);
    expect(pattern.mismatch(i, page) == page_words, "what was written is not there any more");
    ::munmap(page, page_size);
  }
  lab::plug_all(device);
}

void mapped_is_held() {
  const Device device;
  const std::uint64_t start = lab::take(device, 4 * subblock).start;
  auto* memory = lab::map(device, start + subblock + page_size, subblock);
  memory[0] = 1;
  expect(lab::look_up(device, start).length == subblock && lab::look_up(device, start).flags == 0,
         "the subblock before");
  expect(lab::look_up(device, start + subblock).length == 2 * subblock &&
             lab::look_up(device, start + subblock).flags == MEMPLUG_RANGE_MAPPED,
         "the list does not say what is mapped");
  expect_refusal(lab::plug(device, start, 4 * subblock), 2 * subblock, MEMPLUG_REASON_MAPPED);
  expect(lab::plug_all(device).request.out_left == 2 * subblock, "it was not left");
  // A part of it holds all of it; so does what fork() made of that; it moves, and does not grow.
  auto* bytes = static_cast<char*>(static_cast<void*>(memory));
  ::munmap(bytes + page_size, subblock - 2 * page_size);
  void* moved =
      ::mremap(memory, page_size, page_size, MREMAP_MAYMOVE | MREMAP_FIXED, bytes + subblock / 2);
  expect(moved == bytes + subblock / 2 && *static_cast<std::uint64_t*>(moved) == 1, "mremap");
  expect(::mremap(moved, page_size, 2 * page_size, MREMAP_MAYMOVE) == MAP_FAILED, "it grew");
  expect_errno(EFAULT, "growing");
  const pid_t child = start_child([] {});
  ::munmap(moved, page_size);
  expect(lab::look_up(device, start + subblock).flags == MEMPLUG_RANGE_MAPPED,
         "its end, left over");
  ::munmap(bytes + subblock - page_size, page_size);
  expect(lab::look_up(device, start + subblock).flags == MEMPLUG_RANGE_MAPPED, "the child's");
  end_child(child);
  expect(lab::look_up(device, start + subblock).flags == 0, "nobody has it mapped any more");
  expect(lab::plug(device, start + subblock, 2 * subblock).request.out_done == 2 * subblock,
         "it is not given back");
}

void two_mappings_of_one_subblock() {
  const Device device;
  const std::uint64_t start = lab::take(device, 3 * subblock).start;
  auto* all = lab::map(device, start, 3 * subblock);
  auto* middle = lab::map(device, start + subblock, page_size);
  *middle = 7;
  expect(all[subblock / 8] == 7, "two mappings show different memory");
  ::munmap(all, 3 * subblock);
  expect(lab::look_up(device, start).flags == 0, "the first subblock");
  expect(lab::look_up(device, start + subblock).length == subblock &&
             lab::look_up(device, start + subblock).flags == MEMPLUG_RANGE_MAPPED,
         "the other mapping does not hold its subblock");
  ::munmap(middle, page_size);
  expect(lab::plug_all(device).request.out_done == 3 * subblock, "it is not given back");
}

void tied_outlives_its_descriptor_while_it_is_mapped() {
  const Device other;
  auto device = std::make_unique<Device>();
  const std::uint64_t start = lab::take(*device, 2 * subblock, MEMPLUG_REQ_TIED).start;
  auto* memory = lab::map(other, start, page_size);
  *memory = 11;
  device.reset();
  expect(lab::look_up(other, start).flags == (MEMPLUG_RANGE_TIED | MEMPLUG_RANGE_MAPPED),
         "it was given back, or is not told of, while it is mapped");
  expect(lab::look_up(other, start + subblock).length == 0, "what is not mapped was kept");
  expect(*memory == 11, "its contents");
  ::munmap(memory, page_size);
  wait_until("the last mapping's range", [&] { return lab::look_up(other, start).length == 0; });
}

// There is an end to both, and it is told.
void limits_of_owners_and_mappings() {
  constexpr std::size_t owners = 191;
  constexpr std::size_t mappings = 1024;
  const Device device;
  memplug_request request{};
  request.flags = MEMPLUG_REQ_RANGE | MEMPLUG_REQ_TIED;
  request.start = lab::take(device, subblock).start;
  request.length = subblock;
  // It is unplugged already: they own nothing, but might.
  std::vector<std::unique_ptr<Device>> devices;
  for (std::size_t i = 0; i < owners; ++i) {
    devices.push_back(std::make_unique<Device>());
    expect(lab::carry_out(*devices.back(), MEMPLUG_IOC_UNPLUG, request).error == 0, "an owner");
  }
  const Device late;
  expect(lab::carry_out(late, MEMPLUG_IOC_UNPLUG, request).error == EUSERS, "an owner too many");
  devices.pop_back();
  expect(lab::carry_out(late, MEMPLUG_IOC_UNPLUG, request).error == 0, "one has gone");
  std::vector<void*> mapped;
  for (std::size_t i = 0; i < mappings; ++i) {
    mapped.push_back(lab::map(device, request.start, page_size));
  }
  errno = 0;
  expect(lab::try_map(device.fd(), request.start, page_size) == nullptr, "a mapping too many");
  expect_errno(ENOMEM, "a mapping too many");
  for (void* memory : mapped) {
    ::munmap(memory, page_size);
  }
  expect(lab::plug_all(device).request.out_done == subblock, "it is not given back");
}

void a_killed_process_leaves_nothing() {
  const Device other;
  const pid_t child = start_child([] {
    auto* device = new Device;
    const std::uint64_t start = lab::take(*device, 2 * subblock, MEMPLUG_REQ_TIED).start;
    *lab::map(*device, start, 2 * subblock) = 1;
  });
  expect(other.info().out_unplugged_size == 2 * subblock, "the child took nothing");
  expect(other.list().at(0).holder == child, "the list does not name the child");
  end_child(child);
  wait_until("what the killed child had", [&] { return other.info().out_unplugged_size == 0; });
}

void nobody_pins_it() {
  const Device device;
  const std::uint64_t start = lab::take(device, subblock).start;
  auto* memory = lab::map(device, start, page_size);
  *memory = 1;
  std::array<int, 2> ends{};
  expect(::pipe(ends.data()) == 0, "pipe");
  const iovec part{memory, page_size};
  errno = 0;
  expect(::vmsplice(ends[1], &part, 1, 0) < 0, "vmsplice took it");
  expect_errno(EFAULT, "vmsplice");
  // Copying is something else.
  expect(::write(ends[1], memory, 64) == 64, "write() can't read it");
  ::close(ends[0]);
  ::close(ends[1]);
  ::munmap(memory, page_size);
  lab::plug_all(device);
}

// What a debugger sees and changes is the memory, across its pages; never what others left in it.
void a_debugger_reads_and_writes() {
  const Device device;
  const std::uint64_t start = lab::take(device, 2 * subblock).start;
  constexpr std::uint64_t mark = 0x11a4c0de;
  // Somebody has left something in it.
  std::uint64_t* memory = lab::map(device, start, 2 * subblock);
  std::fill_n(memory, 2 * subblock / 8, 0x5ec7e75ec7e75ec7);
  ::munmap(memory, 2 * subblock);
  lab::plug_all(device);
  memplug_request again{};
  again.flags = MEMPLUG_REQ_RANGE;
  again.start = start;
  again.length = 2 * subblock;
  expect(lab::carry_out(device, MEMPLUG_IOC_UNPLUG, again).request.out_done == 2 * subblock,
         "it is not to be had again");
  memory = lab::map(device, start, 2 * subblock);
  const std::size_t edge = subblock / 8;
  const pid_t child = start_child([=] { memory[edge] = mark; });
  ::munmap(memory, 2 * subblock);
  // The last word of a subblock that nobody has touched, and two pages of the next.
  expect(::ptrace(PTRACE_ATTACH, child, nullptr, nullptr) == 0, "PTRACE_ATTACH");
  expect(::waitpid(child, nullptr, 0) == child, "waitpid");
  const int file = ::open(("/proc/" + std::to_string(child) + "/mem").c_str(), O_RDWR | O_CLOEXEC);
  std::vector<std::uint64_t> words(2 * page_words, 1);
  const auto size = static_cast<ssize_t>(words.size() * 8);
  const auto at = static_cast<off_t>(lab::user_pointer(memory + edge - 1));
  expect(::pread(file, words.data(), words.size() * 8, at) == size, "reading /proc/PID/mem");
  expect(words[0] == 0 && words[1] == mark && words[2] == 0 && words.back() == 0,
         "it is not what is in the memory");
  errno = 0;
  expect(::ptrace(PTRACE_PEEKDATA, child, memory + edge, nullptr) == static_cast<long>(mark) &&
             errno == 0,
         "PTRACE_PEEKDATA");
  expect(::ptrace(PTRACE_POKEDATA, child, memory + edge, mark + 1) == 0, "PTRACE_POKEDATA");
  words[0] = 5;
  words.back() = 6;
  expect(::pwrite(file, words.data(), words.size() * 8, at) == size, "writing /proc/PID/mem");
  ::close(file);
  memory = lab::map(device, start, 2 * subblock);
  expect(memory[edge - 1] == 5 && memory[edge] == mark && memory[edge - 2 + words.size()] == 6,
         "what was written is not there");
  ::munmap(memory, 2 * subblock);
  end_child(child);

  // What the process may not write to, its debugger may not either.
  void* const shown = lab::try_map(device.fd(), start, page_size, PROT_READ);
  expect(shown != nullptr, "mapping to read");
  const pid_t reader = start_child([] {});
  expect(::ptrace(PTRACE_ATTACH, reader, nullptr, nullptr) == 0, "PTRACE_ATTACH");
  expect(::waitpid(reader, nullptr, 0) == reader, "waitpid");
  expect(::ptrace(PTRACE_POKEDATA, reader, shown, 1) != 0, "what is read-only was written to");
  ::munmap(shown, page_size);
  end_child(reader);
  lab::plug_all(device);
}

// Whatever others had in the memory before it was taken.
void nothing_of_others_is_seen(std::uint64_t bytes) {
  constexpr std::uint64_t secret = 0x5ec7e75ec7e75ec7;
  const pid_t child = start_child([=] {
    void* memory =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(memory != MAP_FAILED, "mmap");
    std::fill_n(static_cast<std::uint64_t*>(memory), bytes / 8, secret);
  });
  end_child(child);
  const Device device;
  memplug_request request{};
  request.length = bytes;
  const lab::Outcome taken = lab::carry_out(device, MEMPLUG_IOC_UNPLUG, request);
  std::uint64_t seen = 0;
  std::uint64_t mapped = 0;
  for (const memplug_range& range : taken.ranges) {
    const std::uint64_t* memory = lab::map(device, range.start, range.length);
    seen += static_cast<std::uint64_t>(std::count_if(memory, memory + range.length / 8,
                                                     [](std::uint64_t word) { return word != 0; }));
    mapped += range.length;
    ::munmap(const_cast<std::uint64_t*>(memory), range.length);
  }
  std::printf("%llu MiB mapped, %llu words of others seen\n",
              static_cast<unsigned long long>(mapped >> 20), static_cast<unsigned long long>(seen));
  expect(mapped >= bytes / 2, "hardly anything was had");
  expect(seen == 0, "something of others is to be seen");
  lab::plug_all(device);
}

void its_block_stays_online() {
  struct sigaction action {};
  action.sa_handler = [](int /*signal*/) {};
  ::sigaction(SIGALRM, &action, nullptr);
  const Device device;
  const Device owner;
  const std::uint64_t block_size = device.info().out_memory_block_size;
  for (const lab::MemoryBlock& block : lab::normal_memory_blocks()) {
    // One that does go offline.
    if (!block.take_offline(5s)) {
      continue;
    }
    expect(block.bring_online(30s) == 0, "the block does not come back");
    memplug_request request{};
    request.flags = MEMPLUG_REQ_RANGE | MEMPLUG_REQ_EXACT;
    request.start = block.number() * block_size;
    request.length = subblock;
    if (lab::carry_out(device, MEMPLUG_IOC_UNPLUG, request).request.out_done != subblock) {
      continue;
    }
    auto* memory = lab::map(device, request.start, page_size);
    *memory = 3;
    errno = 0;
    expect(!block.take_offline(30s), "a block with mapped memory went offline");
    expect_errno(EBUSY, "taking it offline");
    expect(*memory == 3, "what is mapped has changed");
    ::munmap(memory, page_size);
    lab::plug_all(device);
    request.flags |= MEMPLUG_REQ_TIED;
    expect(lab::carry_out(owner, MEMPLUG_IOC_UNPLUG, request).request.out_done == subblock,
           "it can't be had again");
    expect(!block.take_offline(30s), "a block with tied memory went offline");
    expect_errno(EBUSY, "taking it offline");
    return;
  }
  die("no block goes offline and comes back");
}

// What a look from outside of the machine has to find there.
[[noreturn]] void mark() {
  const Device device;
  const std::uint64_t start = lab::take(device, subblock, MEMPLUG_REQ_TIED).start;
  auto* memory = lab::map(device, start, subblock);
  const std::size_t place = subblock / 2 + 64;
  const std::uint64_t address = start + place;
  const std::uint64_t value = start ^ 0x6d656d706c7567;
  memory[place / sizeof(*memory)] = value;
  std::printf("%#llx %#llx\n", static_cast<unsigned long long>(address),
              static_cast<unsigned long long>(value));
  std::fflush(stdout);
  for (;;) {
    ::pause();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "mark") {
    mark();
  }
  if (argc == 3 && std::string(argv[1]) == "read") {
    const Device device;
    const std::uint64_t address = std::strtoull(argv[2], nullptr, 0);
    const auto page = address / page_size * page_size;
    const volatile std::uint64_t* memory = lab::map(device, page, page_size);
    std::printf("%#llx\n", static_cast<unsigned long long>(memory[(address - page) / 8]));
    return 0;
  }
  const std::uint64_t managed = Device().info().out_managed_size;
  tied_is_held_until_it_is_closed();
  tied_lives_as_long_as_a_copy_of_the_descriptor();
  two_owners_are_told_apart();
  mmap_refuses();
  mapping_shows_the_memory_itself();
  mapped_is_held();
  two_mappings_of_one_subblock();
  tied_outlives_its_descriptor_while_it_is_mapped();
  limits_of_owners_and_mappings();
  a_killed_process_leaves_nothing();
  nobody_pins_it();
  a_debugger_reads_and_writes();
  nothing_of_others_is_seen(std::uint64_t{1} << 30);
  its_block_stays_online();
  const memplug_info info = Device().info();
  expect(info.out_unplugged_size == 0 && info.out_managed_size == managed, "something is left");
  std::printf("mapping: every promise is kept\n");
  return 0;
}
