// SPDX-License-Identifier: MIT
// The verb 'doctor': whether this machine is fit for memplug, and what to do if not. Changes
// nothing.
#pragma once

#include <optional>
#include <string>

#include "doctor/machine_facts.hpp"
#include "memplug/device.hpp"
#include "request/open_device.hpp"
#include "terminal/output.hpp"
#include "verbs/verb.hpp"

namespace memplug {

struct DoctorOptions {
  std::optional<std::string> module_path;
};

CLI::App* setup_doctor(CLI::App& app, DoctorOptions& options);
// Success: fit. It opens the device that --device names.
[[nodiscard]] ExitStatus run_doctor(const DoctorOptions& options, const OpenDevice& open_device,
                                    const Machine& machine, Output& output);

[[nodiscard]] Verb doctor_verb();

}  // namespace memplug
