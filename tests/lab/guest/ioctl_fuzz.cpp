// SPDX-License-Identifier: MIT
// Fuzzes /dev/memplug: several processes make up sequences of calls, guided by what they reach, and
// the accounts of memplug and the kernel are compared while they lie still. Ends with 1, and the
// seed, if anything is not as it should be. What it prints as 'fuzz: NAME=VALUE...' is for scripts.
//
//   ioctl_fuzz --seconds N | --calls N [--processes N] [--seed S] [--check-every SECONDS]
//              [--pressure] [--hotplug] [--corpus DIR]... [--save DIR] [--journal FILE]
//              [--complete]
//   ioctl_fuzz --replay FILE...
#include "fuzz_crew.hpp"
#include "fuzz_report.hpp"

namespace {

using namespace fuzz;

struct Options {
  Plan plan;
  std::vector<std::string> corpus;
  std::string save;
  std::vector<std::string> replay;
  bool complete = false;
};

[[noreturn]] void usage() {
  std::fputs(
      "usage: ioctl_fuzz --seconds N | --calls N [--processes N] [--seed S]\n"
      "                  [--check-every S] [--slowness N] [--pressure] [--hotplug]\n"
      "                  [--corpus DIR]... [--save DIR] [--journal FILE] [--complete]\n"
      "       ioctl_fuzz --replay FILE...\n",
      stderr);
  std::exit(2);
}

Options parse(const std::vector<std::string>& words) {
  Options options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto value = [&]() -> const std::string& {
      if (i + 1 == words.size()) {
        usage();
      }
      return words[++i];
    };
    const auto number = [&] {
      const auto parsed = parse_number(value());
      return parsed ? *parsed : (usage(), 0);
    };
    if (word == "--seconds") {
      options.plan.duration = std::chrono::seconds(number());
    } else if (word == "--calls") {
      options.plan.calls = number();
    } else if (word == "--processes") {
      options.plan.processes = number();
    } else if (word == "--seed") {
      options.plan.seed = number();
    } else if (word == "--check-every") {
      options.plan.check_every = std::chrono::seconds(number());
    } else if (word == "--pressure") {
      options.plan.pressure = true;
    } else if (word == "--slowness") {
      // What is done from time to time takes longer on such a kernel, and is not to take over.
      options.plan.slowness = static_cast<std::int64_t>(number());
      options.plan.check_every *= options.plan.slowness;
      options.plan.kill_every *= options.plan.slowness;
    } else if (word == "--hotplug") {
      options.plan.hotplug = true;
    } else if (word == "--corpus") {
      options.corpus.push_back(value());
    } else if (word == "--save") {
      options.save = value();
    } else if (word == "--journal") {
      options.plan.journal = value();
    } else if (word == "--complete") {
      options.complete = true;
    } else if (word == "--replay") {
      options.replay.assign(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      i = words.size();
    } else {
      usage();
    }
  }
  const bool bounded = options.plan.duration.count() != 0 || options.plan.calls != 0;
  if (bounded == !options.replay.empty() || options.plan.processes == 0 ||
      options.plan.processes + 2 > max_processes) {
    usage();
  }
  return options;
}

// The inputs of a folder; one that has none is most likely misspelt.
std::vector<Sequence> read_corpus(const std::string& folder, std::uint64_t subblock) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") {
      paths.push_back(entry.path());
    }
  }
  if (paths.empty()) {
    lab::die("%s has no inputs", folder.c_str());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Sequence> inputs;
  for (const auto& path : paths) {
    std::ifstream in(path);
    inputs.push_back(parse_sequence(in, path, subblock));
  }
  return inputs;
}

int replay(const std::vector<std::string>& names) {
  Books books;
  Caller caller;
  int bad = 0;
  for (const std::string& name : names) {
    std::ifstream in(name);
    const Sequence sequence = parse_sequence(in, name, books.device().info().out_subblock_size);
    if (!in.eof() || sequence.count == 0) {
      lab::die("%s can't be read, or has no calls", name.c_str());
    }
    std::printf("%s\n", name.c_str());
    caller.restore();
    for (const Call& call : sequence) {
      const Answer answer = caller.perform(call);
      if (call.is_call()) {
        std::printf("  %s -> %s%s\n", text_of(call).c_str(),
                    errno_name(static_cast<std::size_t>(answer.error)).c_str(),
                    answer.claimed ? ", claimed memory" : "");
      }
      if (answer.wrong != nullptr) {
        std::printf("  WRONG: %s\n", answer.wrong);
        ++bad;
      }
      std::fflush(stdout);
    }
    // Inputs do not build upon each other.
    caller.let_go();
    books.plug_everything();
  }
  books.check();
  std::printf("fuzz: replayed=%zu wrong=%d\n", names.size(), bad);
  return bad == 0 ? 0 : 1;
}

// Writes those kept inputs that reach what neither the given ones nor shorter ones do: each is
// carried out once more, alone.
std::size_t save_new(const Corpus& corpus, const std::vector<Sequence>& given,
                     const std::string& folder) {
  constexpr std::size_t most = 60;
  std::vector<Sequence> kept;
  for (std::uint32_t i = 0; i < corpus.size(); ++i) {
    if (const Sequence* sequence = corpus.at(i)) {
      kept.push_back(*sequence);
    }
  }
  std::stable_sort(kept.begin(), kept.end(),
                   [](const Sequence& a, const Sequence& b) { return a.count < b.count; });
  const auto reached = std::make_unique<Reached>();
  Caller caller;
  Coverage coverage;
  const auto reaches_more = [&](const Sequence& sequence) {
    bool more = false;
    caller.let_go();
    caller.restore();
    for (Call call : sequence) {
      call.expected = -1;
      coverage.begin();
      const Answer answer = caller.perform(call);
      more = coverage.collect(*reached) != 0 || more;
      more = (call.is_call() && reached->add_answer(answer.signature)) || more;
    }
    return more;
  };
  std::for_each(given.begin(), given.end(), reaches_more);
  const auto deadline = Clock::now() + std::chrono::seconds(60);
  std::size_t written = 0;
  for (const Sequence& sequence : kept) {
    if (written == most || Clock::now() > deadline) {
      break;
    }
    if (reaches_more(sequence)) {
      std::array<char, 32> name{};
      std::snprintf(name.data(), name.size(), "new-%02zu.txt", ++written);
      std::ofstream out(std::filesystem::path(folder) / name.data());
      out << "# SPDX-License-Identifier: MIT\n" << text_of(sequence);
    }
  }
  return written;
}

int fuzz_device(const Options& options) {
  auto& board = lab::new_shared<Board>();
  const std::uint64_t subblock = lab::Device(O_RDONLY).info().out_subblock_size;
  std::vector<Sequence> given;
  for (const std::string& folder : options.corpus) {
    const std::vector<Sequence> inputs = read_corpus(folder, subblock);
    given.insert(given.end(), inputs.begin(), inputs.end());
  }
  for (const Sequence& sequence : given) {
    board.corpus.keep(sequence);
  }
  const Plan& plan = options.plan;
  std::printf("fuzz: seed=%llu processes=%zu inputs=%zu\n",
              static_cast<unsigned long long>(plan.seed), plan.processes, given.size());
  if (!Coverage::is_there()) {
    std::puts("no KCOV in this kernel: guided by the answers alone");
  }
  if (!plan.journal.empty()) {
    std::ofstream(plan.journal) << std::string(plan.processes * Journal::block, '\0');
    ::sync();
  }
  Crew crew(board, plan);
  crew.run();
  print_table(board);
  const std::size_t unseen = print_unseen(board, crew.injects());
  std::size_t saved = 0;
  if (!options.save.empty()) {
    saved = save_new(board.corpus, given, options.save);
    crew.books().plug_everything();
    crew.books().check();
  }
  const Totals totals = totals_of(board);
  std::printf(
      "fuzz: calls=%llu passed=%llu passed_percent=%llu claimed=%llu seconds=%.0f unseen=%zu\n"
      "fuzz: edges=%u answers=%u kept=%u new_inputs=%zu kills=%llu checks=%llu faults=%llu "
      "late_faults=%llu blocks_cycled=%llu mib_dirtied=%llu\n",
      static_cast<unsigned long long>(totals.calls), static_cast<unsigned long long>(totals.passed),
      static_cast<unsigned long long>(totals.passed) * 100 /
          std::max<std::uint64_t>(1, totals.calls),
      static_cast<unsigned long long>(totals.claimed), crew.seconds(), unseen,
      board.reached.edges(), board.reached.answers(), board.corpus.size(), saved,
      static_cast<unsigned long long>(crew.kills()),
      static_cast<unsigned long long>(crew.books().checks()),
      static_cast<unsigned long long>(board.faults_injected),
      static_cast<unsigned long long>(board.late_plug_faults.load()) + board.late_unplug_faults,
      static_cast<unsigned long long>(board.blocks_cycled),
      static_cast<unsigned long long>(board.pages_dirtied.load()) / 256);
  return options.complete && unseen != 0 ? 1 : 0;
}

// A signal has to interrupt what it finds, and do nothing else.
void catch_signals() {
  struct sigaction action {};
  action.sa_handler = [](int /*number*/) {};
  for (const int number : {SIGALRM, SIGUSR1}) {
    if (::sigaction(number, &action, nullptr) != 0) {
      lab::die("sigaction: %s", std::strerror(errno));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse({argv + 1, argv + argc});
  catch_signals();
  return options.replay.empty() ? fuzz_device(options) : replay(options.replay);
}
