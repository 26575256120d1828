// SPDX-License-Identifier: MIT
// lab: also-32bit
// Requests whose structure is right and whose values are not: lengths, addresses, alignments,
// flags that exclude each other, fields without their flag, memory that is not managed. Nothing
// here may change a page, though no row but the huge ones is a dry run.
#include <climits>

#include "ioctl_rows.hpp"
#include "zoneinfo.hpp"

namespace {

using lab::Device;
using lab::Table;

constexpr std::uint64_t page_size = 4096;

class Requests {
 public:
  Requests(Table& table, const Device& device)
      : table_(table), device_(device), subblock_(device.info().out_subblock_size) {}

  // A change to a request that is right but for this.
  using Change = void (*)(memplug_request& request, std::uint64_t subblock);

  void refuse(const char* name, unsigned long command, int wanted, Change change) {
    auto request = lab::sized<memplug_request>();
    request.length = subblock_;
    change(request, subblock_);
    table_.row(std::string(command == MEMPLUG_IOC_UNPLUG ? "UNPLUG: " : "PLUG: ") + name,
               device_.call(command, &request), wanted);
  }

  void refuse_both(const char* name, int wanted, Change change) {
    refuse(name, MEMPLUG_IOC_UNPLUG, wanted, change);
    refuse(name, MEMPLUG_IOC_PLUG, wanted, change);
  }

  // ENXIO, and the part that is to blame is told.
  void not_managed(const std::string& name, std::uint32_t flags, std::uint64_t start,
                   std::uint64_t length, std::uint32_t why, std::uint64_t bad_start,
                   std::uint64_t bad_length) {
    for (const unsigned long command : {MEMPLUG_IOC_UNPLUG, MEMPLUG_IOC_PLUG}) {
      if (command == MEMPLUG_IOC_PLUG && flags != MEMPLUG_REQ_RANGE) {
        continue;
      }
      auto request = lab::sized<memplug_request>();
      request.flags = flags;
      request.length = flags == MEMPLUG_REQ_RANGE ? length : subblock_;
      request.start = flags == MEMPLUG_REQ_RANGE ? start : 0;
      request.window_start = flags == MEMPLUG_REQ_WINDOW ? start : 0;
      request.window_length = flags == MEMPLUG_REQ_WINDOW ? length : 0;
      const std::string full =
          std::string(command == MEMPLUG_IOC_UNPLUG ? "UNPLUG: " : "PLUG: ") + name;
      table_.row(full, device_.call(command, &request), ENXIO);
      const bool told = request.out_bad_why == why && request.out_bad_start == bad_start &&
                        request.out_bad_length == bad_length;
      table_.claim(full + ", and says what is wrong with which part", told);
      if (!told) {
        std::printf("       told: why %u at %#llx, %#llx bytes\n", request.out_bad_why,
                    static_cast<unsigned long long>(request.out_bad_start),
                    static_cast<unsigned long long>(request.out_bad_length));
      }
    }
  }

  [[nodiscard]] std::uint64_t subblock() const { return subblock_; }

 private:
  Table& table_;
  const Device& device_;
  std::uint64_t subblock_;
};

void lengths(Requests& requests) {
  requests.refuse_both("length 0", EINVAL, [](auto& r, auto) { r.length = 0; });
  requests.refuse_both("length one page too many", EINVAL,
                       [](auto& r, auto subblock) { r.length = subblock + page_size; });
  requests.refuse_both("length half a subblock", EINVAL,
                       [](auto& r, auto subblock) { r.length = subblock / 2; });
  requests.refuse_both("length one byte", EINVAL, [](auto& r, auto) { r.length = 1; });
  requests.refuse("ALL with a length", MEMPLUG_IOC_PLUG, EINVAL,
                  [](auto& r, auto) { r.flags = MEMPLUG_REQ_ALL; });
  requests.refuse_both("RANGE of length 0", EINVAL, [](auto& r, auto) {
    r.flags = MEMPLUG_REQ_RANGE;
    r.start = 1ULL << 32;
    r.length = 0;
  });
}

void fields_without_flag(Requests& requests) {
  requests.refuse_both("start without RANGE", EINVAL, [](auto& r, auto) { r.start = 1ULL << 32; });
  requests.refuse_both("window_start without WINDOW", EINVAL,
                       [](auto& r, auto) { r.window_start = 1ULL << 32; });
  requests.refuse_both("window_length without WINDOW", EINVAL,
                       [](auto& r, auto subblock) { r.window_length = subblock; });
  requests.refuse_both("align without CONTIGUOUS", EINVAL,
                       [](auto& r, auto subblock) { r.align = subblock; });
  requests.refuse_both("node without NODE", EINVAL, [](auto& r, auto) { r.node = 1; });
  requests.refuse_both("node -1 without NODE", EINVAL, [](auto& r, auto) { r.node = -1; });
  requests.refuse("timeout", MEMPLUG_IOC_PLUG, EINVAL,
                  [](auto& r, auto) { r.timeout_ns = 1000000000; });
  requests.refuse("ALL and a start", MEMPLUG_IOC_PLUG, EINVAL, [](auto& r, auto) {
    r.flags = MEMPLUG_REQ_ALL;
    r.length = 0;
    r.start = 1ULL << 32;
  });
}

template <std::uint32_t Other>
void range_and(memplug_request& request, std::uint64_t subblock) {
  request.flags = MEMPLUG_REQ_RANGE | Other;
  request.start = 1ULL << 32;
  if constexpr (Other == MEMPLUG_REQ_WINDOW) {
    request.window_start = 1ULL << 32;
    request.window_length = subblock;
  }
  if constexpr (Other == MEMPLUG_REQ_ALL) {
    request.length = 0;
  }
}

void exclusive_flags(Requests& requests) {
  requests.refuse_both("RANGE and NODE", EINVAL, range_and<MEMPLUG_REQ_NODE>);
  requests.refuse("RANGE and WINDOW", MEMPLUG_IOC_UNPLUG, EINVAL, range_and<MEMPLUG_REQ_WINDOW>);
  requests.refuse("RANGE and CONTIGUOUS", MEMPLUG_IOC_UNPLUG, EINVAL,
                  range_and<MEMPLUG_REQ_CONTIGUOUS>);
  requests.refuse("RANGE and NORMAL", MEMPLUG_IOC_UNPLUG, EINVAL, range_and<MEMPLUG_REQ_NORMAL>);
  requests.refuse("RANGE and LOW", MEMPLUG_IOC_UNPLUG, EINVAL, range_and<MEMPLUG_REQ_LOW>);
  requests.refuse("NORMAL and LOW", MEMPLUG_IOC_UNPLUG, EINVAL,
                  [](auto& r, auto) { r.flags = MEMPLUG_REQ_NORMAL | MEMPLUG_REQ_LOW; });
  requests.refuse("RANGE and ALL", MEMPLUG_IOC_PLUG, EINVAL, range_and<MEMPLUG_REQ_ALL>);
}

void alignments(Requests& requests) {
  requests.refuse_both("start misaligned by a page", EINVAL, [](auto& r, auto) {
    r.flags = MEMPLUG_REQ_RANGE;
    r.start = (1ULL << 32) + page_size;
  });
  requests.refuse_both("start misaligned by half a subblock", EINVAL, [](auto& r, auto subblock) {
    r.flags = MEMPLUG_REQ_RANGE;
    r.start = (1ULL << 32) + subblock / 2;
  });
  const auto window = [&](const char* name, int wanted, Requests::Change change) {
    requests.refuse(name, MEMPLUG_IOC_UNPLUG, wanted, change);
  };
  window("window_start misaligned", EINVAL, [](auto& r, auto subblock) {
    r.flags = MEMPLUG_REQ_WINDOW;
    r.window_start = (1ULL << 32) + page_size;
    r.window_length = subblock;
  });
  window("window_length misaligned", EINVAL, [](auto& r, auto subblock) {
    r.flags = MEMPLUG_REQ_WINDOW;
    r.window_start = 1ULL << 32;
    r.window_length = subblock + page_size;
  });
  window("window_length 0", EINVAL, [](auto& r, auto) {
    r.flags = MEMPLUG_REQ_WINDOW;
    r.window_start = 1ULL << 32;
  });
  window("align no power of two", EINVAL, [](auto& r, auto subblock) {
    r.flags = MEMPLUG_REQ_CONTIGUOUS;
    r.align = 3 * subblock;
  });
  window("align below the subblock", EINVAL, [](auto& r, auto subblock) {
    r.flags = MEMPLUG_REQ_CONTIGUOUS;
    r.align = subblock / 2;
  });
  window("align 1", EINVAL, [](auto& r, auto) {
    r.flags = MEMPLUG_REQ_CONTIGUOUS;
    r.align = 1;
  });
}

void overflows(Requests& requests) {
  requests.refuse_both("start + length wraps", EOVERFLOW, [](auto& r, auto subblock) {
    r.flags = MEMPLUG_REQ_RANGE;
    r.start = 0 - subblock;
    r.length = 2 * subblock;
  });
  requests.refuse_both("start + length wraps far", EOVERFLOW, [](auto& r, auto subblock) {
    r.flags = MEMPLUG_REQ_RANGE;
    r.start = 1ULL << 32;
    r.length = 0 - subblock;
  });
  requests.refuse("window wraps", MEMPLUG_IOC_UNPLUG, EOVERFLOW, [](auto& r, auto subblock) {
    r.flags = MEMPLUG_REQ_WINDOW;
    r.window_start = 0 - subblock;
    r.window_length = 2 * subblock;
  });
}

void nodes(Requests& requests) {
  const auto node = [&](const char* name, Requests::Change change) {
    requests.refuse_both(name, ENXIO, change);
  };
  node("node 63, not online", [](auto& r, auto) {
    r.flags = MEMPLUG_REQ_NODE;
    r.node = 63;
  });
  node("node -1", [](auto& r, auto) {
    r.flags = MEMPLUG_REQ_NODE;
    r.node = -1;
  });
  node("node beyond any kernel's", [](auto& r, auto) {
    r.flags = MEMPLUG_REQ_NODE;
    r.node = INT_MAX;
  });
  node("node far below 0", [](auto& r, auto) {
    r.flags = MEMPLUG_REQ_NODE;
    r.node = INT_MIN;
  });
}

void not_managed(Requests& requests) {
  std::uint64_t first = ~std::uint64_t{0};
  std::uint64_t end = 0;
  for (const lab::Zone& zone : lab::normal_zones()) {
    first = std::min(first, zone.start_pfn * page_size);
    end = std::max(end, (zone.start_pfn + zone.spanned) * page_size);
  }
  const std::uint64_t subblock = requests.subblock();
  constexpr std::uint32_t range = MEMPLUG_REQ_RANGE;
  constexpr std::uint32_t window = MEMPLUG_REQ_WINDOW;
  constexpr std::uint64_t dma32 = 256ULL << 20;
  constexpr std::uint64_t beyond = 1ULL << 45;
  constexpr std::uint64_t above_any_pfn = 1ULL << 60;

  requests.not_managed("a range of ZONE_DMA32", range, dma32, 2 * subblock, MEMPLUG_BAD_ZONE, dma32,
                       2 * subblock);
  requests.not_managed("a window of ZONE_DMA32", window, dma32, 8 * subblock, MEMPLUG_BAD_ZONE,
                       dma32, 8 * subblock);
  requests.not_managed("a range behind all memory", range, beyond, subblock, MEMPLUG_BAD_ABSENT,
                       beyond, subblock);
  requests.not_managed("a range no machine has", range, above_any_pfn, subblock, MEMPLUG_BAD_ABSENT,
                       above_any_pfn, subblock);
  requests.not_managed("a window behind all memory", window, beyond, subblock, MEMPLUG_BAD_ABSENT,
                       beyond, subblock);
  requests.not_managed("a range that runs out of memory", range, end - subblock, 3 * subblock,
                       MEMPLUG_BAD_ABSENT, end, 2 * subblock);
  requests.not_managed("a range that begins below", range, first - subblock, 2 * subblock,
                       MEMPLUG_BAD_ABSENT, first - subblock, subblock);
}

// By size more than there is may be asked for: it is no error, and a dry run shows the shortfall.
void more_than_there_is(Table& table, const Device& device, std::uint64_t subblock) {
  auto request = lab::sized<memplug_request>();
  request.flags = MEMPLUG_REQ_DRY_RUN;
  request.length = (std::uint64_t{1} << 63) / subblock * subblock;
  table.row("UNPLUG: dry run of 8 EiB", device.call(MEMPLUG_IOC_UNPLUG, &request), 0);
  table.claim("UNPLUG: it tells a shortfall and why",
              request.out_requested == request.length &&
                  request.out_done + request.out_already < request.length &&
                  request.out_stop != MEMPLUG_STOP_NONE);
  auto plug = lab::sized<memplug_request>();
  plug.length = subblock;
  table.row("PLUG: a subblock when none is unplugged", device.call(MEMPLUG_IOC_PLUG, &plug), 0);
  table.claim("PLUG: nothing done, exhausted",
              plug.out_done == 0 && plug.out_stop == MEMPLUG_STOP_EXHAUSTED);
}

void targets(Table& table, const lab::Device& device) {
  const memplug_info info = device.info();
  const auto refuse = [&](const char* name, int wanted, std::uint64_t target) {
    auto argument = lab::sized<memplug_target>();
    argument.target = target;
    table.row(name, device.call(MEMPLUG_IOC_TARGET, &argument), wanted);
  };
  refuse("TARGET: one byte", EINVAL, 1);
  refuse("TARGET: half a subblock", EINVAL, info.out_subblock_size / 2);
  refuse("TARGET: a page too many", EINVAL, info.out_subblock_size + page_size);
  refuse("TARGET: a subblock more than is managed", ERANGE,
         info.out_managed_size + info.out_subblock_size);
  refuse("TARGET: the largest size that is no special one", ERANGE, 0 - info.out_subblock_size);
}

// Whatever is asked for has an answer without gaps.
void surveys(Table& table, const lab::Device& device) {
  const std::uint64_t subblock = device.info().out_subblock_size;
  std::vector<memplug_subblock> records(8);
  const auto call = [&](std::uint64_t start, std::uint64_t length, std::uint32_t capacity) {
    auto survey = lab::sized<memplug_survey>();
    survey.start = start;
    survey.length = length;
    survey.records = lab::user_pointer(records.data());
    survey.capacity = capacity;
    return std::pair(device.call(MEMPLUG_IOC_SURVEY, &survey), survey);
  };
  const auto refuse = [&](const char* name, int wanted, std::uint64_t start, std::uint64_t length,
                          std::uint32_t capacity = 1) {
    table.row(name, call(start, length, capacity).first, wanted);
  };
  refuse("SURVEY: of nothing", EINVAL, 0, 0);
  refuse("SURVEY: without room", EINVAL, 0, subblock, 0);
  refuse("SURVEY: half a subblock", EINVAL, 0, subblock / 2);
  refuse("SURVEY: from the middle of a subblock", EINVAL, subblock / 2, subblock);
  refuse("SURVEY: around the end", EOVERFLOW, 0 - subblock, 2 * subblock);
  refuse("SURVEY: up to the very end", EOVERFLOW, 0 - subblock, subblock);

  constexpr std::uint64_t all = std::uint64_t{1} << 52;
  std::uint64_t next = 0;
  std::uint64_t managed = 0;
  std::uint64_t told = 0;
  bool whole = true;
  while (next < all && whole) {
    const auto [error, survey] = call(next, all - next, 8);
    whole = error == 0 && survey.out_count != 0 && survey.out_count <= 8;
    for (std::uint32_t i = 0; whole && i < survey.out_count; ++i) {
      const memplug_subblock& record = records[i];
      whole = record.start == next && record.length != 0 && record.length % subblock == 0;
      next += record.length;
      managed += record.state != MEMPLUG_SUBBLOCK_UNMANAGED ? record.length : 0;
      ++told;
    }
    whole = whole && survey.out_next == next;
  }
  table.claim("SURVEY: of all that an address can be of, without gaps", whole && next == all);
  table.claim("SURVEY: all that is managed is told of", managed == device.info().out_managed_size);
  table.claim("SURVEY: holes take no time and no room", told < managed / subblock + 64);
  auto survey = lab::sized<memplug_survey>();
  survey.length = subblock;
  survey.capacity = 1;
  table.row("SURVEY: nowhere to write to", device.call(MEMPLUG_IOC_SURVEY, &survey), EFAULT);
}

// Refused, but for one that is harmless; what it does is told by quarantine.cpp.
void quarantines(Table& table, const lab::Device& device) {
  const memplug_info info = device.info();
  const std::uint64_t subblock = info.out_subblock_size;
  const auto call = [&](std::uint64_t start, std::uint64_t length, std::uint32_t flags) {
    auto quarantine = lab::sized<memplug_quarantine>();
    quarantine.flags = flags;
    quarantine.start = start;
    quarantine.length = length;
    return std::pair(device.call(MEMPLUG_IOC_QUARANTINE, &quarantine), quarantine);
  };
  const auto refuse = [&](const char* name, int wanted, std::uint64_t start, std::uint64_t length) {
    table.row(name, call(start, length, 0).first, wanted);
    table.row(name, call(start, length, MEMPLUG_QUARANTINE_END).first, wanted);
  };
  refuse("QUARANTINE: of nothing", EINVAL, 0, 0);
  refuse("QUARANTINE: half a subblock", EINVAL, 0, subblock / 2);
  refuse("QUARANTINE: from the middle of a subblock", EINVAL, subblock / 2, subblock);
  refuse("QUARANTINE: around the end", EOVERFLOW, 0 - subblock, 2 * subblock);
  refuse("QUARANTINE: up to the very end", EOVERFLOW, 0 - subblock, subblock);

  const auto [low_error, low] = call(0, subblock, 0);
  table.row("QUARANTINE: memory of another zone", low_error, ENXIO);
  table.claim("QUARANTINE: which part that is, and why",
              low.out_bad_start == 0 && low.out_bad_length == subblock &&
                  (low.out_bad_why == MEMPLUG_BAD_ZONE || low.out_bad_why == MEMPLUG_BAD_MIXED) &&
                  low.out_changed == 0 && low.out_quarantined == 0 && low.out_unplugged == 0);
  constexpr std::uint64_t nowhere = std::uint64_t{1} << 51;
  const auto [absent_error, absent] = call(nowhere, subblock, 0);
  table.row("QUARANTINE: no memory at all", absent_error, ENXIO);
  table.claim("QUARANTINE: that, too",
              absent.out_bad_start == nowhere && absent.out_bad_why == MEMPLUG_BAD_ABSENT);
  const auto [end_error, end] = call(nowhere, subblock, MEMPLUG_QUARANTINE_END);
  table.row("QUARANTINE: an end where there is none", end_error, 0);
  table.claim("QUARANTINE: which changes nothing",
              end.out_changed == 0 && end.out_bad_why == MEMPLUG_BAD_NONE);
}

}  // namespace

int main() {
  Table table("values of requests");
  const Device device(O_RDWR);
  Requests requests(table, device);
  lengths(requests);
  fields_without_flag(requests);
  exclusive_flags(requests);
  alignments(requests);
  overflows(requests);
  nodes(requests);
  not_managed(requests);
  more_than_there_is(table, device, requests.subblock());
  targets(table, device);
  surveys(table, device);
  quarantines(table, device);
  return table.finish();
}
