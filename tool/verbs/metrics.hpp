// SPDX-License-Identifier: MIT
// The verb 'metrics': the status for Prometheus. Needs no privilege.
#pragma once

#include "memplug/device.hpp"
#include "request/open_device.hpp"
#include "terminal/output.hpp"
#include "verbs/verb.hpp"

namespace memplug {

struct MetricsOptions {};

CLI::App* setup_metrics(CLI::App& app, MetricsOptions& options);
[[nodiscard]] ExitStatus run_metrics(const MetricsOptions& options, const OpenDevice& open_device,
                                     Output& output);

[[nodiscard]] Verb metrics_verb();

}  // namespace memplug
