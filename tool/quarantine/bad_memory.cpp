// SPDX-License-Identifier: MIT
// Reads quarantine files. They may come from anywhere: what an error quotes is printable and short.
#include "quarantine/bad_memory.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include "memplug/failure.hpp"

namespace memplug {
namespace {

constexpr std::uint64_t max_u64 = std::numeric_limits<std::uint64_t>::max();
constexpr std::string_view blanks = " \t";
constexpr std::size_t max_quoted = 80;
constexpr std::string_view pattern_grammar =
    "patterns are badram ADDRESS,MASK[,ADDRESS,MASK...], hexadecimal with 0x";

[[noreturn]] void reject(std::string_view kind, std::string_view text, std::string_view why) {
  const bool long_text = text.size() > max_quoted;
  throw UsageError(std::string(kind) + " '" + std::string(text.substr(0, max_quoted)) +
                   (long_text ? "...': " : "': ") + std::string(why));
}

// For what quantity.cpp parses, which quotes all of it.
void check_length(std::string_view kind, std::string_view text) {
  if (text.size() > max_quoted) {
    reject(kind, text, "too long; it takes " + std::to_string(max_quoted) + " characters at most");
  }
}

// A terminal gets to see what is quoted, and quotes may be those of a word processor.
void check_characters(std::string_view entry) {
  const auto* const odd = std::find_if(entry.begin(), entry.end(), [](char c) {
    return (c < ' ' || c > '~') && blanks.find(c) == std::string_view::npos;
  });
  if (odd != entry.end()) {
    const auto column = static_cast<std::size_t>(odd - entry.begin());
    reject("entry", entry.substr(0, column),
           "character " + std::to_string(column + 1) +
               " of it is none of printable ASCII, which is all that an entry may have");
  }
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Takes off the text what is before a separator, and that too.
std::string_view take_until(std::string_view& text, std::string_view separators) {
  const std::size_t end = std::min(text.find_first_of(separators), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

// All of the text, without sign; nothing if that is not what it is, or too large.
std::optional<std::uint64_t> parse_hex(std::string_view text) {
  if (!take_prefix(text, "0x")) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, 16);
  return error == std::errc{} && stop == end ? std::optional(value) : std::nullopt;
}

// Both ends included.
Range range_between(std::uint64_t first, std::uint64_t last) {
  if (last - first == max_u64) {
    throw UsageError("range " + print_address(PhysAddr{first}) + "-" +
                     print_address(PhysAddr{last}) + ": too large, it is the whole address space");
  }
  return Range{PhysAddr{first}, Bytes{last - first + 1}};
}

// Whether a range that begins here leaves room after a last byte.
bool is_apart(std::uint64_t last, PhysAddr start) {
  return start.value > last && start.value - last > 1;
}

// Keeps the ranges sorted and apart.
void insert(std::vector<Range>& ranges, Range range) {
  const auto joined = std::partition_point(ranges.begin(), ranges.end(), [range](const Range& it) {
    return is_apart(last_byte(it).value, range.start);
  });
  const auto after = std::partition_point(joined, ranges.end(), [range](const Range& it) {
    return !is_apart(last_byte(range).value, it.start);
  });
  if (joined == after) {
    ranges.insert(joined, range);
    return;
  }
  const PhysAddr first = std::min(joined->start, range.start);
  const PhysAddr last = std::max(last_byte(*(after - 1)), last_byte(range));
  *joined = range_between(first.value, last.value);
  ranges.erase(joined + 1, after);
}

// As the kernel takes numbers, but not in octal.
std::uint64_t parse_kernel_number(std::string_view entry, std::string_view text) {
  if (const auto value = parse_hex(text)) {
    return *value;
  }
  // parse_size() knows more than the kernel: fractions, and units in 1000.
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view suffix = text.substr(digits);
  constexpr std::string_view letters = "KMGTPEkmgtpe";
  if (digits == 0 || suffix.size() > 1 || letters.find(suffix) == std::string_view::npos) {
    reject("memmap", entry,
           "its numbers are decimal, also with K, M or G, or hexadecimal with 0x, of 64 bits");
  }
  try {
    return parse_size(text).value;
  } catch (const UsageError& error) {
    reject("memmap", entry, error.what());
  }
}

Range parse_memmap(std::string_view entry) {
  check_length("memmap", entry);
  const std::size_t mark = entry.find('$');
  if (mark == std::string_view::npos) {
    reject("memmap", entry,
           "only a $ marks reserved memory, as in memmap=SIZE$ADDRESS; @, # and ! do not");
  }
  std::string_view size_text = entry.substr(0, mark);
  // A shell takes some of them off and GRUB another.
  while (size_text.ends_with('\\')) {
    size_text.remove_suffix(1);
  }
  const std::uint64_t size = parse_kernel_number(entry, size_text);
  const std::uint64_t address = parse_kernel_number(entry, entry.substr(mark + 1));
  if (size == 0) {
    reject("memmap", entry, "it is empty");
  }
  if (size - 1 > max_u64 - address) {
    reject("memmap", entry, "it passes the end of the address space");
  }
  return Range{PhysAddr{address}, Bytes{size}};
}

// Bits within a page never matter.
std::uint64_t parse_mask(std::string_view pattern, std::string_view text) {
  constexpr std::size_t least_digits = 8;
  constexpr std::size_t most_digits = 16;
  const auto value = parse_hex(text);
  const std::size_t digits = text.size() - std::min<std::size_t>(text.size(), 2);
  if (!value || digits < least_digits || digits > most_digits) {
    reject("badram", pattern, "a mask is 0x and 8 to 16 hexadecimal digits, such as 0xfffff000");
  }
  const std::uint64_t relevant = *value & ~(bad_memory_page.value - 1);
  if (relevant == 0) {
    reject("badram", pattern, "its mask has no 1 above a page; that of one page is 0xfffff000");
  }
  return digits == most_digits ? relevant : relevant | (max_u64 << (4 * digits));
}

std::string_view unquote(std::string_view text) {
  if (!text.starts_with('"') && !text.starts_with('\'')) {
    return text;
  }
  if (text.size() < 2 || text.front() != text.back()) {
    reject("badram", text, "its quotes do not match");
  }
  return trim(text.substr(1, text.size() - 2));
}

bool take_badram(std::string_view& entry) {
  std::string_view rest = entry;
  if (take_prefix(rest, "GRUB_BADRAM=") || take_prefix(rest, "badram=") ||
      // GRUB's command and its argument.
      (take_prefix(rest, "badram") && !rest.empty() &&
       blanks.find(rest.front()) != std::string_view::npos)) {
    entry = rest;
    return true;
  }
  return false;
}

bool begins_list(std::string_view line) { return line.starts_with("memmap=") || take_badram(line); }

// What no list has after a comma.
bool begins_another_entry(std::string_view line) {
  return begins_list(line) ||
         (looks_like_range(line) && line.find_first_of("+-") != std::string_view::npos);
}

// The text of a list, which goes on in the next line where a line ends in a comma, and the line
// that each part of it is from.
class List {
 public:
  void add_line(std::string_view text, std::size_t number) {
    lines_.push_back({text_.size(), number});
    text_ += text;
  }
  void clear() {
    text_.clear();
    lines_.clear();
  }
  [[nodiscard]] bool goes_on() const { return text_.ends_with(','); }
  [[nodiscard]] std::string_view text() const { return text_; }
  // Of a part of text().
  [[nodiscard]] std::size_t line_of(std::string_view part) const {
    const auto place = static_cast<std::size_t>(part.data() - text_.data());
    const auto after =
        std::upper_bound(lines_.begin(), lines_.end(), place,
                         [](std::size_t wanted, const Line& line) { return wanted < line.start; });
    return (after - 1)->number;
  }

 private:
  struct Line {
    std::size_t start;
    std::size_t number;
  };

  std::string text_;
  std::vector<Line> lines_;
};

// What is in a file so far.
class Reader {
 public:
  void read_line(std::string_view line);
  void end();
  [[nodiscard]] std::vector<Range> take_ranges() { return std::move(ranges_); }
  // That an error is in.
  [[nodiscard]] std::size_t line() const { return line_; }

 private:
  void add(Range range);
  void add_pattern(std::string_view pattern);
  void add_patterns(std::string_view list);
  void add_memmaps(std::string_view list);
  void add_list();

  std::vector<Range> ranges_;
  // Ranges that a pattern makes beyond its first, whether they were new or not.
  std::uint64_t gaps_ = 0;
  std::size_t lines_read_ = 0;
  std::size_t line_ = 0;
  // That is being read; empty between entries.
  List list_;
};

void Reader::add(Range range) {
  const Range pages = round_outward(range, bad_memory_page);
  insert(ranges_, pages);
  if (ranges_.size() > max_bad_ranges) {
    throw UsageError("range " + print_range(pages) + ": one more than the " +
                     std::to_string(max_bad_ranges) + " separate ranges that a file may have");
  }
}

void Reader::add_pattern(std::string_view pattern) {
  std::string_view mask_text = pattern;
  line_ = list_.line_of(pattern);
  const auto address = parse_hex(trim(take_until(mask_text, ",")));
  if (!address) {
    reject("badram", pattern, pattern_grammar);
  }
  mask_text = trim(mask_text);
  line_ = mask_text.empty() ? line_ : list_.line_of(mask_text);
  const std::uint64_t mask = parse_mask(pattern, mask_text);
  const std::uint64_t size = 1ULL << static_cast<unsigned>(std::countr_zero(mask));
  const std::uint64_t loose = ~mask & ~(size - 1);
  const auto loose_bits = static_cast<unsigned>(std::popcount(loose));
  // Not 1 shifted by all of them: that may be too far.
  gaps_ += (1ULL << std::min(loose_bits, 32U)) - 1;
  if (gaps_ >= max_bad_ranges) {
    reject("badram", pattern,
           "the gaps in its mask make more ranges than the " + std::to_string(max_bad_ranges) +
               " that a file may have; a mask of 64 bits has ones in the high bits, too");
  }
  std::uint64_t chosen = 0;
  do {
    add(Range{PhysAddr{(*address & mask) | chosen}, Bytes{size}});
    // The next larger number with bits only where they are loose.
    chosen = (chosen - loose) & loose;
  } while (chosen != 0);
}

void Reader::add_patterns(std::string_view list) {
  list = unquote(list);
  if (list.empty()) {
    reject("badram", list, pattern_grammar);
  }
  while (!list.empty()) {
    const std::string_view begin = list;
    take_until(list, ",");
    const std::string_view mask = take_until(list, ",");
    const auto length = static_cast<std::size_t>(mask.data() + mask.size() - begin.data());
    add_pattern(trim(begin.substr(0, length)));
  }
}

void Reader::add_memmaps(std::string_view list) {
  while (!list.empty()) {
    std::string_view entry = take_until(list, ", \t");
    if (take_prefix(entry, "memmap=") || !entry.empty()) {
      line_ = list_.line_of(entry);
      add(parse_memmap(entry));
    }
  }
}

void Reader::add_list() {
  std::string_view list = list_.text();
  if (take_badram(list)) {
    add_patterns(trim(list));
  } else {
    add_memmaps(list);
  }
  list_.clear();
}

void Reader::end() {
  if (list_.goes_on()) {
    reject("entry", list_.text(),
           "it ends in a comma, and no line follows that it could go on in; was all of it copied?");
  }
}

void Reader::read_line(std::string_view line) {
  ++lines_read_;
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  const std::string_view entry = trim(take_until(line, "#"));
  if (entry.empty()) {
    return;
  }
  line_ = lines_read_;
  check_characters(entry);
  if (list_.goes_on() && begins_another_entry(entry)) {
    reject("entry", entry,
           "the line before ends in a comma, so its list goes on here; was all of it copied?");
  }
  if (list_.goes_on() || begins_list(entry)) {
    list_.add_line(entry, lines_read_);
    if (!list_.goes_on()) {
      add_list();
    }
  } else if (looks_like_range(entry)) {
    check_length("range", entry);
    add(parse_range(entry));
  } else {
    reject("entry", entry,
           "an entry is 0xFIRST-0xLAST or 0xFIRST+SIZE, badram ADDRESS,MASK,... or "
           "memmap=SIZE$ADDRESS");
  }
}

}  // namespace

std::vector<Range> parse_bad_memory(std::string_view text, std::string_view name) {
  Reader reader;
  try {
    while (!text.empty()) {
      reader.read_line(take_until(text, "\n"));
    }
    reader.end();
  } catch (const UsageError& error) {
    throw UsageError(std::string(name) + ", line " + std::to_string(reader.line()) + ": " +
                     error.what());
  }
  return reader.take_ranges();
}

std::string print_bad_memory(const std::vector<Range>& ranges) {
  std::string text =
      "# Bad memory, for memplugctl: whole pages, one range a line, with inclusive ends.\n"
      "# Lines such as badram ADDRESS,MASK and memmap=SIZE$ADDRESS are understood, too.\n";
  for (const Range& range : ranges) {
    text += print_range(range) + "\n";
  }
  return text;
}

Range round_outward(Range range, Bytes unit) {
  const std::uint64_t first = range.start.value / unit.value * unit.value;
  const std::uint64_t last = last_byte(range).value;
  const std::uint64_t to_end_of_unit = unit.value - 1 - last % unit.value;
  return range_between(first, last + std::min(to_end_of_unit, max_u64 - last));
}

std::vector<Range> merge(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<Range> merged;
  for (const Range& range : ranges) {
    // At the end, where it costs nothing.
    insert(merged, range);
  }
  return merged;
}

std::vector<Range> subtract(const std::vector<Range>& from, Range what) {
  const PhysAddr last = last_byte(what);
  std::vector<Range> rest;
  for (const Range& range : from) {
    const PhysAddr end = last_byte(range);
    if (last < range.start || end < what.start) {
      rest.push_back(range);
      continue;
    }
    if (range.start < what.start) {
      rest.push_back(Range{range.start, what.start - range.start});
    }
    if (last < end) {
      rest.push_back(Range{PhysAddr{last.value + 1}, end - last});
    }
  }
  return rest;
}

}  // namespace memplug
