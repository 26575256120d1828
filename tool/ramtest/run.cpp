// SPDX-License-Identifier: MIT
// The descriptor that a chunk is tied to lives as long as its test: whatever becomes of this
// process, the memory goes back when memtester has ended, and what is bad is kept before.
#include "ramtest/run.hpp"

#include <algorithm>
#include <cerrno>

#include "memplug.h"
#include "quarantine/bad_memory.hpp"
#include "ramtest/suspects.hpp"
#include "terminal/interrupt.hpp"

namespace memplug {
namespace {

using Kind = Hindrance::Kind;

// Bounds what a result can cost; what it does not tell of is tried again.
constexpr std::uint64_t max_ranges = 16384;
// One reason a line; that there are more is no news.
constexpr std::size_t max_notes = 5;

// Of what was not taken, and that no blocker tells of.
Hindrance hindrance_of(const Result& result) {
  if (result.stop == Stop::Interrupted) {
    return {Kind::Interrupted, Reason::Unknown};
  }
  if (result.stop == Stop::Floor) {
    return {Kind::Blocked, Reason::Floor};
  }
  if (result.already != Bytes{}) {
    return {Kind::Unplugged, Reason::Unknown};
  }
  return {Kind::Blocked, Reason::Unknown};
}

std::vector<Range> subblocks_of(const std::set<PhysAddr>& pages, Bytes subblock) {
  std::vector<Range> ranges;
  ranges.reserve(pages.size());
  for (const PhysAddr page : pages) {
    ranges.push_back(round_outward({page, bad_memory_page}, subblock));
  }
  return merge(std::move(ranges));
}

}  // namespace

MemoryTest::MemoryTest(MemoryTestPlan plan, const OpenDevice& open_device,
                       const KeepBadPages& keep_bad_pages, MemoryBook& book,
                       std::function<void()> after_chunk)
    : plan_(std::move(plan)),
      open_device_(open_device),
      keep_bad_pages_(keep_bad_pages),
      book_(book),
      after_chunk_(std::move(after_chunk)) {}

void MemoryTest::run() {
  pass();
  if (InterruptGuard::interrupted() || book_.untested().empty()) {
    return;
  }
  // What was in the way may be gone.
  book_.look_again(open_device_(Access::Write).survey(plan_.asked));
  pass();
}

void MemoryTest::pass() {
  for (const Range& chunk : book_.chunks(plan_.chunk)) {
    if (InterruptGuard::interrupted()) {
      return;
    }
    test_chunk(chunk);
    after_chunk_();
  }
}

void MemoryTest::test_chunk(Range chunk) {
  Device device = open_device_(Access::Write);
  const std::optional<Result> result = take(device, chunk);
  if (!result) {
    return;
  }
  note_missing(chunk, *result);
  for (const HeldRange& run : result->ranges) {
    if (run.start) {
      test_run(device, {*run.start, run.size});
    }
  }
}

// Nothing: it could not be asked for.
std::optional<Result> MemoryTest::take(Device& device, Range chunk) {
  Request request;
  request.start = chunk.start;
  request.length = chunk.size;
  request.tied = true;
  const std::uint64_t subblocks = chunk.size.value / plan_.subblock.value;
  try {
    return device.carry_out(request,
                            {static_cast<std::uint32_t>(std::min(subblocks, max_ranges)),
                             std::min<std::uint32_t>(plan_.max_blocked, MEMPLUG_MAX_BLOCKED)});
  } catch (const UnmanagedError&) {
    // A part of it has gone; the second pass finds out which.
    book_.set_untested(chunk, {Kind::Blocked, Reason::Offline});
  } catch (const std::system_error& error) {
    if (error.code().value() != ENOMEM) {
      throw;
    }
    book_.set_untested(chunk, {Kind::Blocked, Reason::NoMemory});
  }
  return std::nullopt;
}

void MemoryTest::note_missing(Range chunk, const Result& result) {
  book_.set_untested(chunk, hindrance_of(result));
  for (const Blocked& blocked : result.blocked) {
    book_.set_untested(blocked.range, {Kind::Blocked, blocked.reason});
  }
}

// memtester ends a test at the first failure that it meets, so that what else is in the run has
// not seen all of it: that is tested again, until there is no failure.
void MemoryTest::test_run(Device& device, Range run) {
  std::vector<Range> pieces{run};
  while (!pieces.empty()) {
    const Range piece = pieces.back();
    pieces.pop_back();
    if (InterruptGuard::interrupted()) {
      book_.set_untested(piece, {Kind::Interrupted, Reason::Unknown});
      continue;
    }
    const MemtesterResult result = test(piece);
    if (result.verdict == Verdict::Good) {
      book_.set_good(piece);
    } else if (result.verdict == Verdict::None) {
      note_no_verdict(piece, result);
    } else {
      const std::set<PhysAddr> pages = find_bad(piece, result);
      const std::vector<Range> subblocks =
          pages.empty() ? std::vector{piece} : subblocks_of(pages, plan_.subblock);
      condemn(device, subblocks, pages);
      std::vector<Range> rest{piece};
      for (const Range& bad : subblocks) {
        rest = subtract(rest, bad);
      }
      pieces.insert(pieces.end(), rest.begin(), rest.end());
    }
  }
}

MemtesterResult MemoryTest::test(Range range) {
  MemtesterResult result = run_memtester(plan_.memtester, range);
  if (result.version) {
    notes_.memtester_version = result.version;
  }
  return result;
}

std::set<PhysAddr> MemoryTest::find_bad(Range range, const MemtesterResult& result) {
  Suspects suspects;
  suspects.add(result.failures);
  for (const Range& other : other_ranges(range)) {
    if (!suspects.are_told_apart() && !InterruptGuard::interrupted()) {
      suspects.add(test(other).failures);
    }
  }
  return suspects.bad_pages();
}

void MemoryTest::condemn(Device& device, const std::vector<Range>& subblocks,
                         const std::set<PhysAddr>& pages) {
  for (const Range& range : subblocks) {
    book_.set_bad(range, pages);
  }
  if (!plan_.keep) {
    return;
  }
  for (const Range& range : subblocks) {
    static_cast<void>(device.quarantine(range));
    book_.set_kept(range);
  }
  std::vector<Range> bad = subblocks;
  if (!pages.empty()) {
    bad.clear();
    std::ranges::transform(pages, std::back_inserter(bad), [](PhysAddr page) {
      return Range{page, bad_memory_page};
    });
  }
  // It is out until the next boot even if this fails, and there is more to be tested.
  try {
    keep_bad_pages_(merge(std::move(bad)));
    notes_.has_saved = true;
  } catch (const std::runtime_error& error) {
    notes_.why_not_saved = error.what();
  }
}

void MemoryTest::note_no_verdict(Range range, const MemtesterResult& result) {
  if (InterruptGuard::interrupted()) {
    book_.set_untested(range, {Kind::Interrupted, Reason::Unknown});
    return;
  }
  book_.set_untested(range, {Kind::NoVerdict, Reason::Unknown});
  const bool is_known = std::ranges::any_of(notes_.no_verdict, [&result](const std::string& note) {
    return note.ends_with(result.message);
  });
  if (!is_known && notes_.no_verdict.size() < max_notes) {
    notes_.no_verdict.push_back("memtester gave no verdict on " + print_range(range) + ": " +
                                result.message);
  }
}

}  // namespace memplug
