// SPDX-License-Identifier: MIT
// Runs a target once over each file of the folders named, for builds without libFuzzer. The first
// folder has to have some; the others need not be there.
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "input.hpp"

namespace {

std::vector<std::uint8_t> read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw std::runtime_error("cannot read " + path.string());
  }
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Tells each file before it runs: a crash is that of the last one told.
int replay(const std::filesystem::path& folder) {
  int files = 0;
  if (!std::filesystem::is_directory(folder)) {
    return files;
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::cout << entry.path().string() << std::endl;
    const std::vector<std::uint8_t> bytes = read(entry.path());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    ++files;
  }
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> folders(argv + 1, argv + argc);
    if (folders.empty() || replay(folders.front()) == 0) {
      std::cerr << "no input to replay in the first folder\n";
      return EXIT_FAILURE;
    }
    for (std::size_t i = 1; i < folders.size(); ++i) {
      replay(folders[i]);
    }
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return EXIT_FAILURE;
  }
}
