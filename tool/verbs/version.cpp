// SPDX-License-Identifier: MIT
// memplugctl version
#include "verbs/version.hpp"

#include <CLI/CLI.hpp>
#include <system_error>

#include "memplug.h"
#include "report/report.hpp"
#include "words/prose.hpp"

namespace memplug {

CLI::App* setup_version(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("version", "Show the versions of the tool and the module");
  verb->footer(looking_footer);
  return verb;
}

ExitStatus run_version(const OpenDevice& open_device, Output& output) {
  VersionReport report{MEMPLUG_VERSION, MEMPLUG_ABI_VERSION, std::nullopt, std::nullopt};
  std::string why_not;
  try {
    const Info info = open_device(Access::Read).info();
    report.module_version = info.module_version;
    report.module_abi = info.abi_version;
  } catch (const std::system_error& error) {
    // The tool has a version all the same.
    why_not = error.what();
  }
  output.give(output.style.json ? version_json(report) : version_text(report));
  if (!why_not.empty()) {
    output.explain([&] { return prose_line("version", "no module can be asked: " + why_not); });
  }
  return ExitStatus::Success;
}

Verb version_verb() {
  return {.setup = setup_version, .run = [](const Environment& environment) {
            return run_version(environment.open_device, environment.output);
          }};
}

}  // namespace memplug
