// SPDX-License-Identifier: MIT
// Every verb on a fake module that answers anything at all: with --json there is one JSON object
// with the keys of docs/cli.md and the values that the module told, without it there are lines.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <string>

#include "fake_channel.hpp"
#include "input.hpp"
#include "memplug/failure.hpp"
#include "report/report.hpp"
#include "report_schema.hpp"
#include "require.hpp"
#include "terminal/progress.hpp"
#include "verbs/list.hpp"
#include "verbs/plug.hpp"
#include "verbs/status.hpp"
#include "verbs/target.hpp"
#include "verbs/unplug.hpp"

namespace memplug::fuzz {
namespace {

constexpr std::size_t most_records = 8;
constexpr int most_waits = 4;

// A small number where the ABI has a name for some, and now and then one that it has none for.
std::uint32_t code(Input& input) {
  const auto byte = input.number<std::uint8_t>();
  return byte < 0xf0 ? byte % 16U : input.number<std::uint32_t>();
}

std::vector<memplug_range> ranges(Input& input) {
  std::vector<memplug_range> result(input.below(most_records));
  for (memplug_range& range : result) {
    range.start = input.quantity();
    range.length = input.quantity();
    range.flags = code(input);
    range.node = input.number<std::int32_t>();
    range.holder = input.number<std::int16_t>();
  }
  return result;
}

std::vector<memplug_blocked> blocked(Input& input) {
  std::vector<memplug_blocked> result(input.below(most_records));
  for (memplug_blocked& record : result) {
    record.start = input.quantity();
    record.length = input.quantity();
    record.pfn = input.quantity();
    record.reason = code(input);
    record.node = input.number<std::int16_t>();
  }
  return result;
}

void fill_info(memplug_info& info, Input& input) {
  info.out_managed_size = input.quantity();
  info.out_unplugged_size = input.quantity();
  info.out_wanted_size = input.quantity();
  info.out_target_size = input.flag() ? input.quantity() : MEMPLUG_NO_TARGET;
  info.out_floor_size = input.quantity();
  info.out_wanted_other_zone_size = input.quantity();
  info.out_target_state = code(input);
  info.out_others = code(input);
  info.out_features |= MEMPLUG_FEATURE_OTHERS;
  info.out_max_blocked = code(input);
  if (input.below(4) == 3) {
    info.out_abi_version = input.number<std::uint32_t>();
    info.out_page_size = input.number<std::uint32_t>();
    info.out_features = input.quantity();
    info.out_granularity = input.quantity();
    info.out_subblock_size = input.quantity();
    const std::string version = input.text(sizeof(info.out_module_version));
    std::copy(version.begin(), version.end(), std::begin(info.out_module_version));
  }
}

void fill_counters(memplug_counters& counters, Input& input) {
  for (auto* counter :
       {&counters.out_unplug_requests, &counters.out_plug_requests, &counters.out_claims,
        &counters.out_claims_failed, &counters.out_pages_migrated, &counters.out_survey_ns,
        &counters.out_claim_ns, &counters.out_oom_events, &counters.out_oom_pages}) {
    *counter = input.quantity();
  }
}

int error_number(Input& input) {
  constexpr std::array numbers{0,     0,          0,      0,     0,      EPERM, EBUSY,  EINVAL,
                               ENXIO, EOPNOTSUPP, ENOMEM, EINTR, ERANGE, E2BIG, ENOTTY, 9999};
  return numbers.at(input.below(numbers.size()));
}

int answer(memplug_request& request, Input& input) {
  test::put_ranges(request, ranges(input));
  test::put_blocked(request, blocked(input));
  request.out_flags |= code(input);
  request.out_stop = code(input);
  request.out_requested = input.flag() ? request.length : input.quantity();
  request.out_done = input.quantity();
  request.out_already = input.quantity();
  request.out_left = input.quantity();
  request.out_pages_migrated = input.quantity();
  request.out_elapsed_ns = input.quantity();
  request.out_bad_start = input.quantity();
  request.out_bad_length = input.quantity();
  request.out_bad_why = code(input);
  if (input.below(8) == 7) {
    // more than there was room for, as it says of itself
    request.out_ranges = input.number<std::uint32_t>();
    request.out_blocked = input.number<std::uint32_t>();
  }
  return error_number(input);
}

void fill(test::FakeModule& module, Input& input) {
  fill_info(module.info, input);
  fill_counters(module.counters, input);
  module.list_flags = code(input);
  module.first_version = input.flag();
  module.ranges = ranges(input);
  module.nodes.resize(input.below(most_records));
  for (memplug_node& node : module.nodes) {
    node.node = input.number<std::int32_t>();
    node.managed_size = input.quantity();
    node.unplugged_size = input.quantity();
  }
  module.answer = [&input](memplug_request& request) { return answer(request, input); };
  module.answer_target = [&module, &input](memplug_target& target) {
    module.info.out_target_size = target.target;
    module.info.out_target_state = code(input);
    return error_number(input);
  };
  // The last wait ends at the target, and a module that has no word for that has one then.
  module.answer_wait = [&module, &input](int earlier, std::chrono::milliseconds /*timeout*/) {
    const std::uint64_t target = module.info.out_target_size;
    if (input.flag()) {
      fill_info(module.info, input);
    }
    if (!input.flag()) {
      module.info.out_target_size = target;
    }
    if (earlier >= most_waits) {
      module.first_version = false;
      module.info.out_target_state = MEMPLUG_TARGET_REACHED;
      return 0;
    }
    constexpr std::array ends{0, ETIMEDOUT, EINTR, EBADF};
    return ends.at(input.below(ends.size()));
  };
}

std::string some_size(Input& input) {
  constexpr std::array sizes{"4M", "64M", "1G", "16E", "0", "5M", "15E", "4194303"};
  return sizes.at(input.below(sizes.size()));
}

std::string some_range(Input& input) {
  constexpr std::array some{"0x140000000+64M", "0x100000000-0x1ffffffff", "0x10+5",
                            "0xffffffffffc00000-0xffffffffffffffff"};
  return some.at(input.below(some.size()));
}

UnplugOptions unplug_options(Input& input) {
  UnplugOptions options;
  options.what = input.flag() ? some_size(input) : some_range(input);
  if (input.below(4) == 3) {
    options.within = some_range(input);
  }
  if (input.below(4) == 3) {
    options.node = "1";
  }
  options.contiguous = input.flag();
  if (options.contiguous && input.flag()) {
    options.align = some_size(input);
  }
  options.exact = input.flag();
  options.dry_run = input.flag();
  options.keep_watermarks = true;
  return options;
}

PlugOptions plug_options(Input& input) {
  PlugOptions options;
  options.all = input.flag();
  if (!options.all) {
    options.what = input.flag() ? some_size(input) : some_range(input);
  }
  options.dry_run = input.flag();
  options.keep_watermarks = true;
  return options;
}

TargetOptions target_options(Input& input) {
  TargetOptions options;
  options.wait = input.flag();
  options.what = options.wait || input.flag() ? some_size(input) : "none";
  options.keep_watermarks = true;
  return options;
}

// Runs the verb as main() does; returns the kind of object that has to be on stdout.
Schema run(Input& input, test::FakeModule& module, test::Captured& captured) {
  const OpenDevice open = test::opener(module);
  const Surroundings surroundings("/nonexistent");
  Output& output = captured.output;
  switch (input.below(5)) {
    case 0:
      static_cast<void>(run_status({}, open, output));
      return Schema::Status;
    case 1:
      static_cast<void>(run_list({}, open, output));
      return Schema::List;
    case 2:
      static_cast<void>(run_unplug(unplug_options(input), open, surroundings, output));
      return Schema::Unplug;
    case 3:
      static_cast<void>(run_plug(plug_options(input), open, surroundings, output));
      return Schema::Plug;
    default:
      static_cast<void>(run_target(target_options(input), open, surroundings, output));
      return Schema::Target;
  }
}

void check_refusal(std::optional<int> errno_of_it, const std::string& message) {
  require(!message.empty(), "a refusal says why");
  check_json(error_json(errno_of_it, message), Schema::Error);
}

void check_prose(const std::string& prose) {
  std::size_t begin = 0;
  while (begin < prose.size()) {
    const std::size_t end = prose.find('\n', begin);
    require(end != std::string::npos, "prose is whole lines", prose);
    require(prose.compare(begin, 12, "memplugctl: ") == 0, "each line says who speaks", prose);
    begin = end + 1;
  }
}

void check_progress(Input& input) {
  const Progress progress{Bytes{input.quantity()}, Bytes{input.quantity()}, Bytes{input.quantity()},
                          std::chrono::nanoseconds(input.number<std::int64_t>())};
  require(progress_line(Operation::Unplug, progress).find("unplugging ") == 0,
          "progress says what is done");
  const TargetProgress target{Bytes{input.quantity()}, Bytes{input.quantity()},
                              Bytes{input.quantity()}, TargetState::Working, progress.elapsed};
  require(progress_line(target).find("plugged ") == 0, "progress says what is plugged");
}

}  // namespace
}  // namespace memplug::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memplug::fuzz;
  Input input(data, size);
  memplug::test::FakeModule module;
  memplug::test::Captured captured;
  memplug::OutputStyle& style = captured.output.style;
  style.json = input.flag();
  style.bytes = input.flag();
  style.quiet = input.flag();
  style.verbose = input.flag();
  fill(module, input);
  try {
    const Schema schema = run(input, module, captured);
    if (style.json) {
      check_json(captured.data(), schema);
      check_against(captured.data(), schema, module);
    } else {
      check_text(captured.data());
    }
  } catch (const memplug::UsageError& error) {
    check_refusal(std::nullopt, error.what());
  } catch (const memplug::Failure& error) {
    check_refusal(error.code().value(), error.what());
  } catch (const std::system_error& error) {
    check_refusal(error.code().value(), error.what());
  }
  check_prose(captured.prose());
  check_progress(input);
  return 0;
}
