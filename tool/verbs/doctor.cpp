// SPDX-License-Identifier: MIT
// memplugctl doctor
#include "verbs/doctor.hpp"

#include <memory>

#include "doctor/diagnosis.hpp"
#include "memplug/failure.hpp"
#include "report/report.hpp"
#include "verbs/option_text.hpp"

namespace memplug {
namespace {

DeviceAnswer ask(const OpenDevice& open_device) {
  DeviceAnswer answer;
  try {
    answer.info = open_device(Access::Read).info();
  } catch (const Failure& error) {
    answer.error_number = error.code().value();
    answer.message = error.what();
    answer.step = error.next_step();
  } catch (const std::system_error& error) {
    answer.error_number = error.code().value();
    answer.message = error.what();
  }
  return answer;
}

}  // namespace

CLI::App* setup_doctor(CLI::App& app, DoctorOptions& options) {
  CLI::App* verb = app.add_subcommand(
      "doctor", "Check whether this machine is fit for memplug, and tell what to do if not");
  add_text(*verb, "--module", "FILE", options.module_path,
           "the memplug.ko to look at (default: the one that is installed)");
  verb->footer(
      "The options of 'memplugctl --help' go with every verb.\n"
      "Exit status: 0 fit, 1 not fit or failed, 2 usage.");
  return verb;
}

ExitStatus run_doctor(const DoctorOptions& options, const OpenDevice& open_device,
                      const Machine& machine, Output& output) {
  if (options.module_path && options.module_path->empty()) {
    throw UsageError("--module: it is empty; give the path of a memplug.ko");
  }
  const Diagnosis diagnosis =
      diagnose(machine.read(options.module_path.value_or("")), ask(open_device), MEMPLUG_VERSION);
  output.give(output.style.json ? diagnosis_json(diagnosis)
                                : diagnosis_text(diagnosis, output.style));
  return diagnosis.fit() ? ExitStatus::Success : ExitStatus::Failure;
}

Verb doctor_verb() {
  const auto options = std::make_shared<DoctorOptions>();
  return {.setup = [options](CLI::App& app) { return setup_doctor(app, *options); },
          .run =
              [options](const Environment& environment) {
                return run_doctor(*options, environment.open_device, environment.machine,
                                  environment.output);
              }};
}

}  // namespace memplug
