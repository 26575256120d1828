// SPDX-License-Identifier: MIT
// lab: also-32bit
// What can be wrong with any command's argument: its pointer, size, tail, flags and reserved
// words, and the command number itself. Every row gives its documented errno and changes nothing.
#include <algorithm>
#include <array>
#include <bit>

#include "ioctl_rows.hpp"

namespace {

using lab::Command;
using lab::Pages;
using lab::Table;

constexpr std::size_t flags_offset = 4;  // every structure: size, then flags

std::string name_of(const Command& command, const char* what) {
  return std::string(command.name) + ": " + what;
}

void pointers(Table& table, const lab::Device& device, const Command& command,
              const std::vector<std::byte>& good) {
  table.row(name_of(command, "NULL"), device.call(command.number, nullptr), EFAULT);

  // The last page of a 32-bit address space, and of a 64-bit one, belongs to the kernel.
  void* kernel = std::bit_cast<void*>(~std::uintptr_t{0} - (Pages::page - 1));
  table.row(name_of(command, "kernel address"), device.call(command.number, kernel), EFAULT);

  Pages pages;
  std::copy(good.begin(), good.end(), pages.data());
  pages.protect(0, Pages::page, PROT_NONE);
  table.row(name_of(command, "unreadable"), device.call(command.number, pages.data()), EFAULT);
  pages.protect(0, Pages::page, PROT_READ);
  table.row(name_of(command, "unwritable"), device.call(command.number, pages.data()), EFAULT);
  pages.protect(0, Pages::page, PROT_READ | PROT_WRITE);

  std::byte* torn = pages.data() + Pages::page - sizeof(std::uint64_t);
  std::copy(good.begin(), good.end(), torn);
  pages.protect(Pages::page, Pages::page, PROT_NONE);
  table.row(name_of(command, "readable size, unreadable rest"), device.call(command.number, torn),
            EFAULT);
}

void sizes(Table& table, const lab::Device& device, const Command& command,
           const std::vector<std::byte>& good) {
  const auto minimum = static_cast<std::uint32_t>(command.first_size);
  const auto whole = static_cast<std::uint32_t>(command.size);
  Pages pages;
  const auto call = [&](std::uint32_t size, std::size_t dirty_byte) {
    std::fill_n(pages.data(), 2 * Pages::page, std::byte{0});
    std::copy(good.begin(), good.end(), pages.data());
    lab::put_word(pages.data(), 0, size);
    if (dirty_byte != 0) {
      pages.data()[dirty_byte] = std::byte{1};
    }
    return device.call(command.number, pages.data());
  };
  table.row(name_of(command, "size 0"), call(0, 0), EINVAL);
  table.row(name_of(command, "size 4"), call(4, 0), EINVAL);
  table.row(name_of(command, "size one byte short"), call(minimum - 1, 0), EINVAL);
  if (minimum != whole) {
    table.row(name_of(command, "size of the first version"), call(minimum, 0), 0);
    table.row(name_of(command, "size of the first version, dirt behind it"), call(minimum, minimum),
              0);
    table.claim(name_of(command, "first version: wrote no byte behind its size"),
                pages.data()[minimum] == std::byte{1});
  }
  table.row(name_of(command, "size just right"), call(whole, 0), 0);
  table.row(name_of(command, "size just right, dirt behind it"), call(whole, whole), 0);
  table.claim(name_of(command, "wrote no byte behind its size"),
              pages.data()[whole] == std::byte{1});
  table.row(name_of(command, "8 bytes longer, zero"), call(whole + 8, 0), 0);
  table.row(name_of(command, "8 bytes longer, first not zero"), call(whole + 8, whole), E2BIG);
  table.row(name_of(command, "8 bytes longer, last not zero"), call(whole + 8, whole + 7), E2BIG);
  table.row(name_of(command, "a page long, zero"), call(Pages::page, 0), 0);
  table.row(name_of(command, "a page long, last byte not zero"), call(Pages::page, Pages::page - 1),
            E2BIG);
  table.row(name_of(command, "longer than a page, zero"), call(Pages::page + 8, 0), E2BIG);
  table.row(name_of(command, "size 0xffffffff"), call(~std::uint32_t{0}, 0), E2BIG);
}

void flags(Table& table, const lab::Device& device, const Command& command,
           const std::vector<std::byte>& good) {
  for (unsigned int bit = 0; bit < 32; ++bit) {
    const std::uint32_t flag = std::uint32_t{1} << bit;
    if ((command.known_flags & flag) != 0) {
      continue;
    }
    std::vector<std::byte> argument = good;
    lab::put_word(argument.data(), flags_offset,
                  lab::get_word(argument.data(), flags_offset) | flag);
    table.row(name_of(command, "unknown flag, bit ") + std::to_string(bit),
              device.call(command.number, argument.data()), EOPNOTSUPP);
  }
}

void reserved_words(Table& table, const lab::Device& device, const Command& command,
                    const std::vector<std::byte>& good) {
  for (const std::size_t offset : command.reserved) {
    for (const std::uint32_t value : {std::uint32_t{1}, std::uint32_t{0x80000000}}) {
      std::vector<std::byte> argument = good;
      lab::put_word(argument.data(), offset, value);
      table.row(name_of(command, "reserved word at ") + std::to_string(offset) + " = " +
                    std::to_string(value),
                device.call(command.number, argument.data()), EINVAL);
    }
  }
}

// Fields named out_* are ignored on input: any garbage there must not matter.
void garbage_in_outputs(Table& table, const lab::Device& device) {
  memplug_info info{};
  std::memset(&info, 0xff, sizeof(info));
  info.size = sizeof(info);
  info.flags = 0;
  table.row("INFO: garbage in out_ fields", device.call(MEMPLUG_IOC_INFO, &info), 0);
  table.claim("INFO: ABI version and page size are told",
              info.out_abi_version == MEMPLUG_ABI_VERSION && info.out_page_size == Pages::page);
  table.claim("INFO: it knows zones, and none below ZONE_NORMAL is managed",
              (info.out_features & MEMPLUG_FEATURE_ZONES) != 0 && info.out_low_managed_size == 0 &&
                  info.out_low_unplugged_size == 0 && info.out_low_reserve_size == 0);

  std::array<std::byte, sizeof(memplug_request)> raw{};
  std::fill(raw.begin() + offsetof(memplug_request, out_ranges), raw.end(), std::byte{0xff});
  auto request = std::bit_cast<memplug_request>(raw);
  request.size = sizeof(request);
  request.__reserved2 = 0;
  request.flags = MEMPLUG_REQ_DRY_RUN;
  request.length = info.out_subblock_size;
  table.row("UNPLUG: garbage in out_ fields", device.call(MEMPLUG_IOC_UNPLUG, &request), 0);
  table.claim("UNPLUG: they were all written", request.out_requested == request.length &&
                                                   request.out_bad_start == 0 &&
                                                   request.out_bad_why == MEMPLUG_BAD_NONE);
}

void unknown_commands(Table& table, const lab::Device& device) {
  std::vector<std::byte> argument(Pages::page);
  for (const unsigned int number : {0x0aU, 0x0bU, 0x7fU, 0x80U, 0xffU}) {
    table.row("unknown command " + std::to_string(number),
              device.call(_IO(MEMPLUG_IOC_TYPE, number), argument.data()), ENOTTY);
  }
  table.row("INFO's number with another type",
            device.call(_IO(MEMPLUG_IOC_TYPE - 1, 0), argument.data()), ENOTTY);
  table.row("INFO's number as _IOWR",
            device.call(_IOWR(MEMPLUG_IOC_TYPE, 0, memplug_info), argument.data()), ENOTTY);
  table.row("UNPLUG's number as _IOW, NULL",
            device.call(_IOW(MEMPLUG_IOC_TYPE, 5, memplug_request), nullptr), ENOTTY);
  table.row("command 0", device.call(0, argument.data()), ENOTTY);
  table.row("every bit of the command set", device.call(0xffffffffUL, argument.data()), ENOTTY);
}

}  // namespace

int main() {
  Table table("arguments of every command");
  const lab::Device device(O_RDWR);
  const std::uint64_t subblock = device.info().out_subblock_size;
  for (const Command& command : lab::commands()) {
    const std::vector<std::byte> good = lab::harmless(command, subblock);
    pointers(table, device, command, good);
    sizes(table, device, command, good);
    flags(table, device, command, good);
    reserved_words(table, device, command, good);
  }
  garbage_in_outputs(table, device);
  unknown_commands(table, device);
  return table.finish();
}
