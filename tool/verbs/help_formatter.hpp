// SPDX-License-Identifier: MIT
// A verb's usage as its manual page has it: a word is shown as what it is, and in brackets only if
// it may be left out. CLI11 knows of none that it is needed, as what is missing is told by us.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>

namespace memplug {

class HelpFormatter : public CLI::Formatter {
 public:
  [[nodiscard]] std::string make_usage(const CLI::App* app, std::string name) const override {
    std::string text = CLI::Formatter::make_usage(app, std::move(name));
    const std::string optional = "[SUBCOMMAND]";
    if (const auto at = text.find(optional); at != std::string::npos) {
      text.replace(at, optional.size(), "SUBCOMMAND");
    }
    return text;
  }

  // The type of one that may be left out has the brackets.
  [[nodiscard]] std::string make_option_usage(const CLI::Option* option) const override {
    const bool several = option->get_expected_max() >= CLI::detail::expected_max_vector_size;
    return option->get_type_name() + (several ? " ..." : "");
  }
};

}  // namespace memplug
