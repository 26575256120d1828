// SPDX-License-Identifier: MIT
#include "verbs/unplug_options.hpp"

#include "memplug/failure.hpp"
#include "request/request.hpp"
#include "verbs/option_text.hpp"

namespace memplug {
namespace {

void reject_with_range(bool given, const std::string& option) {
  if (given) {
    throw UsageError(option + " goes with a SIZE only: a RANGE already says where");
  }
}

}  // namespace

void add_unplug_options(CLI::App& verb, UnplugOptions& options) {
  add_text(verb, "what", "SIZE|RANGE", options.what,
           "how much (64M, 1.5G, 2GiB) or exactly what (0xFIRST-0xLAST inclusive, 0xFIRST+SIZE)");
  add_text(verb, "--node", "N", options.node, "only memory of this NUMA node");
  add_text(verb, "--within", "RANGE", options.within, "only memory inside this range");
  add_zone(verb, options.zone);
  verb.add_flag("--contiguous", options.contiguous, "one physically contiguous run, or nothing");
  add_text(verb, "--align", "SIZE", options.align,
           "with --contiguous: the run begins at a multiple of this power of two");
  add_text(verb, "--timeout", "T", options.timeout,
           "begin nothing new after this time (500ms, 30s, 5m)");
  verb.add_flag("--dry-run", options.dry_run, "only tell what would be done");
  add_keep_watermarks(verb, options.keep_watermarks);
  add_force(verb, options.force);
}

Request to_request(const UnplugOptions& options) {
  if (!options.what) {
    throw UsageError("a SIZE or a RANGE is needed, such as 512M or 0x140000000+64M");
  }
  Request request;
  request.operation = Operation::Unplug;
  set_size_or_range(request, *options.what);
  request.node = parse_option("--node", options.node, parse_node);
  request.window = parse_option("--within", options.within, parse_range);
  request.zone = parse_option("--zone", options.zone, parse_zone).value_or(request.zone);
  request.contiguous = options.contiguous;
  request.exact = options.exact;
  request.dry_run = options.dry_run;
  request.align = parse_option("--align", options.align, parse_align).value_or(request.align);
  request.timeout = parse_timeout(options.timeout).value_or(request.timeout);
  if (request.start) {
    reject_with_range(options.node.has_value(), "--node");
    reject_with_range(options.within.has_value(), "--within");
    reject_with_range(options.zone.has_value(), "--zone");
    reject_with_range(options.contiguous, "--contiguous");
    reject_with_range(options.align.has_value(), "--align");
  }
  if (options.align && !options.contiguous) {
    throw UsageError("--align needs --contiguous: it is where the one run begins");
  }
  return request;
}

}  // namespace memplug
