// SPDX-License-Identifier: MIT
// memplugctl map
#include "verbs/map.hpp"

#include <cerrno>
#include <fstream>
#include <memory>

#include "look/map.hpp"
#include "look/survey.hpp"
#include "memplug.h"
#include "memplug/failure.hpp"
#include "report/report.hpp"
#include "report/shortfall.hpp"
#include "request/refusals.hpp"
#include "request/request.hpp"
#include "verbs/option_text.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

constexpr std::size_t lines_in_text = 32;
constexpr std::size_t cells_in_svg = 4096;

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) {
    const int error_number = errno;
    throw Failure(error_number, with_reason("cannot write --svg " + path, error_number),
                  "give a file that can be written");
  }
}

}  // namespace

CLI::App* setup_map(CLI::App& app, MapOptions& options) {
  CLI::App* verb = app.add_subcommand("map", "Show a picture of memory");
  add_text(*verb, "--within", "RANGE", options.within, "show this range only");
  add_text(*verb, "--svg", "FILE", options.svg,
           "write the picture to this file, as SVG; -: to stdout");
  verb->footer(looking_footer);
  return verb;
}

ExitStatus run_map(const MapOptions& options, const OpenDevice& open_device, const Canvas& canvas,
                   Output& output) {
  const auto within = parse_option("--within", options.within, parse_range);
  if (options.svg && options.svg->empty()) {
    throw UsageError("--svg: a file name is needed");
  }
  if (options.svg == "-" && output.style.json) {
    throw UsageError("--svg - and --json both take stdout");
  }
  Device device = open_device(Access::Read);
  const Info info = device.info();
  require_feature(info, MEMPLUG_FEATURE_SURVEY, lacks_survey);
  const auto stretches =
      device.survey(within ? widened("map", *within, info.subblock, output) : all_memory());
  const std::size_t max_cells = options.svg ? cells_in_svg : lines_in_text * cells_in_line(canvas);
  const Map map = draw_map(stretches, info.subblock, max_cells);
  if (options.svg == "-") {
    output.give(map_svg(map, output.style));
  } else if (options.svg) {
    write_file(*options.svg, map_svg(map, output.style));
  }
  if (output.style.json) {
    output.give(map_json(map));
  } else if (!options.svg) {
    output.give(map_text(map, canvas, output.style));
  }
  if (info.managed == Bytes{}) {
    output.explain([] {
      return prose_line("map", why_nothing_is_managed()) +
             prose_line("map", step_if_nothing_is_managed());
    });
  }
  return ExitStatus::Success;
}

Verb map_verb() {
  const auto options = std::make_shared<MapOptions>();
  return {.setup = [options](CLI::App& app) { return setup_map(app, *options); },
          .run =
              [options](const Environment& environment) {
                return run_map(*options, environment.open_device, environment.canvas,
                               environment.output);
              }};
}

}  // namespace memplug
