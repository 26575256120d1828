// SPDX-License-Identifier: MIT
// What /proc/meminfo tells.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "memplug/quantity.hpp"

namespace memplug {

class Meminfo {
 public:
  // Where /proc is: tests give it a root of their own.
  explicit Meminfo(const std::string& root) : path_(root + "/proc/meminfo") {}

  // The size of that name, such as "MemTotal"; nothing: it has none.
  [[nodiscard]] std::optional<Bytes> size(std::string_view name) const;

 private:
  std::string path_;
};

}  // namespace memplug
