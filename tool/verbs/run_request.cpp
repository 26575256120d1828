// SPDX-License-Identifier: MIT
// The last part of a verb that makes a request: its report, what explains it, its exit status.
#include "verbs/run_request.hpp"

#include <string>
#include <system_error>

#include "report/report.hpp"
#include "report/shortfall.hpp"

namespace memplug {
namespace {

// Of an unplug from a node that has nothing to take from; empty: it has, or none was named.
std::string explain_node(const Request& request, const Result& result, Device& device,
                         const ZoneNames& zones) {
  if (!request.node || result.shortfall() == Bytes{}) {
    return "";
  }
  try {
    for (const NodeShare& node : device.nodes().nodes) {
      if (node.node == *request.node && node.managed != Bytes{}) {
        return "";
      }
    }
  } catch (const std::system_error&) {
    // The result counts, and is told in any case.
    return "";
  }
  return explain_node_without_memory(request, zones.of_node(*request.node));
}

ExitStatus status_of(const Result& result) {
  if (result.shortfall() == Bytes{}) {
    return ExitStatus::Success;
  }
  return result.done + result.already != Bytes{} ? ExitStatus::Partial : ExitStatus::Failure;
}

}  // namespace

void report(const Request& request, const Info& info, const Result& result, Device& device,
            const Surroundings& surroundings, Output& output) {
  output.give(output.style.json ? result_json(request, result)
                                : result_text(request, result, output.style));
  if (request.operation == Operation::Unplug) {
    output.explain([&] { return explain_others("unplug", info.others); });
  }
  output.explain([&] {
    const std::string node = explain_node(request, result, device, surroundings.zones);
    return node.empty() ? explain_result(request, info, result, output.style) : node;
  });
}

ExitStatus run_request(const Request& request, Manner manner, const OpenDevice& open_device,
                       const Surroundings& surroundings, Output& output) {
  Device device = open_device(Access::Write);
  const Info info = device.info();
  const Result result = carry_out(request, manner, device, info, surroundings, output);
  report(request, info, result, device, surroundings, output);
  return status_of(result);
}

}  // namespace memplug
