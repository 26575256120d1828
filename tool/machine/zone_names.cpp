// SPDX-License-Identifier: MIT
// /proc/zoneinfo for nodes; valid_zones of a memory block that is online for addresses.
#include "machine/zone_names.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <sstream>

namespace memplug {
namespace {

// The kernel writes "Movable", as well as "DMA32".
std::string in_capitals(std::string name) {
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return "ZONE_" + name;
}

}  // namespace

std::string ZoneNames::of_address(PhysAddr address) const {
  const std::string folder = root_ + "/sys/devices/system/memory/";
  std::uint64_t block_size = 0;
  std::ifstream(folder + "block_size_bytes") >> std::hex >> block_size;
  if (block_size == 0) {
    return "";
  }
  std::ifstream file(folder + "memory" + std::to_string(address.value / block_size) +
                     "/valid_zones");
  std::string name;
  return file >> name && name != "none" ? in_capitals(name) : "";
}

std::vector<std::string> ZoneNames::of_node(int node) const {
  std::ifstream file(root_ + "/proc/zoneinfo");
  std::vector<std::string> names;
  std::string name;
  // "Node 0, zone   Normal", and some lines below "        managed  1007616".
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first;
    std::string zone;
    int number = -1;
    char comma = 0;
    words >> first;
    if (first == "Node") {
      const bool is_zone = words >> number >> comma >> zone >> name && zone == "zone";
      name = is_zone && number == node ? name : "";
    } else if (first == "managed" && !name.empty()) {
      std::uint64_t pages = 0;
      if (words >> pages && pages != 0) {
        names.push_back(in_capitals(name));
      }
      name.clear();
    }
  }
  return names;
}

}  // namespace memplug
