// SPDX-License-Identifier: MIT
// Reads procfs, sysfs and the kernel's configuration.
#include "doctor/machine_facts.hpp"

#include <linux/capability.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <memory>
#include <sstream>

#include "memplug.h"
#include "memplug/device_file.hpp"
#include "other_drivers.hpp"

namespace memplug {
namespace {

namespace fs = std::filesystem;

constexpr std::array needed_options{"CONFIG_64BIT", "CONFIG_MODULES", "CONFIG_MEMORY_HOTPLUG",
                                    "CONFIG_CONTIG_ALLOC"};
// Where an out-of-tree module is installed below /lib/modules/RELEASE.
constexpr std::array install_folders{"updates/dkms", "updates", "extra"};
constexpr std::array module_names{"memplug.ko", "memplug.ko.xz", "memplug.ko.zst", "memplug.ko.gz"};

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// The whole of it; also of what is compressed with gzip.
std::optional<std::string> read_unpacked(const std::string& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(::gzopen(path.c_str(), "rbe"), ::gzclose);
  if (!file) {
    return std::nullopt;
  }
  std::string text;
  std::array<char, 65536> part{};
  int got = 0;
  while ((got = ::gzread(file.get(), part.data(), part.size())) > 0) {
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  return got < 0 ? std::nullopt : std::optional(text);
}

// Its first line.
std::optional<std::string> read_word(const std::string& path) {
  auto text = read_unpacked(path);
  if (text) {
    text->erase(std::min(text->find('\n'), text->size()));
  }
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(std::move(line));
  }
  return lines;
}

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

// The first number in a text; 0 if there is none.
std::uint64_t first_number(std::string_view text, int base = 10) {
  const std::size_t place = text.find_first_of(base == 16 ? "0123456789abcdef" : "0123456789");
  std::uint64_t number = 0;
  if (place != std::string_view::npos) {
    std::from_chars(text.data() + place, text.data() + text.size(), number, base);
  }
  return number;
}

// What follows the start of a line that begins so; empty: no line does.
std::string value_of(const std::string& text, std::string_view start) {
  for (const std::string& line : lines_of(text)) {
    if (starts_with(line, start)) {
      return line.substr(start.size());
    }
  }
  return "";
}

ModuleFile look_at_module(const std::string& path) {
  constexpr std::string_view vermagic = "vermagic=";
  constexpr std::string_view signature = "~Module signature appended~\n";
  ModuleFile file;
  file.path = path;
  const auto contents = read_unpacked(path).value_or("");
  const std::size_t place = contents.find(vermagic);
  if (place == std::string::npos) {
    return file;
  }
  const std::size_t begin = place + vermagic.size();
  file.release =
      contents.substr(begin, contents.find_first_of(std::string_view(" \0", 2), begin) - begin);
  file.is_signed =
      contents.size() >= signature.size() &&
      contents.compare(contents.size() - signature.size(), signature.size(), signature) == 0;
  return file;
}

std::optional<std::string> installed_module(const std::string& folder) {
  for (const char* place : install_folders) {
    for (const char* name : module_names) {
      const std::string path = folder + "/" + place + "/" + name;
      if (exists(path)) {
        return path;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

MachineFacts Machine::read(const std::string& module_path) const {
  MachineFacts facts;
  facts.release = read_word(at("/proc/sys/kernel/osrelease")).value_or("");
  read_config(facts);
  read_memory(facts);
  facts.others = drivers_at_work(at("/sys"));
  const std::string folder = at("/lib/modules/" + facts.release);
  facts.has_headers = exists(folder + "/build/Makefile");
  facts.loads_modules = read_word(at("/proc/sys/kernel/modules_disabled")).value_or("0") == "0";
  const std::string lockdown = read_word(at("/sys/kernel/security/lockdown")).value_or("");
  facts.wants_signatures =
      read_word(at("/sys/module/module/parameters/sig_enforce")).value_or("N") == "Y" ||
      lockdown.find("[integrity]") != std::string::npos ||
      lockdown.find("[confidentiality]") != std::string::npos;
  facts.module_file = find_module(module_path, facts.release);
  if (exists(at("/sys/module/memplug"))) {
    facts.loaded_version = read_word(at("/sys/module/memplug/version")).value_or("");
    facts.device_number = read_word(at("/sys/class/misc/" MEMPLUG_DEVICE_NAME "/dev"));
    facts.has_node = exists(at(default_device));
  }
  const std::uint64_t rights =
      first_number(value_of(read_unpacked(at("/proc/self/status")).value_or(""), "CapEff:"), 16);
  facts.can_administer = (rights >> CAP_SYS_ADMIN & 1U) != 0;
  return facts;
}

void Machine::read_config(MachineFacts& facts) const {
  for (const std::string& path : {std::string("/proc/config.gz"), "/boot/config-" + facts.release,
                                  "/lib/modules/" + facts.release + "/config",
                                  "/lib/modules/" + facts.release + "/build/.config"}) {
    const auto config = read_unpacked(at(path));
    if (!config) {
      continue;
    }
    facts.config_path = path;
    for (const char* option : needed_options) {
      if (value_of(*config, std::string(option) + "=") != "y") {
        facts.missing.emplace_back(option);
      }
    }
    break;
  }
  // Names are there for everybody; only addresses may be withheld.
  if (const auto symbols = read_unpacked(at("/proc/kallsyms"))) {
    facts.exports_claims = symbols->find(" alloc_contig_range") != std::string::npos;
  }
  facts.has_memory_blocks = exists(at("/sys/devices/system/memory/block_size_bytes"));
}

void Machine::read_memory(MachineFacts& facts) const {
  facts.memory = Bytes{
      first_number(value_of(read_unpacked(at("/proc/meminfo")).value_or(""), "MemTotal:")) * 1024};
  facts.brings_online_movable =
      read_word(at("/sys/devices/system/memory/auto_online_blocks")).value_or("") ==
      "online_movable";
  const auto page_size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  facts.watermark_scale =
      first_number(read_word(at("/proc/sys/vm/watermark_scale_factor")).value_or(""));
  facts.min_free =
      Bytes{first_number(read_word(at("/proc/sys/vm/min_free_kbytes")).value_or("")) * 1024};
  const auto is_told = [](const std::string& line, std::string_view name) {
    return starts_with(line, "        " + std::string(name) + " ");
  };
  std::string name;
  NormalZone zone;
  for (const std::string& line : lines_of(read_unpacked(at("/proc/zoneinfo")).value_or(""))) {
    const Bytes size{first_number(line) * page_size};
    if (starts_with(line, "Node ")) {
      zone = NormalZone{static_cast<int>(first_number(line)), {}, {}, {}, {}};
      name = line.substr(line.find_last_of(' ') + 1);
    } else if (is_told(line, "boost")) {
      zone.boost = size;
    } else if (is_told(line, "min")) {
      zone.min_watermark = size;
    } else if (is_told(line, "low")) {
      zone.low_watermark = size;
    } else if (is_told(line, "managed") && size.value > 0) {
      zone.managed = size;
      facts.in_all_zones += size;
      facts.has_movable_zone |= name == "Movable";
      if (name == "Normal") {
        facts.normal_zones.push_back(zone);
      }
    }
  }
}

std::optional<ModuleFile> Machine::find_module(const std::string& given,
                                               const std::string& release) const {
  if (!given.empty()) {
    return look_at_module(given);
  }
  const auto installed = [this](const std::string& name) -> std::optional<ModuleFile> {
    const auto path = installed_module(at("/lib/modules/" + name));
    if (!path) {
      return std::nullopt;
    }
    ModuleFile file = look_at_module(*path);
    file.path = path->substr(root_.size());
    file.installed = true;
    // What is compressed does not tell; where it lies does.
    file.release = file.release.value_or(name);
    return file;
  };
  if (auto file = installed(release)) {
    return file;
  }
  // None of the current folder: whoever may write there would choose what root is told to load.
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(at("/lib/modules"), ignored)) {
    if (auto file = installed(entry.path().filename())) {
      return file;
    }
  }
  return std::nullopt;
}

}  // namespace memplug
