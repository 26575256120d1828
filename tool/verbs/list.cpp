// SPDX-License-Identifier: MIT
// memplugctl list
#include "verbs/list.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "memplug/failure.hpp"
#include "report/report.hpp"
#include "verbs/option_text.hpp"
#include "words/names.hpp"

namespace memplug {
namespace {

constexpr std::array<std::string_view, 4> states{"ordinary", "tied", "mapped", "quarantined"};

struct Order {
  std::optional<int> node;
  std::optional<std::string> state;
  ListLayout layout;
};

std::string parse_state(const std::string& text) {
  if (std::ranges::find(states, text) == states.end()) {
    throw UsageError("'" + text +
                     "' is no state of a range; there are ordinary, tied, mapped and quarantined");
  }
  return text;
}

Order to_order(const ListOptions& options, const OutputStyle& style) {
  if (style.json && (options.columns || options.raw || options.no_headings)) {
    throw UsageError(
        "--output, --raw and --noheadings do not go with --json, which has everything");
  }
  Order order;
  order.node = parse_option("--node", options.node, parse_node);
  order.state = parse_option("--state", options.state, parse_state);
  order.layout.headings = !options.no_headings;
  order.layout.raw = options.raw;
  if (options.columns) {
    order.layout.columns = parse_columns(*options.columns);
  }
  return order;
}

// "tied:1234" is tied.
bool is_in_state(const HeldRange& held, const std::string& wanted) {
  return std::ranges::any_of(range_states(held), [&wanted](const std::string& state) {
    return state.substr(0, state.find(':')) == wanted;
  });
}

}  // namespace

CLI::App* setup_list(CLI::App& app, ListOptions& options) {
  CLI::App* verb = app.add_subcommand("list", "Show the unplugged ranges");
  add_text(*verb, "--node", "N", options.node, "only those of this NUMA node");
  add_text(*verb, "--state", "STATE", options.state,
           "only those that are ordinary, tied, mapped or quarantined");
  add_text(*verb, "-o,--output", "COLUMNS", options.columns,
           "these columns, with commas: RANGE, START, END, SIZE, NODE, STATE");
  verb->add_flag("-n,--noheadings", options.no_headings, "only the rows");
  verb->add_flag("-r,--raw", options.raw, "a space between columns, no padding, no sum");
  verb->footer(looking_footer);
  return verb;
}

ExitStatus run_list(const ListOptions& options, const OpenDevice& open_device, Output& output) {
  const Order order = to_order(options, output.style);
  RangeList list = open_device(Access::Read).list();
  std::erase_if(list.ranges, [&order](const HeldRange& held) {
    return (order.node && held.node != *order.node) ||
           (order.state && !is_in_state(held, *order.state));
  });
  output.give(output.style.json ? list_json(list.ranges)
                                : list_text(list.ranges, output.style, order.layout));
  return ExitStatus::Success;
}

Verb list_verb() {
  const auto options = std::make_shared<ListOptions>();
  return {.setup = [options](CLI::App& app) { return setup_list(app, *options); },
          .run =
              [options](const Environment& environment) {
                return run_list(*options, environment.open_device, environment.output);
              }};
}

}  // namespace memplug
