// SPDX-License-Identifier: MIT
// Reads what the kernel itself says about memory: each node's zones that memplug may take from, in
// /proc/zoneinfo, and the figures of /proc/meminfo. It must not ask memplug anything, for its
// answers are judged by it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "memplug_device.hpp"

namespace lab {

struct Zone {
  int node = 0;
  std::string name;           // as /proc/zoneinfo has it
  std::uint64_t spanned = 0;  // pages
  std::uint64_t present = 0;
  std::uint64_t managed = 0;
  std::uint64_t start_pfn = 0;

  [[nodiscard]] bool spans(std::uint64_t pfn, std::uint64_t pages) const {
    return pfn >= start_pfn && pfn + pages <= start_pfn + spanned;
  }
};

class TextFile {
 public:
  explicit TextFile(const char* path) : stream_(std::fopen(path, "re")) {
    if (stream_ == nullptr) {
      die("%s: %s", path, std::strerror(errno));
    }
  }
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;
  ~TextFile() { std::fclose(stream_); }

  bool next_line(char (&line)[512]) { return std::fgets(line, sizeof(line), stream_) != nullptr; }

 private:
  std::FILE* stream_;
};

// Every node's ZONE_NORMAL and ZONE_DMA32 that has pages.
inline std::vector<Zone> takeable_zones() {
  TextFile file("/proc/zoneinfo");
  std::vector<Zone> zones;
  Zone* current = nullptr;
  char line[512];
  while (file.next_line(line)) {
    int node = 0;
    char name[32];
    unsigned long long value = 0;
    if (std::sscanf(line, "Node %d, zone %31s", &node, name) == 2) {
      current = nullptr;
      if (std::string(name) == "Normal" || std::string(name) == "DMA32") {
        zones.push_back({.node = node, .name = name});
        current = &zones.back();
      }
    } else if (current == nullptr) {
      continue;
    } else if (std::sscanf(line, " spanned %llu", &value) == 1) {
      current->spanned = value;
    } else if (std::sscanf(line, " present %llu", &value) == 1) {
      current->present = value;
    } else if (std::sscanf(line, " managed %llu", &value) == 1) {
      current->managed = value;
    } else if (std::sscanf(line, " start_pfn: %llu", &value) == 1) {
      current->start_pfn = value;
    }
  }
  std::erase_if(zones, [](const Zone& zone) { return zone.present == 0; });
  return zones;
}

// Every node's ZONE_NORMAL that has pages: where memplug takes from unless it is told otherwise.
inline std::vector<Zone> normal_zones() {
  std::vector<Zone> zones = takeable_zones();
  std::erase_if(zones, [](const Zone& zone) { return zone.name != "Normal"; });
  return zones;
}

inline std::uint64_t meminfo_kib(const char* wanted) {
  TextFile file("/proc/meminfo");
  char line[512];
  char name[64];
  unsigned long long value = 0;
  while (file.next_line(line)) {
    if (std::sscanf(line, "%63[^:]: %llu kB", name, &value) == 2 && std::string(name) == wanted) {
      return value;
    }
  }
  die("/proc/meminfo has no %s", wanted);
}

inline std::uint64_t memtotal_kib() { return meminfo_kib("MemTotal"); }

}  // namespace lab
