// SPDX-License-Identifier: MIT
// lab: also-32bit
// Who may do what: a read-only descriptor, no CAP_SYS_ADMIN, root of another user namespace. The
// rights are looked at before the argument is, at every call, and addresses are withheld.
#include <linux/capability.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>

#include "ioctl_rows.hpp"

namespace {

using lab::Command;
using lab::Device;
using lab::die;
using lab::Table;

// Leaves only these capabilities. Bits of the first 32: CAP_SYS_ADMIN is among them.
void keep_capabilities(std::uint32_t mask) {
  __user_cap_header_struct header{};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  data[0].effective = mask;
  data[0].permitted = mask;
  if (::syscall(SYS_capset, &header, data.data()) != 0) {
    die("capset: %s", std::strerror(errno));
  }
}

// Capabilities can't be regained, so every kind of caller is a child. Its rows are printed by it
// and counted here as one.
template <typename Body>
void as_child(Table& table, const char* who, Body body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) {
    die("fork: %s", std::strerror(errno));
  }
  if (child == 0) {
    Table own(who);
    body(own);
    std::exit(own.finish());
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child) {
    die("waitpid: %s", std::strerror(errno));
  }
  table.claim(who, WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void expect_reads_only(Table& table, const Device& device, int wanted) {
  const std::uint64_t subblock = device.info().out_subblock_size;
  for (const Command& command : lab::commands()) {
    std::vector<std::byte> argument = lab::harmless(command, subblock);
    const std::string name = command.name;
    if (!command.writes) {
      table.row(name, device.call(command.number, argument.data()),
                command.reads_memory && wanted == EPERM ? EPERM : 0);
      continue;
    }
    table.row(name + " as a dry run", device.call(command.number, argument.data()), wanted);
    lab::put_word(argument.data(), 4, 0);
    table.row(name, device.call(command.number, argument.data()), wanted);
    table.row(name + " with a bad pointer", device.call(command.number, nullptr), wanted);
    lab::put_word(argument.data(), 0, 0);
    table.row(name + " with a bad size", device.call(command.number, argument.data()), wanted);
  }
  table.row("unknown command", device.call(_IO(MEMPLUG_IOC_TYPE, 0x7f), nullptr), ENOTTY);
}

void expect_withheld(Table& table, const Device& device, bool withheld) {
  std::vector<memplug_range> ranges(16);
  auto list = lab::sized<memplug_list>();
  list.ranges = lab::user_pointer(ranges.data());
  list.capacity = static_cast<std::uint32_t>(ranges.size());
  table.row("LIST of something", device.call(MEMPLUG_IOC_LIST, &list), 0);
  table.claim("it has a record with a length", list.out_count > 0 && ranges[0].length > 0);
  table.claim(withheld ? "WITHHELD is set" : "WITHHELD is not set",
              (list.out_flags & MEMPLUG_OUT_WITHHELD) == (withheld ? MEMPLUG_OUT_WITHHELD : 0));
  bool as_wanted = true;
  for (std::uint32_t i = 0; i < list.out_count; ++i) {
    as_wanted = as_wanted && (ranges[i].start == 0) == withheld;
  }
  table.claim(withheld ? "every start reads 0" : "every start is told", as_wanted);
}

memplug_request whole(unsigned long flags, std::uint64_t length) {
  auto request = lab::sized<memplug_request>();
  request.flags = static_cast<std::uint32_t>(flags);
  request.length = length;
  return request;
}

}  // namespace

int main() {
  Table table("rights");
  const Device device(O_RDWR);
  struct stat node {};
  if (::stat(lab::device_path, &node) != 0) {
    die("stat %s: %s", lab::device_path, std::strerror(errno));
  }
  table.claim("the device node is mode 0600 and root's",
              S_ISCHR(node.st_mode) && (node.st_mode & 07777) == 0600 && node.st_uid == 0);

  // Something must be there to be withheld.
  auto request = whole(0, device.info().out_subblock_size);
  if (device.call(MEMPLUG_IOC_UNPLUG, &request) != 0 || request.out_done == 0) {
    die("nothing could be unplugged to begin with");
  }
  table.rebase();
  expect_withheld(table, device, false);

  as_child(table, "a read-only descriptor", [](Table& own) {
    expect_reads_only(own, Device(O_RDONLY), EBADF);
    expect_withheld(own, Device(O_RDONLY), false);
  });
  // The descriptor was opened with all rights: the caller counts, not the opener.
  as_child(table, "no capability, inherited descriptor", [&](Table& own) {
    keep_capabilities(0);
    expect_reads_only(own, device, EPERM);
    expect_withheld(own, device, true);
  });
  as_child(table, "every capability but CAP_SYS_ADMIN", [&](Table& own) {
    keep_capabilities(~(std::uint32_t{1} << CAP_SYS_ADMIN));
    expect_reads_only(own, device, EPERM);
    expect_withheld(own, device, true);
  });
  as_child(table, "root of another user namespace", [&](Table& own) {
    if (::unshare(CLONE_NEWUSER) != 0) {
      die("unshare: %s", std::strerror(errno));
    }
    expect_reads_only(own, device, EPERM);
    expect_withheld(own, device, true);
  });
  as_child(table, "CAP_SYS_ADMIN and nothing else", [&](Table& own) {
    keep_capabilities(std::uint32_t{1} << CAP_SYS_ADMIN);
    auto dry = whole(MEMPLUG_REQ_DRY_RUN, device.info().out_subblock_size);
    own.row("UNPLUG as a dry run", device.call(MEMPLUG_IOC_UNPLUG, &dry), 0);
    expect_withheld(own, device, false);
  });

  auto everything = whole(MEMPLUG_REQ_ALL, 0);
  if (device.call(MEMPLUG_IOC_PLUG, &everything) != 0) {
    die("what was unplugged can't be plugged: %s", std::strerror(errno));
  }
  table.rebase();
  table.claim("nothing is left unplugged", device.info().out_unplugged_size == 0);
  return table.finish();
}
