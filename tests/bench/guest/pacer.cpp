// SPDX-License-Identifier: MIT
// Measures one request: takes memory out, gives all of it back, and watches a ticker meanwhile.
// memplug is asked from here by ioctl, buddies.ko by its parameter, the other drivers through the
// host, which reads the lines that begin with @host. Prints one JSON line; prepares nothing, and
// judges nothing.
//
//   pacer quiet|busy SECONDS
//   pacer memplug|virtio-mem|virtio-balloon|buddy BYTES QUIET_SECONDS [missed|streams]
#include <sys/mman.h>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <optional>
#include <string>

#include "kernel_log.hpp"
#include "memplug_device.hpp"
#include "pageblocks.hpp"
#include "streams.hpp"
#include "ticker.hpp"

namespace {

using bench::Change;
using bench::KernelLog;
using bench::Nanoseconds;
using bench::now;
using bench::Streams;
using bench::Ticker;
using lab::die;

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;
constexpr std::uint64_t compared_bytes = 1536 * mebibyte;
// A driver that is still at work after this long has been seen enough.
constexpr Nanoseconds longest_wait = 180 * bench::second;

// Every driver's, in the state in which it is asked what it missed.
constexpr std::uint64_t subblock_bytes = std::uint64_t{2} << 20;

unsigned long long wide(std::uint64_t value) { return value; }

double seconds(Nanoseconds time) { return static_cast<double>(time) / bench::second; }

double milliseconds(Nanoseconds time) { return static_cast<double>(time) / bench::millisecond; }

// Pages that the kernel has moved, for whatever reason.
std::uint64_t pages_moved() {
  std::ifstream file("/proc/vmstat");
  std::string name;
  std::uint64_t value = 0;
  while (file >> name >> value) {
    if (name == "pgmigrate_success") {
      return value;
    }
  }
  die("/proc/vmstat has no pgmigrate_success");
}

struct Span {
  Nanoseconds start = 0;
  Nanoseconds end = 0;
};

// What is wanted of a driver: bytes to be out, out of all that it could have.
struct Wish {
  std::uint64_t out = 0;
  std::uint64_t total_before = 0;  // total memory with nothing out
  Nanoseconds quiet = 0;
};

// How much was out after this change.
std::uint64_t out_at(const Change& change, const Wish& wish) {
  return change.total < wish.total_before ? wish.total_before - change.total : 0;
}

// Waits until the total is what it should be, or has not changed for long enough: virtio-mem pauses
// for 50 s before it tries again, so quiet means stuck.
void wait_for_total(const Ticker& ticker, const Wish& wish, Nanoseconds start) {
  const std::uint64_t target = wish.total_before - wish.out;
  const bool falling = wish.out != 0;
  for (;;) {
    const std::uint64_t total = ticker.total();
    const Nanoseconds changed = std::max(start, ticker.last_change());
    if ((falling ? total <= target : total >= target) || now() - changed > wish.quiet ||
        now() - start > longest_wait || ticker.full()) {
      return;
    }
    bench::sleep_until(now() + 5 * bench::millisecond);
  }
}

// When the total came nearest to what was wished, for the first time. It does not only fall:
// virtio-mem counts a memory block's pages in again while it takes the block offline.
Nanoseconds time_of_best(const std::vector<Change>& changes, const Wish& wish, Nanoseconds start) {
  const bool falling = wish.out != 0;
  Change best{start, falling ? wish.total_before : 0};
  for (const Change& change : changes) {
    if (falling ? change.total < best.total : change.total > best.total) {
      best = change;
    }
  }
  return best.at;
}

class Driver {
 public:
  Driver() = default;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  virtual ~Driver() = default;
  // Returns when it is done, or stuck. An end of 0: to be told from the changes of the total.
  virtual Span perform(const Ticker& ticker, const Wish& wish) = 0;
  // More members of the JSON object.
  virtual void print_details(std::FILE* /*json*/) const {}
};

void tell_host(std::uint64_t out) {
  std::printf("@host take %llu\n", wide(out));
  std::fflush(stdout);
}

// From the kernel's own line about the new size: what the host needs to send it does not count.
class VirtioMem : public Driver {
 public:
  Span perform(const Ticker& ticker, const Wish& wish) override {
    KernelLog log;
    const Nanoseconds told = now();
    tell_host(wish.out);
    wait_for_total(ticker, wish, told);
    const auto start = log.find("requested size: 0x");
    if (!start) {
      die("virtio_mem told of no new size");
    }
    return {.start = *start};
  }
};

// From the moment the wish was told, as the driver logs nothing: a few ms are the host's.
class VirtioBalloon : public Driver {
 public:
  Span perform(const Ticker& ticker, const Wish& wish) override {
    const Nanoseconds start = now();
    tell_host(wish.out);
    wait_for_total(ticker, wish, start);
    return {.start = start};
  }
};

class Memplug : public Driver {
 public:
  Span perform(const Ticker& /*ticker*/, const Wish& wish) override {
    auto request = lab::sized<memplug_request>();
    request.flags = wish.out == 0 ? MEMPLUG_REQ_ALL : 0;
    request.length = wish.out;
    const memplug_counters before = device_.counters();
    const Nanoseconds start = now();
    const int error = device_.call(wish.out == 0 ? MEMPLUG_IOC_PLUG : MEMPLUG_IOC_UNPLUG, &request);
    const Nanoseconds end = now();
    if (error != 0) {
      die("request of %llu bytes: %s", wide(wish.out), std::strerror(error));
    }
    if (wish.out != 0) {
      stop_ = request.out_stop;
      before_ = before;
      after_ = device_.counters();
    }
    return {start, end};
  }

  void print_details(std::FILE* json) const override {
    std::fprintf(
        json, R"(,"stop":%u,"claims":%llu,"claims_failed":%llu,"survey_ns":%llu,"claim_ns":%llu)",
        stop_, wide(after_.out_claims - before_.out_claims),
        wide(after_.out_claims_failed - before_.out_claims_failed),
        wide(after_.out_survey_ns - before_.out_survey_ns),
        wide(after_.out_claim_ns - before_.out_claim_ns));
  }

 private:
  lab::Device device_;
  std::uint32_t stop_ = 0;
  memplug_counters before_{};
  memplug_counters after_{};
};

class Buddy : public Driver {
 public:
  Buddy() : parameter_(::open("/sys/module/buddies/parameters/out", O_WRONLY | O_CLOEXEC)) {}
  Buddy(const Buddy&) = delete;
  Buddy& operator=(const Buddy&) = delete;
  ~Buddy() override { ::close(parameter_); }

  Span perform(const Ticker& /*ticker*/, const Wish& wish) override {
    const std::string text = std::to_string(wish.out);
    const Nanoseconds start = now();
    const ssize_t written = ::write(parameter_, text.data(), text.size());
    const Nanoseconds end = now();
    if (written != static_cast<ssize_t>(text.size())) {
      die("buddies.ko, %s bytes: %s", text.c_str(), std::strerror(errno));
    }
    return {start, end};
  }

 private:
  int parameter_;
};

// The answer, one line, printed when all of it is known: @host lines go out before.
class Json {
 public:
  Json() : stream_(::open_memstream(&text_, &length_)) {}
  Json(const Json&) = delete;
  Json& operator=(const Json&) = delete;
  ~Json() {
    std::fclose(stream_);
    std::free(text_);
  }

  [[nodiscard]] std::FILE* stream() const { return stream_; }

  void print() {
    std::fputs("}", stream_);
    std::fflush(stream_);
    std::printf("@result %s\n", text_);
  }

 private:
  char* text_ = nullptr;
  std::size_t length_ = 0;
  std::FILE* stream_;
};

// NAME_ticks, NAME_p999_ms and NAME_longest_ms: the nearest rank, and the maximum.
void print_gaps(std::FILE* json, const char* name, const Ticker& ticker, const Span& span) {
  std::vector<Nanoseconds> gaps = ticker.gaps(span.start, span.end);
  if (gaps.empty()) {
    die("the ticker never ran");
  }
  if (std::accumulate(gaps.begin(), gaps.end(), Nanoseconds{0}) < span.end - span.start) {
    die("the ticker did not run from the beginning to the end");
  }
  std::sort(gaps.begin(), gaps.end());
  const std::size_t rank = (gaps.size() * 999 + 999) / 1000;
  std::fprintf(json, R"(,"%s_ticks":%zu,"%s_p999_ms":%.3f,"%s_longest_ms":%.3f)", name, gaps.size(),
               name, milliseconds(gaps[rank - 1]), name, milliseconds(gaps.back()));
}

// (ms, MiB) pairs, one for each further 1/32 of the request, and the best.
void print_time_line(std::FILE* json, const std::vector<Change>& changes, const Wish& wish,
                     const Span& span) {
  const std::uint64_t step = std::max(wish.out / 32, mebibyte);
  std::uint64_t next = step;
  std::uint64_t best = 0;
  for (const Change& change : changes) {
    best = std::max(best, out_at(change, wish));
  }
  std::uint64_t told = 0;
  std::fprintf(json, R"(,"time_line":[)");
  for (const Change& change : changes) {
    const std::uint64_t out = out_at(change, wish);
    if (out <= told || (out < next && out < best)) {
      continue;
    }
    // A change is seen at the first tick after it, which may be after the request's return.
    const Nanoseconds at = std::clamp(change.at, span.start, span.end) - span.start;
    std::fprintf(json, "%s[%.3f,%.2f]", told == 0 ? "" : ",", milliseconds(at),
                 static_cast<double>(out) / mebibyte);
    told = out;
    next = (out / step + 1) * step;
  }
  std::fprintf(json, "]");
}

void print_time_to(std::FILE* json, const std::vector<Change>& changes, const Wish& wish,
                   const Span& span) {
  for (const Change& change : changes) {
    if (out_at(change, wish) >= compared_bytes) {
      std::fprintf(json, R"(,"seconds_to_1536m":%.6f)",
                   seconds(std::clamp(change.at, span.start, span.end) - span.start));
      return;
    }
  }
  std::fprintf(json, R"(,"seconds_to_1536m":null)");
}

// The ticker may have to see the last change yet, and may be kept from running for longer than all
// of it took.
void finish(Ticker& ticker) {
  const Nanoseconds done = now();
  do {
    bench::sleep_until(now() + 20 * bench::millisecond);
  } while (ticker.last_tick() <= done && now() - done < bench::second);
  ticker.stop();
  if (ticker.full()) {
    die("the measurement took too long");
  }
}

Span perform(Driver& driver, Ticker& ticker, const Wish& wish) {
  ticker.start();
  Span span = driver.perform(ticker, wish);
  finish(ticker);
  if (span.end == 0) {
    span.end = time_of_best(ticker.changes(), wish, span.start);
  }
  return span;
}

// What is looked at besides: what could have been had and was not, or what programs on all CPUs do
// meanwhile.
enum class Besides { Nothing, Missed, Streams };

// NAMEstream_mib_s and NAMEstream_longest_ms.
void print_streams(std::FILE* json, const char* name, const Streams& streams, const Span& span) {
  std::fprintf(json, R"(,"%sstream_mib_s":%.1f,"%sstream_longest_ms":%.3f)", name,
               streams.bandwidth(span.start, span.end), name,
               milliseconds(streams.longest(span.start, span.end)));
}

void measure(Driver& driver, std::uint64_t bytes, Nanoseconds quiet, Besides besides) {
  std::optional<Streams> streams;
  Span alone;
  if (besides == Besides::Streams) {
    streams.emplace(std::thread::hardware_concurrency());
    // They begin with page faults.
    bench::sleep_until(now() + bench::second);
    alone.start = now();
    bench::sleep_until(alone.start + 3 * bench::second);
    alone.end = now();
  }
  Wish wish{.out = bytes, .total_before = bench::total_memory(), .quiet = quiet};
  Ticker ticker;
  const std::uint64_t moved_before = pages_moved();
  const Span span = perform(driver, ticker, wish);
  const std::uint64_t moved = pages_moved() - moved_before;
  const std::vector<Change> changes = ticker.changes();
  // The driver may still be removing memory blocks.
  bench::sleep_until(now() + bench::second);
  const std::uint64_t total = bench::total_memory();
  Json answer;
  std::FILE* json = answer.stream();
  std::fprintf(json, R"({"requested":%llu,"total_before":%llu,"reached":%llu,"moved":%llu)",
               wide(bytes), wide(wish.total_before), wide(wish.total_before - total), wide(moved));
  std::fprintf(json, R"(,"seconds":%.6f)", seconds(span.end - span.start));
  print_time_to(json, changes, wish, span);
  print_time_line(json, changes, wish, span);
  print_gaps(json, "gap", ticker, span);
  driver.print_details(json);
  if (besides == Besides::Missed) {
    std::fprintf(json, R"(,"missed":%llu)", wide(lab::claimable_left(subblock_bytes)));
  }
  wish.out = 0;
  const Span back = perform(driver, ticker, wish);
  std::fprintf(json, R"(,"plug_seconds":%.6f,"missing":%lld)", seconds(back.end - back.start),
               static_cast<long long>(wish.total_before - bench::total_memory()));
  print_gaps(json, "plug_gap", ticker, back);
  if (streams) {
    streams->stop();
    if (streams->full() || span.end <= span.start || back.end <= back.start) {
      die("the programs beside it were not seen to the end");
    }
    print_streams(json, "alone_", *streams, alone);
    print_streams(json, "", *streams, span);
    print_streams(json, "plug_", *streams, back);
  }
  answer.print();
}

// Compute on so many CPUs, without a system call, until it is over.
class Spinners {
 public:
  explicit Spinners(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      threads_.emplace_back([this] {
        while (running_.load(std::memory_order_relaxed)) {
        }
      });
    }
  }
  Spinners(const Spinners&) = delete;
  Spinners& operator=(const Spinners&) = delete;
  ~Spinners() {
    running_ = false;
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

 private:
  std::atomic<bool> running_ = true;
  std::vector<std::thread> threads_;
};

// No driver: what the machine itself makes a program wait, quiet or with so many CPUs busy.
void measure_reference(double length, unsigned busy) {
  const Spinners spinners(busy);
  Ticker ticker;
  ticker.start();
  const Nanoseconds start = now();
  bench::sleep_until(start + static_cast<Nanoseconds>(length * bench::second));
  const Nanoseconds end = now();
  finish(ticker);
  Json answer;
  std::FILE* json = answer.stream();
  std::fprintf(json, R"({"seconds":%.3f)", length);
  print_gaps(json, "gap", ticker, {start, end});
  answer.print();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (::mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
    die("mlockall: %s", std::strerror(errno));
  }
  if ((what == "quiet" || what == "busy") && argc == 3) {
    measure_reference(std::stod(argv[2]), what == "busy" ? std::thread::hardware_concurrency() : 0);
    return 0;
  }
  if (argc < 4) {
    std::fputs(
        "usage: pacer quiet|busy SECONDS\n       pacer memplug|virtio-mem|virtio-balloon|buddy "
        "BYTES QUIET_SECONDS [missed|streams]\n",
        stderr);
    return 2;
  }
  const std::uint64_t bytes = std::stoull(argv[2]);
  const auto quiet = static_cast<Nanoseconds>(std::stod(argv[3]) * bench::second);
  const std::string option = argc > 4 ? argv[4] : "";
  const Besides besides = option == "missed"    ? Besides::Missed
                          : option == "streams" ? Besides::Streams
                                                : Besides::Nothing;
  if (what == "memplug") {
    Memplug driver;
    measure(driver, bytes, quiet, besides);
  } else if (what == "virtio-mem") {
    VirtioMem driver;
    measure(driver, bytes, quiet, besides);
  } else if (what == "buddy") {
    Buddy driver;
    measure(driver, bytes, quiet, besides);
  } else if (what == "virtio-balloon") {
    VirtioBalloon driver;
    measure(driver, bytes, quiet, besides);
  } else {
    die("'%s' is no driver", what.c_str());
  }
  return 0;
}
