// SPDX-License-Identifier: MIT
// The words for shortfalls and refusals.
#include "report/shortfall.hpp"

#include <cerrno>

#include "machine/commit_limit.hpp"
#include "memplug/reason_words.hpp"
#include "words/names.hpp"
#include "words/prose.hpp"
#include "words/reasons.hpp"

namespace memplug {
namespace {

std::string stop_sentence(const Request& request, const Info& info, Stop stop,
                          const OutputStyle& style) {
  switch (stop) {
    case Stop::Floor:
      return floor_sentence(info, style);
    case Stop::Timeout:
      return "stopped by --timeout";
    case Stop::Interrupted:
      return "interrupted";
    case Stop::Exhausted:
      if (request.operation == Operation::Plug) {
        return request.start ? "the rest can't be given back"
                             : "nothing ordinary is left to give back";
      }
      return request.contiguous ? "no contiguous run of that size can be had"
                                : "nothing is left to try";
    case Stop::CommitLimit:
      return "stopped by the commit limit: " + std::string(commit_limit_reason);
    case Stop::None:
      break;
  }
  return "";
}

// What root may lower so that more can be taken.
std::string_view reserves(const Info& info) {
  return info.low_managed != Bytes{} ? "floor or low_reserve in /sys/module/memplug/parameters"
                                     : "/sys/module/memplug/parameters/floor";
}

std::string stop_step(const Request& request, const Info& info, const Result& result) {
  switch (result.stop) {
    case Stop::Floor:
      return "free memory, ask for less, or lower " + std::string(reserves(info));
    case Stop::Timeout:
      return "give it more time";
    case Stop::CommitLimit:
      return std::string(commit_limit_step);
    case Stop::Exhausted:
      if (request.exact && !request.tied && request.operation == Operation::Unplug) {
        return "without --exact it takes what it can get";
      }
      return request.contiguous ? "without --contiguous it takes what it can get" : "";
    case Stop::Interrupted:
    case Stop::None:
      break;
  }
  return "";
}

// Of a target that nothing but the memory itself stands in the way of.
Words words_for_blocked(const Info& info) {
  if (info.target && info.plugged() < *info.target) {
    return {"what is unplugged can't be given back for now",
            "'memplugctl plug --all --dry-run' tells what is in the way"};
  }
  return {"what is left to take can't be had for now",
          "'memplugctl unplug SIZE --dry-run' tells what is in the way; what usually helps is to "
          "free memory, or to end what pins it"};
}

}  // namespace

std::string floor_sentence(const Info& info, const OutputStyle& style) {
  return "stopped by the floor: more would leave less than " + size_text(info.floor, style) +
         " available, or a zone less than its own reserve" +
         (info.low_managed != Bytes{}
              ? ", which below ZONE_NORMAL is a quarter of it, and at least " +
                    size_text(info.low_reserve, style)
              : "");
}

std::string why_nothing_is_managed() {
  return "no memory here is managed: this machine has none online in a zone that the module was "
         "told "
         "to manage; on x86-64 ZONE_NORMAL begins at 4 GiB, and what lies below is ZONE_DMA32";
}

std::string step_if_nothing_is_managed() {
  return "load the module with zones=normal,dma32 for a part of what lies below; or use a machine "
         "or guest with more memory than fits below 4 GiB, 6 GiB for example";
}

std::string explain_reasons(std::string_view verb, const std::map<Reason, Bytes>& by_reason,
                            const OutputStyle& style) {
  std::string text;
  for (const auto& [reason, size] : by_reason) {
    const Words words = tool_words_for(reason);
    text += prose_line(verb, std::string(reason_name(reason)) + ", " + size_text(size, style) +
                                 ": " + std::string(words.what) + "; " + std::string(words.step));
  }
  return text;
}

std::string explain_result(const Request& request, const Info& info, const Result& result,
                           const OutputStyle& style) {
  const std::string_view verb = request.tied ? "hold" : operation_name(request.operation);
  std::string text;
  const auto say = [&text, verb](std::string_view words) { text += prose_line(verb, words); };
  if (result.truncated) {
    say("there are more ranges or blockers than this result shows; 'memplugctl list' has all "
        "ranges");
  }
  if (request.operation == Operation::Plug && result.left != Bytes{}) {
    say(size_text(result.left, style) +
        " stays unplugged: tied, mapped or quarantined, or on memory with errors; see 'memplugctl "
        "list'");
  }
  if (result.shortfall() == Bytes{}) {
    return text;
  }
  say(size_text(result.shortfall(), style) + " of " + size_text(result.requested, style) +
      " missing: " + stop_sentence(request, info, result.stop, style));
  if (request.operation == Operation::Unplug && info.managed == Bytes{}) {
    say(why_nothing_is_managed());
    say(step_if_nothing_is_managed());
    return text;
  }
  std::map<Reason, Bytes> by_reason;
  for (const Blocked& blocked : result.blocked) {
    by_reason[blocked.reason] += blocked.range.size;
  }
  text += explain_reasons(verb, by_reason, style);
  if (const std::string step = stop_step(request, info, result); !step.empty()) {
    say(step);
  }
  return text;
}

std::string explain_node_without_memory(const Request& request,
                                        const std::vector<std::string>& zones) {
  const std::string_view verb = request.tied ? "hold" : operation_name(request.operation);
  std::string names;
  bool dma32 = false;
  for (const std::string& zone : zones) {
    names += (names.empty() ? "" : ", ") + zone;
    dma32 = dma32 || zone == "ZONE_DMA32";
  }
  std::string step =
      "online its memory blocks: echo online_kernel > "
      "/sys/devices/system/memory/memoryN/state";
  if (!names.empty()) {
    step = std::string(dma32 ? "load the module with zones=normal,dma32; or " : "") +
           "memory that was added may be had in ZONE_NORMAL: offline its memory block, then echo "
           "online_kernel > /sys/devices/system/memory/memoryN/state";
  }
  return prose_line(verb,
                    "node " + std::to_string(*request.node) + " has no managed memory: " +
                        (names.empty() ? "it has no memory online"
                                       : "what it has is in " + names + ", which is not managed")) +
         prose_line(verb, step);
}

std::string explain_target(const Info& info, Stop stop, const OutputStyle& style, bool is_set) {
  std::string text;
  const auto say = [&text](std::string_view words) { text += prose_line("target", words); };
  if (stop == Stop::Timeout || stop == Stop::Interrupted) {
    say(stop == Stop::Timeout ? "stopped by --timeout, before the target was reached"
                              : "interrupted, before the target was reached");
  }
  if (info.target_state == TargetState::Floor) {
    say(floor_sentence(info, style));
    say("free memory, or lower " + std::string(reserves(info)));
  } else if (info.target_state == TargetState::Blocked) {
    const Words words = words_for_blocked(info);
    say(words.what);
    say(words.step);
  }
  if (!text.empty() && is_set) {
    say("the target stays set and memplug goes on when it can: 'memplugctl status' shows how far "
        "it is, 'memplugctl target none' ends it");
  }
  return text;
}

std::string explain_others(std::string_view verb, const std::vector<OtherDriver>& others) {
  if (others.empty()) {
    return "";
  }
  std::string names;
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (i > 0) {
      names += i + 1 < others.size() ? ", " : " and ";
    }
    names += other_name(others[i]);
  }
  return prose_line(verb, names + (others.size() == 1 ? " is" : " are") +
                              " at work here too: each works, but the sizes of memplug and of " +
                              (others.size() == 1 ? "that driver" : "those drivers") +
                              " together are hard to reason about");
}

std::string explain_wanted(std::string_view verb, const Info& info, const OutputStyle& style) {
  if (info.wanted_other_zone == Bytes{}) {
    return "";
  }
  return prose_line(verb, size_text(info.wanted_other_zone, style) +
                              " of what is wanted came back in a zone where memplug takes "
                              "nothing, such as ZONE_MOVABLE") +
         prose_line(verb,
                    "offline its memory block and bring it back in ZONE_NORMAL: echo online_kernel "
                    "> /sys/devices/system/memory/memoryN/state");
}

}  // namespace memplug
