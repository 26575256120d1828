// SPDX-License-Identifier: MIT
// Tests memory chunk by chunk: takes it out, has memtester run on it, keeps out what is bad and
// gives back the rest. What comes of it is in the book.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "memplug/device.hpp"
#include "ramtest/memory_book.hpp"
#include "ramtest/memtester.hpp"
#include "request/open_device.hpp"

namespace memplug {

// Adds pages to the quarantine file. Throws Failure or UsageError if it can't.
using KeepBadPages = std::function<void(const std::vector<Range>&)>;

struct MemoryTestPlan {
  Range asked;  // where to look
  Bytes chunk;
  Bytes subblock;
  bool keep = true;  // what is bad
  Memtester memtester;
  std::uint32_t max_blocked = 0;  // of the module
};

// What it learns by the way.
struct MemoryTestNotes {
  std::optional<std::string> memtester_version;
  // Why memtester gave no verdict, each reason once, with the first range it was given for.
  std::vector<std::string> no_verdict;
  bool has_saved = false;                    // bad pages
  std::optional<std::string> why_not_saved;  // the last time that they were to be and could not
};

class MemoryTest {
 public:
  // What it is given lives longer than it does. after_chunk: the book knows more.
  MemoryTest(MemoryTestPlan plan, const OpenDevice& open_device, const KeepBadPages& keep_bad_pages,
             MemoryBook& book, std::function<void()> after_chunk);

  // Needs an InterruptGuard, and stops when that has seen a signal. Throws Failure or other
  // std::system_error if it can't go on; what is in the book by then is true.
  void run();
  [[nodiscard]] const MemoryTestNotes& notes() const { return notes_; }

 private:
  void pass();
  void test_chunk(Range chunk);
  [[nodiscard]] std::optional<Result> take(Device& device, Range chunk);
  void note_missing(Range chunk, const Result& result);
  void test_run(Device& device, Range run);
  [[nodiscard]] MemtesterResult test(Range range);
  [[nodiscard]] std::set<PhysAddr> find_bad(Range range, const MemtesterResult& result);
  void condemn(Device& device, const std::vector<Range>& subblocks,
               const std::set<PhysAddr>& pages);
  void note_no_verdict(Range range, const MemtesterResult& result);

  MemoryTestPlan plan_;
  const OpenDevice& open_device_;
  const KeepBadPages& keep_bad_pages_;
  MemoryBook& book_;
  std::function<void()> after_chunk_;
  MemoryTestNotes notes_;
};

}  // namespace memplug
