// SPDX-License-Identifier: MIT
// The verb 'test': takes memory out, runs memtester on it, gives it back if it is good and keeps it
// out if it is bad.
#pragma once

#include <optional>
#include <string>

#include "machine/surroundings.hpp"
#include "memplug/device.hpp"
#include "quarantine/quarantine_file.hpp"
#include "ramtest/run.hpp"
#include "request/open_device.hpp"
#include "terminal/output.hpp"
#include "verbs/verb.hpp"

namespace memplug {

struct TestOptions {
  // Where memtester finds the device, by the time that this runs.
  const std::string* device_path = nullptr;
  std::optional<std::string> range{};
  bool all = false;
  std::optional<std::string> tests{};
  std::optional<std::string> loops{};
  std::optional<std::string> chunk{};
  std::optional<std::string> resume{};
  std::optional<std::string> memtester{};
  std::string file = default_quarantine_file;
  bool no_keep = false;
};

CLI::App* setup_test(CLI::App& app, TestOptions& options);
// Success: all of it is good. What it puts into quarantine is added to the file.
[[nodiscard]] ExitStatus run_test(const TestOptions& options, const OpenDevice& open_device,
                                  const Surroundings& surroundings, Output& output);

[[nodiscard]] Verb test_verb();

}  // namespace memplug
