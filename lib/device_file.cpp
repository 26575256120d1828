// SPDX-License-Identifier: MIT
// The descriptor of the device node, and the only ioctl() on it.
#include "memplug/device_file.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "channel.hpp"
#include "file_descriptor.hpp"
#include "memplug/failure.hpp"
#include "wait_for_input.hpp"

namespace memplug {
namespace {

class DeviceFile final : public Channel {
 public:
  DeviceFile(const std::string& path, int flags)
      : descriptor_(::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {}

  [[nodiscard]] bool is_open() const { return descriptor_.is_open(); }

  int info(memplug_info& info) override { return call(MEMPLUG_IOC_INFO, &info); }
  int nodes(memplug_nodes& nodes) override { return call(MEMPLUG_IOC_NODES, &nodes); }
  int list(memplug_list& list) override { return call(MEMPLUG_IOC_LIST, &list); }
  int counters(memplug_counters& counters) override {
    return call(MEMPLUG_IOC_COUNTERS, &counters);
  }
  int progress(memplug_progress& progress) override {
    return call(MEMPLUG_IOC_PROGRESS, &progress);
  }
  int unplug(memplug_request& request) override { return call(MEMPLUG_IOC_UNPLUG, &request); }
  int plug(memplug_request& request) override { return call(MEMPLUG_IOC_PLUG, &request); }
  int target(memplug_target& target) override { return call(MEMPLUG_IOC_TARGET, &target); }
  int survey(memplug_survey& survey) override { return call(MEMPLUG_IOC_SURVEY, &survey); }
  int quarantine(memplug_quarantine& quarantine) override {
    return call(MEMPLUG_IOC_QUARANTINE, &quarantine);
  }
  int wait(std::chrono::milliseconds timeout) override {
    return wait_for_input(descriptor_.number(), timeout);
  }
  int read(std::vector<memplug_event>& events) override {
    events.resize(events_in_read);
    const ssize_t got =
        ::read(descriptor_.number(), events.data(), events.size() * sizeof(memplug_event));
    const int error_number = got < 0 ? errno : 0;
    events.resize(got > 0 ? static_cast<std::size_t>(got) / sizeof(memplug_event) : 0);
    // The device never gives nothing without an error.
    return got == 0 ? EPROTO : error_number;
  }
  [[nodiscard]] int descriptor() const override { return descriptor_.number(); }

 private:
  // More than the module gives at once.
  static constexpr std::size_t events_in_read = 64;

  int call(unsigned long command, void* argument) const {
    return ::ioctl(descriptor_.number(), command, argument) == 0 ? 0 : errno;
  }

  FileDescriptor descriptor_;
};

std::string step_after_open(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return "is the module loaded? Load it with 'modprobe memplug'";
    case EACCES:
    case EPERM:
      return "run it as root";
    default:
      return "";
  }
}

}  // namespace

Device open_device(const std::string& path, Access access) {
  auto file = std::make_unique<DeviceFile>(path, access == Access::Write ? O_RDWR : O_RDONLY);
  if (!file->is_open()) {
    const int error_number = errno;
    throw Failure(error_number, with_reason("cannot open " + path, error_number),
                  step_after_open(error_number));
  }
  memplug_info abi{};
  abi.size = sizeof(abi);
  const int error_number = file->info(abi);
  if (error_number == ENOTTY) {
    throw Failure(ENOTTY, path + " is not memplug's device",
                  "the node that the module made is /dev/memplug");
  }
  if (error_number != 0) {
    throw Failure(error_number, with_reason("cannot talk to " + path, error_number), "");
  }
  if (abi.out_abi_version != MEMPLUG_ABI_VERSION) {
    throw Failure(EPROTONOSUPPORT,
                  "the module speaks ABI version " + std::to_string(abi.out_abi_version) +
                      ", this program " + std::to_string(MEMPLUG_ABI_VERSION),
                  "use a program that belongs to the loaded module");
  }
  return Device(std::move(file), "/sys");
}

}  // namespace memplug
