// SPDX-License-Identifier: MIT
// Everything at once, for as long as one likes: requests, kills, memory blocks that come and go,
// unloading, stress-ng, and memory whose every byte is known. All of it is stopped every now and
// then, and all accounts are compared. Ends at once with 1 if anything is wrong.
//
//   soak SECONDS SEED CHECK_EVERY [PARAMETERS]
//
// CHECK_EVERY: seconds, on average. PARAMETERS: the module's, for when it is loaded again.
#include "soak_crew.hpp"
#include "soak_stressor.hpp"
#include "soak_summary.hpp"

namespace {

using soak::Clock;
using soak::Wrong;
using namespace std::chrono_literals;

constexpr std::size_t requesters = 4;
constexpr const char* module_path = "/lab/memplug.ko";

struct Order {
  std::chrono::seconds duration{};
  std::uint64_t seed = 0;
  std::chrono::seconds check_every{};
  std::string parameters;
};

class Conductor {
 public:
  explicit Conductor(Order order)
      : order_(std::move(order)),
        random_(order_.seed),
        stressor_(random_()),
        crew_(board_, requesters, random_()) {}

  void run() {
    const auto end = begin_ + order_.duration;
    auto next_check = after_a_while();
    auto next_line = begin_ + 60s;
    while (Clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50 + random_() % 300));
      crew_.watch();
      demand(stressor_.tend(end - Clock::now()));
      books_.watch_counters();
      crew_.disturb();
      if (Clock::now() > next_check) {
        quiet_point();
        next_check = after_a_while();
      }
      if (Clock::now() > next_line) {
        progress();
        next_line += 60s;
      }
    }
    quiet_point();
    crew_.finish();
    demand(stressor_.finish());
    books_.plug_all();
    books_.check();
    demand_something();
  }

  // The exit status.
  int conclude(const std::string& broke) {
    const soak::Summary summary = sum_up(broke);
    soak::print_table(summary, board_);
    std::printf("soak-json: %s\n", soak::json(summary, board_).c_str());
    if (!broke.empty()) {
      std::printf("soak: BROKE after %llu s, seed %llu: %s\n",
                  static_cast<unsigned long long>(summary.seconds),
                  static_cast<unsigned long long>(summary.seed), broke.c_str());
    }
    std::fflush(stdout);
    return broke.empty() ? 0 : 1;
  }

 private:
  Clock::time_point after_a_while() {
    const auto wait = std::chrono::milliseconds(order_.check_every);
    return Clock::now() + wait * static_cast<int>(80 + random_() % 41) / 100;
  }

  static void demand(const std::string& complaint) {
    if (!complaint.empty()) {
      throw Wrong(complaint);
    }
  }

  void quiet_point() {
    books_.refused_unload();
    crew_.pause();
    books_.check();
    // Not each time: what lives longer than a few checks has to be seen, too.
    if (books_.checks() % 3 == 2) {
      books_.reload(module_path, order_.parameters);
    }
    crew_.resume();
  }

  // A soak in which a kind of abuse never happened has proven nothing of it.
  void demand_something() {
    // Fewer may lack the rarest kind by chance.
    const bool enough = soak::all_requests(board_) >= 500;
    for (const auto& row : board_.requests) {
      if (enough && soak::total(row) == 0) {
        throw Wrong("a kind of request was never made");
      }
    }
    const std::array<std::pair<const char*, std::uint64_t>, 8> abuse{
        {{"process was killed", crew_.kills()},
         {"memory block went offline", board_.blocks_offlined},
         {"unloading was done", books_.reloads()},
         {"unloading was refused", books_.unloads_refused()},
         {"round of stress-ng ended", stressor_.rounds()},
         {"byte was unplugged", board_.bytes_unplugged},
         {"content was verified", board_.passes},
         {"memory was held", board_.holds}}};
    for (const auto& [what, count] : abuse) {
      if (count == 0) {
        throw Wrong(std::string("nothing was proven: no ") + what);
      }
    }
  }

  [[nodiscard]] std::uint64_t seconds() const {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - begin_).count());
  }

  void progress() {
    const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    std::printf(
        "soak: %4llu s  %llu requests, %llu MiB unplugged, %llu MiB plugged, %llu killed, "
        "%llu blocks cycled, %llu checks, %llu reloads, %llu MiB verified, %llu wrong, "
        "stress-ng %llu rounds\n",
        number(seconds()), number(soak::all_requests(board_)), number(board_.bytes_unplugged >> 20),
        number(board_.bytes_plugged >> 20), number(crew_.kills()), number(board_.blocks_onlined),
        number(books_.checks()), number(books_.reloads()), number(board_.bytes_verified >> 20),
        number(board_.bytes_wrong), number(stressor_.rounds()));
    std::fflush(stdout);
  }

  soak::Summary sum_up(const std::string& broke) {
    return {
        .seed = order_.seed,
        .seconds = seconds(),
        .figures = {{"requests_total", "requests", soak::all_requests(board_)},
                    {"interrupted", "  cut short by SIGINT", board_.interrupted},
                    {"timed_out", "  cut short by their timeout", board_.timed_out},
                    {"floor_stops", "  stopped at the floor", board_.floor_stops},
                    {"bytes_unplugged", "bytes unplugged by requests", board_.bytes_unplugged},
                    {"bytes_plugged", "bytes plugged by requests", board_.bytes_plugged},
                    {"most_unplugged", "most bytes unplugged at a check", books_.most_unplugged()},
                    {"claims", "claims", books_.claims()},
                    {"claims_failed", "  that took nothing", books_.claims_failed()},
                    {"pages_claimed", "pages claimed", books_.pages_claimed()},
                    {"pages_migrated", "pages migrated", books_.pages_migrated()},
                    {"blocks_offlined", "blocks offlined", board_.blocks_offlined},
                    {"blocks_with_unplugged", "  with unplugged memory",
                     board_.blocks_with_unplugged},
                    {"blocks_onlined", "blocks onlined", board_.blocks_onlined},
                    {"blocks_refused", "blocks that did not go offline", board_.blocks_refused},
                    {"wants_dropped", "restorations given up", books_.wants_dropped()},
                    {"kills", "SIGKILLs survived", crew_.kills()},
                    {"kills_in_request", "  in the middle of a request", crew_.kills_in_request()},
                    {"interrupts", "SIGINTs survived in a request", crew_.interrupts()},
                    {"reloads", "unloaded and loaded again", books_.reloads()},
                    {"unloads_refused", "unloads refused while in use", books_.unloads_refused()},
                    {"checks", "checks of all accounts held", books_.checks()},
                    {"caches_dropped", "page caches dropped", board_.caches_dropped},
                    {"passes", "passes over known content", board_.passes},
                    {"holds", "times tied, mapped and given back", board_.holds},
                    {"bytes_verified", "bytes verified", board_.bytes_verified},
                    {"bytes_wrong", "bytes wrong", board_.bytes_wrong},
                    {"stress_ng_rounds", "stress-ng rounds", stressor_.rounds()}},
        .stress_ng = stressor_.failed()        ? "FAILED"
                     : stressor_.rounds() == 0 ? "never ended"
                                               : "passed",
        .broke = broke};
  }

  Order order_;
  std::mt19937_64 random_;
  soak::Board& board_ = lab::new_shared<soak::Board>();
  soak::Books books_;
  soak::Stressor stressor_;
  soak::Crew crew_;
  Clock::time_point begin_ = Clock::now();
};

int run(const Order& order) {
  std::printf("soak: %lld s, seed %llu\n", static_cast<long long>(order.duration.count()),
              static_cast<unsigned long long>(order.seed));
  std::fflush(stdout);
  Conductor conductor(order);
  std::string broke;
  try {
    conductor.run();
  } catch (const Wrong& wrong) {
    broke = wrong.what();
  }
  return conductor.conclude(broke);
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int index) {
    return index < argc ? std::strtoull(argv[index], nullptr, 10) : 0;
  };
  if (argc < 4 || argc > 5 || number(1) == 0 || number(3) == 0) {
    std::fputs("usage: soak SECONDS SEED CHECK_EVERY [PARAMETERS]\n", stderr);
    return 2;
  }
  try {
    return run({.duration = std::chrono::seconds(number(1)),
                .seed = number(2),
                .check_every = std::chrono::seconds(number(3)),
                .parameters = argc == 5 ? argv[4] : ""});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "soak: %s\n", error.what());
    return 1;
  }
}
