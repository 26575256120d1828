// SPDX-License-Identifier: MIT
#include "request/refusals.hpp"

#include <cerrno>

#include "memplug/reason_words.hpp"

namespace memplug {

Failure older_module(const Info& info, std::string_view lacks) {
  return {ENOTTY,
          "the loaded module is older than this tool: " + info.module_version + " " +
              std::string(lacks),
          "load the module that belongs to this tool"};
}

void require_feature(const Info& info, std::uint64_t feature, std::string_view lacks) {
  if ((info.features & feature) == 0) {
    throw older_module(info, lacks);
  }
}

Failure unmanaged_failure(const Request& request, const UnmanagedError& error,
                          const ZoneNames& zones) {
  if (error.why() == BadWhy::None || error.part().size == Bytes{}) {
    if (request.node) {
      return {ENXIO, "node " + std::to_string(*request.node) + " is not online",
              "'memplugctl status' shows the nodes"};
    }
    return {ENXIO, "it is not managed memory", "'memplugctl status' shows what is managed"};
  }
  const Words words = words_for(error.why());
  const std::string zone = error.why() == BadWhy::Zone ? zones.of_address(error.part().start) : "";
  const std::string subject =
      request.window ? "nothing in --within " + print_range(*request.window) : "part of the range";
  return {
      ENXIO,
      subject + (request.window ? " is managed: " : " is not managed: ") +
          print_range(error.part()) + ": " +
          (zone.empty() ? std::string(words.what) : "it is in " + zone + ", which is not managed"),
      zone == "ZONE_MOVABLE" ? "bring it back in ZONE_NORMAL: offline its memory block, then "
                               "echo online_kernel > /sys/devices/system/memory/memoryN/state"
                             : std::string(words.step)};
}

std::string step_after_refusal(int error_number) {
  switch (error_number) {
    case EPERM:
      return "it needs CAP_SYS_ADMIN in the first user namespace; run it as root";
    case EBUSY:
    case ENOMEM:
      return "try again";
    case EOPNOTSUPP:
    case E2BIG:
      return "the module is older than this tool; load the one that belongs to it";
    default:
      return "";
  }
}

}  // namespace memplug
