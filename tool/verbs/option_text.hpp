// SPDX-License-Identifier: MIT
// Options as CLI11 hands them over: plain text, present or not. Parsing is quantity's.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "memplug/device.hpp"
#include "memplug/failure.hpp"
#include "memplug/quantity.hpp"

namespace memplug {

// CLI11 reads an empty value of an optional as "not given"; a function sees what was typed.
inline CLI::Option* add_text(CLI::App& app, const std::string& name, const std::string& type,
                             std::optional<std::string>& text, const std::string& description) {
  return app
      .add_option_function<std::string>(
          name, [&text](const std::string& value) { text = value; }, description)
      ->type_name(type);
}

// What parse makes of the text, if there is one; its UsageError gets the option's name.
template <typename Parse>
auto parse_option(const std::string& name, const std::optional<std::string>& text, Parse parse)
    -> std::optional<decltype(parse(*text))> {
  if (!text) {
    return std::nullopt;
  }
  try {
    return parse(*text);
  } catch (const UsageError& error) {
    throw UsageError(name + ": " + error.what());
  }
}

inline void add_force(CLI::App& app, bool& force) {
  app.add_flag("--force", force,
               "with vm.overcommit_memory=2: also what processes were promised (Committed_AS)");
}

inline void add_keep_watermarks(CLI::App& app, bool& keep) {
  app.add_flag("--keep-watermarks", keep,
               "do not have the kernel recompute the zones' watermarks afterwards");
}

inline void add_zone(CLI::App& app, std::optional<std::string>& text) {
  add_text(app, "--zone", "ZONE", text,
           "only memory of ZONE_NORMAL (normal), or of the zones below it (dma32)");
}

inline ZoneChoice parse_zone(const std::string& text) {
  if (text == "normal") {
    return ZoneChoice::Normal;
  }
  if (text == "dma32") {
    return ZoneChoice::Low;
  }
  throw UsageError("'" + text + "' is neither normal nor dma32");
}

// The value of --align; whether it suits the device is not known here.
inline Bytes parse_align(const std::string& text) {
  const Bytes align = parse_size(text);
  if (align == Bytes{}) {
    throw UsageError(text + ": an alignment is a power of two, such as 1G");
  }
  return align;
}

// The value of --timeout.
inline std::optional<std::chrono::nanoseconds> parse_timeout(
    const std::optional<std::string>& text) {
  const auto timeout = parse_option("--timeout", text, parse_duration);
  if (timeout && timeout->count() == 0) {
    throw UsageError("--timeout " + *text +
                     ": it leaves no time; for no limit leave --timeout out");
  }
  return timeout;
}

}  // namespace memplug
