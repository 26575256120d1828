// SPDX-License-Identifier: MIT
// Prints one value of the JSON document on stdin, chosen by a JSON pointer, for shell tests.
// Only reads; says nothing about what a value should be.

#include <cstdlib>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace {

constexpr int not_found = 1;
constexpr int unusable = 2;

void print(const nlohmann::json& value) {
  // Strings bare, so that the shell can compare them; all else as JSON.
  if (value.is_string()) {
    std::cout << value.get_ref<const std::string&>() << '\n';
  } else {
    std::cout << value.dump() << '\n';
  }
}

int run(const std::vector<std::string>& arguments) {
  const bool length = !arguments.empty() && arguments.front() == "--len";
  if (arguments.size() != (length ? 2U : 1U)) {
    std::cerr << "usage: jsonget [--len] POINTER < DOCUMENT\n";
    return unusable;
  }
  const auto document = nlohmann::json::parse(std::cin);
  const nlohmann::json::json_pointer pointer(arguments.back());
  if (!document.contains(pointer)) {
    std::cerr << "jsonget: nothing at " << arguments.back() << '\n';
    return not_found;
  }
  const auto& value = document.at(pointer);
  if (!length) {
    print(value);
    return EXIT_SUCCESS;
  }
  if (!value.is_structured()) {
    std::cerr << "jsonget: no array or object at " << arguments.back() << '\n';
    return not_found;
  }
  std::cout << value.size() << '\n';
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "jsonget: " << error.what() << '\n';
    return unusable;
  }
}
