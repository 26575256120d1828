// SPDX-License-Identifier: MIT
#include "memplug/mapping.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

namespace memplug {
namespace {

[[noreturn]] void fail(int error_number) {
  throw std::system_error(error_number, std::generic_category(), "cannot map unplugged memory");
}

std::span<std::byte> map(int descriptor, Range range, Access access) {
  // Where addresses or sizes have fewer bits than memory.
  if (range.size.value > std::numeric_limits<std::size_t>::max() ||
      range.start.value > static_cast<std::uint64_t>(std::numeric_limits<::off_t>::max())) {
    fail(EOVERFLOW);
  }
  const auto length = static_cast<std::size_t>(range.size.value);
  const int protection = access == Access::Write ? PROT_READ | PROT_WRITE : PROT_READ;
  void* memory = ::mmap(nullptr, length, protection, MAP_SHARED, descriptor,
                        static_cast<::off_t>(range.start.value));
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-cstyle-cast,performance-no-int-to-ptr): the macro's
  if (memory == MAP_FAILED) {
    fail(errno);
  }
  return {static_cast<std::byte*>(memory), length};
}

}  // namespace

Mapping::Mapping(const Device& device, Range range, Access access)
    : range_(range), bytes_(map(device.descriptor(), range, access)) {}

Mapping::Mapping(Mapping&& other) noexcept
    : range_(std::exchange(other.range_, Range{})), bytes_(std::exchange(other.bytes_, {})) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this != &other) {
    unmap();
    range_ = std::exchange(other.range_, Range{});
    bytes_ = std::exchange(other.bytes_, {});
  }
  return *this;
}

Mapping::~Mapping() { unmap(); }

void Mapping::unmap() noexcept {
  if (!bytes_.empty()) {
    ::munmap(bytes_.data(), bytes_.size());
  }
}

}  // namespace memplug
