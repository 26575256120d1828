// SPDX-License-Identifier: MIT
// Makes up calls and changes given ones, knowing what the fields mean: most calls have to come
// through the checks of syntax, the others fail at one of them and not at the first.
#pragma once

#include <random>

#include "fuzz_call.hpp"
#include "zoneinfo.hpp"

namespace fuzz {

// What values near the edge are made of.
struct Terrain {
  std::uint64_t subblock = 0;
  std::uint64_t managed = 0;
  std::uint64_t first = ~std::uint64_t{0};  // of ZONE_NORMAL
  std::uint64_t end = 0;

  explicit Terrain(const lab::Device& device) {
    const memplug_info info = device.info();
    subblock = info.out_subblock_size;
    managed = info.out_managed_size;
    for (const lab::Zone& zone : lab::normal_zones()) {
      first = std::min(first, zone.start_pfn * 4096);
      end = std::max(end, (zone.start_pfn + zone.spanned) * 4096);
    }
    first -= first % subblock;
    end -= end % subblock;
  }
};

class Author {
 public:
  Author(const Terrain& terrain, std::uint64_t seed) : terrain_(terrain), random_(seed) {}

  // 0 to limit - 1
  std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : random_() % limit; }
  bool one_in(std::uint64_t chance) { return below(chance) == 0; }

  // Most are light: requests are there, but with a fault. One that is right takes a hundred times
  // as long as any other call.
  Sequence fresh() {
    Sequence sequence;
    light_ = !one_in(4);
    for (std::uint64_t i = 1 + below(Sequence::room); i > 0; --i) {
      sequence.add(some_call());
    }
    return sequence;
  }

  // The other is there to take calls from.
  Sequence changed(Sequence sequence, const Sequence& other) {
    light_ = !one_in(4);
    for (std::uint64_t i = 1 + below(4); i > 0; --i) {
      change(sequence, other);
    }
    for (std::uint32_t i = 0; light_ && i < sequence.count; ++i) {
      if (sequence.calls[i].is_request() && one_in(2)) {
        spoil(sequence.calls[i]);
      }
    }
    return sequence;
  }

  // A call whose fields fit together.
  Call sane(Operation operation) {
    Call call = make_call(operation);
    if (one_in(12)) {
      call.channel = some_channel();
    }
    if (call.is_command() && one_in(6)) {
      call[Field::size] = one_in(2) ? call.command().first_size : call.command().size + below(96);
    }
    switch (operation) {
      case Operation::nodes:
      case Operation::list:
        call[Field::capacity] = pick({0, 1, 2, 64, 1024, 1024, 0xffffffff});
        break;
      case Operation::survey:
        call[Field::start] = one_in(8) ? 0 : some_subblock();
        call[Field::length] = pick({1, 2, 16, 64, 1024}) * terrain_.subblock;
        call[Field::capacity] = pick({1, 2, 16, 64});
        break;
      case Operation::quarantine:
        call[Field::flags] = one_in(2) ? MEMPLUG_QUARANTINE_END : 0;
        call[Field::start] = some_subblock();
        call[Field::length] = pick({1, 1, 2, 4}) * terrain_.subblock;
        break;
      case Operation::unplug:
        fill_unplug(call);
        break;
      case Operation::plug:
        fill_plug(call);
        break;
      case Operation::target:
        call[Field::target] =
            one_in(3) ? terrain_.managed - below(64) * terrain_.subblock : MEMPLUG_NO_TARGET;
        break;
      case Operation::unknown:
        call[Field::number] = some_number();
        break;
      case Operation::read:
      case Operation::write:
        call[Field::length] = pick({0, 1, 63, 64, 65, 128, 512, 4096});
        call.channel = static_cast<Channel>(below(nr_device_channels));
        break;
      case Operation::mmap:
        fill_mmap(call);
        break;
      case Operation::alarm:
        call[Field::delay] = 50 + below(8000);
        break;
      default:
        break;
    }
    return call;
  }

 private:
  std::uint64_t pick(std::initializer_list<std::uint64_t> values) {
    return *(values.begin() + below(values.size()));
  }

  // CLOSE and WRITE say nothing about the others: they are rare.
  Call some_call() {
    static constexpr std::array<Operation, 62> lot = [] {
      std::array<Operation, 62> drawn{};
      std::size_t filled = 0;
      const auto put = [&](Operation operation, int times) {
        for (; times > 0; --times) {
          drawn[filled++] = operation;
        }
      };
      put(Operation::info, 6);
      put(Operation::nodes, 6);
      put(Operation::list, 7);
      put(Operation::counters, 4);
      put(Operation::progress, 5);
      put(Operation::unplug, 6);
      put(Operation::plug, 6);
      put(Operation::target, 2);
      put(Operation::survey, 4);
      put(Operation::quarantine, 2);
      put(Operation::unknown, 2);
      put(Operation::poll, 2);
      put(Operation::read, 3);
      put(Operation::write, 1);
      put(Operation::mmap, 3);
      put(Operation::reopen, 1);
      put(Operation::close, 1);
      put(Operation::alarm, 1);
      return drawn;
    }();
    Call call = sane(lot[below(lot.size())]);
    // Without a fault two times in three.
    if (one_in(3) || (light_ && call.is_request())) {
      for (std::uint64_t faults = one_in(4) ? 2 : 1; faults > 0; --faults) {
        spoil(call);
      }
    }
    return call;
  }

  Channel some_channel() { return static_cast<Channel>(below(channel_names.size())); }

  std::uint64_t some_number() {
    const std::uint64_t command = below(16);
    switch (below(5)) {
      case 0:
        return _IO(MEMPLUG_IOC_TYPE, nr_commands + command);
      case 1:  // the right number with a direction and a size, as other drivers have it
        return _IOC(1 + below(3), MEMPLUG_IOC_TYPE, command, pick({4, 40, 176, 16383}));
      case 2:
        return _IO(below(256), command);
      case 3:
        return _IO(MEMPLUG_IOC_TYPE, below(256));
      default:
        return random_() & 0xffffffff;
    }
  }

  std::uint64_t some_subblock() {
    return terrain_.first +
           below((terrain_.end - terrain_.first) / terrain_.subblock) * terrain_.subblock;
  }

  void fill_length(Call& call) {
    // What takes long comes now and then only, and with a deadline. Most are short: each subblock
    // takes as long as a hundred calls that take none.
    const bool huge = one_in(150);
    call[Field::length] = (1 + below(huge ? 512 : pick({1, 2, 2, 8}))) * terrain_.subblock;
    if (call.operation == Operation::unplug && (huge || one_in(2))) {
      call[Field::timeout] = pick({1, 1000, 200000, 2000000, 5000000});
    }
    call[Field::capacity] = pick({0, 1, 4, 64, 4096});
    call[Field::blocked_capacity] = pick({0, 1, MEMPLUG_MAX_BLOCKED});
  }

  void fill_unplug(Call& call) {
    fill_length(call);
    std::uint64_t flags = one_in(4) ? MEMPLUG_REQ_DRY_RUN : 0;
    flags |= one_in(5) ? MEMPLUG_REQ_EXACT : 0;
    if (one_in(3)) {
      flags |= MEMPLUG_REQ_RANGE;
      call[Field::start] = some_subblock();
    } else {
      if (one_in(6)) {
        flags |= MEMPLUG_REQ_CONTIGUOUS;
        call[Field::align] = pick({0, 1, 2, 8}) * terrain_.subblock;
      }
      if (one_in(4)) {
        flags |= MEMPLUG_REQ_WINDOW;
        call[Field::window_start] = some_subblock();
        call[Field::window_length] = (1 + below(64)) * terrain_.subblock;
      }
      flags |= one_in(6) ? MEMPLUG_REQ_NODE : 0;
      if (one_in(6)) {
        flags |= one_in(3) ? MEMPLUG_REQ_LOW : MEMPLUG_REQ_NORMAL;
      }
    }
    flags |= one_in(6) ? MEMPLUG_REQ_TIED : 0;
    call[Field::flags] = flags;
  }

  // Somewhere; what is unplugged is met often enough, as much of it is for a while.
  void fill_mmap(Call& call) {
    if (one_in(4)) {
      call.channel = static_cast<Channel>(below(nr_device_channels));
    }
    call[Field::flags] = (one_in(4) ? 0 : mmap_writable) | (one_in(8) ? mmap_private : 0);
    call[Field::start] = some_subblock() + below(4) * 4096;
    call[Field::length] = pick({1, 4096, 4097, 65536, terrain_.subblock, 2 * terrain_.subblock});
  }

  void fill_plug(Call& call) {
    fill_length(call);
    std::uint64_t flags = one_in(5) ? MEMPLUG_REQ_DRY_RUN : 0;
    if (one_in(3)) {
      flags |= MEMPLUG_REQ_RANGE;
      call[Field::start] = some_subblock();
    } else {
      if (one_in(8)) {
        flags |= MEMPLUG_REQ_ALL;
        call[Field::length] = 0;
      }
      flags |= one_in(6) ? MEMPLUG_REQ_NODE : 0;
    }
    call[Field::flags] = flags;
  }

  std::uint64_t some_value(Field field, std::uint64_t old) {
    const std::uint64_t subblock = terrain_.subblock;
    switch (field) {
      case Field::size:
        return pick({0, 4, 8, old - 1, old - 4, old - 8, old + 1, old + 8, 4095, 4096, 4097,
                     0xffffffff, below(512)});
      case Field::flags:
        return one_in(4) ? random_() & 0xffffffff
                         : old ^ (1U << below(one_in(3) ? 32 : flag_names.size()));
      case Field::node:
        return pick({1, 2, 63, 64, 1023, 1024, 0x7fffffff, 0x80000000, 0xffffffff});
      case Field::capacity:
      case Field::blocked_capacity:
        return pick({0, 1, 2, 255, 256, 257, 65536, 0xffffffff});
      case Field::tail:
        return 8 + below(4096);
      case Field::cut:
        return pick({1, 4, 8, 16, 32, 64, below(256)});
      case Field::number:
        return some_number();
      case Field::delay:
        return below(10000);
      case Field::timeout:
        return pick({0, 1, 1000000, ~std::uint64_t{0}});
      default:
        return pick({0,
                     1,
                     old + 1,
                     old - 1,
                     subblock,
                     subblock - 1,
                     subblock / 2,
                     3 * subblock,
                     old + 4096,
                     old + subblock,
                     0 - subblock,
                     ~std::uint64_t{0},
                     std::uint64_t{1} << 63,
                     terrain_.managed,
                     terrain_.managed + subblock,
                     terrain_.first - subblock,
                     terrain_.end - subblock,
                     terrain_.end,
                     std::uint64_t{1} << 52,
                     random_()});
    }
  }

  // A stretch that goes on behind the last address.
  void pass_the_end(Call& call) {
    const bool window = call.operation == Operation::unplug && one_in(2);
    call[Field::flags] = window ? MEMPLUG_REQ_WINDOW : MEMPLUG_REQ_RANGE;
    call[window ? Field::window_start : Field::start] = 0 - (1 + below(8)) * terrain_.subblock;
    call[window ? Field::window_length : Field::length] = (9 + below(8)) * terrain_.subblock;
  }

  // Anything that may be wrong with a call, and most of the time is afterwards.
  void spoil(Call& call) {
    switch (below(9)) {
      case 8:
        pass_the_end(call);
        break;
      case 0:
        call.channel = some_channel();
        break;
      case 1:
      case 2: {
        const std::size_t pointer = one_in(2) ? 0 : below(pointer_names.size());
        call.places[pointer] = static_cast<Place>(below(place_names.size()));
        call[Field::cut] = some_value(Field::cut, 0);
        break;
      }
      case 3:
        call[Field::size] = call[Field::size] + 8 + below(512);
        call[Field::tail] = one_in(3) ? 0 : call[Field::size] - 1 - below(8);
        break;
      default: {
        const auto field = static_cast<Field>(below(field_names.size()));
        call[field] = some_value(field, call[field]);
      }
    }
    // Nothing that is not meant to stop may go on for long.
    if (call.operation == Operation::unplug && call[Field::length] > 8 * terrain_.subblock &&
        call[Field::timeout] - 1 > 5000000) {
      call[Field::timeout] = 2000000;
    }
  }

  void change(Sequence& sequence, const Sequence& other) {
    if (sequence.count == 0) {
      sequence.add(some_call());
      return;
    }
    const auto at = static_cast<std::uint32_t>(below(sequence.count));
    switch (below(8)) {
      case 0:
        sequence.add(some_call());
        break;
      case 1:
        sequence.calls[at] = some_call();
        break;
      case 2:
        std::move(sequence.calls.begin() + at + 1, sequence.calls.begin() + sequence.count,
                  sequence.calls.begin() + at);
        --sequence.count;
        break;
      case 3:
        sequence.add(sequence.calls[at]);
        break;
      case 4:
        std::swap(sequence.calls[at], sequence.calls[below(sequence.count)]);
        break;
      case 5:
        for (std::uint64_t i = 1 + below(4); i > 0 && other.count != 0; --i) {
          sequence.add(other.calls[below(other.count)]);
        }
        break;
      case 6:
        sequence.calls[at] = sane(sequence.calls[at].operation);
        break;
      default:
        spoil(sequence.calls[at]);
    }
  }

  Terrain terrain_;
  std::mt19937_64 random_;
  bool light_ = false;
};

}  // namespace fuzz
