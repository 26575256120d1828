// SPDX-License-Identifier: MIT
// The verb 'map': a picture of memory. Changes nothing.
#pragma once

#include <optional>
#include <string>

#include "memplug/device.hpp"
#include "report/map_picture.hpp"
#include "request/open_device.hpp"
#include "terminal/output.hpp"
#include "verbs/verb.hpp"

namespace memplug {

struct MapOptions {
  std::optional<std::string> within;
  std::optional<std::string> svg;
};

CLI::App* setup_map(CLI::App& app, MapOptions& options);
[[nodiscard]] ExitStatus run_map(const MapOptions& options, const OpenDevice& open_device,
                                 const Canvas& canvas, Output& output);

[[nodiscard]] Verb map_verb();

}  // namespace memplug
