// SPDX-License-Identifier: MIT
// The file has a version of its own. Nothing in it is believed without a look: it is memory that
// would not be tested.
#include "ramtest/resume_file.hpp"

#include <algorithm>
#include <filesystem>

#include "machine/text_file.hpp"
#include "memplug/failure.hpp"
#include "quarantine/bad_memory.hpp"
#include "words/json_format.hpp"

namespace memplug {
namespace {

constexpr std::string_view kind = "memplugctl test --resume";
constexpr std::uint64_t resume_version = 1;

// Says what is wrong; parse_resume() knows where.
[[noreturn]] void reject(const std::string& what) { throw UsageError(what); }

const Json& member(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key)) {
    reject(std::string("\"") + key + "\" is missing");
  }
  return object.at(key);
}

const Json& array_member(const Json& object, const char* key) {
  const Json& array = member(object, key);
  if (!array.is_array()) {
    reject(std::string("\"") + key + "\" is no array");
  }
  return array;
}

std::uint64_t to_number(const Json& value, const char* key) {
  if (!value.is_number_unsigned()) {
    reject(std::string("\"") + key + "\" is no whole number");
  }
  return value.get<std::uint64_t>();
}

std::uint64_t number_member(const Json& object, const char* key) {
  return to_number(member(object, key), key);
}

// Whole pages below the end of what a processor can address.
Range range_of(const Json& object) {
  constexpr std::uint64_t end = std::uint64_t{1} << 52U;
  const std::uint64_t start = number_member(object, "start");
  const std::uint64_t size = number_member(object, "size");
  if (size == 0 || size > end || start > end - size || start % bad_memory_page.value != 0 ||
      size % bad_memory_page.value != 0) {
    reject("start " + std::to_string(start) + " and size " + std::to_string(size) +
           " are no range of memory");
  }
  return Range{PhysAddr{start}, Bytes{size}};
}

BadPages bad_of(const Json& object) {
  BadPages bad{range_of(object), {}};
  for (const Json& element : array_member(object, "pages")) {
    const PhysAddr page{to_number(element, "pages")};
    if (page % bad_memory_page != Bytes{} || page < bad.range.start ||
        page > last_byte(bad.range)) {
      reject(print_address(page) + " is no page of " + print_range(bad.range));
    }
    bad.pages.push_back(page);
  }
  return bad;
}

ResumeState state_of(const Json& object) {
  if (member(object, "kind") != kind) {
    reject(R"("kind" is not ")" + std::string(kind) + "\"");
  }
  if (number_member(object, "resume_version") != resume_version) {
    reject("its version is not " + std::to_string(resume_version) +
           ", the only one that this tool knows");
  }
  ResumeState state;
  state.loops = number_member(object, "loops");
  if (!member(object, "tests").is_null()) {
    state.tests.emplace();
    for (const Json& test : array_member(object, "tests")) {
      state.tests->push_back(static_cast<unsigned>(to_number(test, "tests")));
    }
  }
  for (const Json& good : array_member(object, "good")) {
    state.known.good.push_back(range_of(good));
  }
  state.known.good = merge(std::move(state.known.good));
  for (const Json& bad : array_member(object, "bad")) {
    state.known.bad.push_back(bad_of(bad));
  }
  return state;
}

std::string print_parameters(const ResumeState& state) {
  std::string text = state.tests ? "--tests " : "all tests";
  const char* separator = "";
  for (const unsigned test : state.tests.value_or(std::vector<unsigned>{})) {
    text += separator + std::to_string(test);
    separator = ",";
  }
  return text + " and --loops " + std::to_string(state.loops);
}

bool overlap(Range one, Range other) {
  return one.start <= last_byte(other) && other.start <= last_byte(one);
}

}  // namespace

std::string print_resume(const ResumeState& state) {
  Json json;
  json["kind"] = kind;
  json["resume_version"] = resume_version;
  json["tests"] = or_null(state.tests);
  json["loops"] = state.loops;
  json["good"] = Json::array();
  for (const Range& range : state.known.good) {
    Json record;
    add_range(record, range);
    json["good"].push_back(record);
  }
  json["bad"] = Json::array();
  for (const BadPages& bad : state.known.bad) {
    Json record;
    add_range(record, bad.range);
    record["pages"] = Json::array();
    for (const PhysAddr page : bad.pages) {
      record["pages"].push_back(page.value);
    }
    json["bad"].push_back(record);
  }
  return print_json(json);
}

ResumeState parse_resume(std::string_view text, const std::string& name) {
  const std::string left_alone = "; it is left as it is, name another file to begin anew";
  try {
    return state_of(Json::parse(text));
  } catch (const Json::parse_error& error) {
    throw UsageError("--resume " + name + ": no JSON at byte " + std::to_string(error.byte) +
                     " of it" + left_alone);
  } catch (const UsageError& error) {
    throw UsageError("--resume " + name + ": not what a test has written: " + error.what() +
                     left_alone);
  }
}

KnownMemory join(const KnownMemory& older, const KnownMemory& newer) {
  KnownMemory all = newer;
  all.good.insert(all.good.end(), older.good.begin(), older.good.end());
  all.good = merge(std::move(all.good));
  for (const BadPages& bad : older.bad) {
    const bool is_newer = std::ranges::any_of(
        newer.bad, [&bad](const BadPages& known) { return overlap(known.range, bad.range); });
    if (!is_newer) {
      all.bad.push_back(bad);
    }
  }
  std::ranges::sort(all.bad, {}, [](const BadPages& bad) { return bad.range.start; });
  return all;
}

void ResumeFile::read(const ResumeState& asked) {
  state_ = asked;
  if (!is_file_there(path_)) {
    return;
  }
  if (!std::filesystem::is_regular_file(path_)) {
    // It would be replaced.
    throw UsageError("--resume " + path_ + ": that is no file; name one, or one that is to be");
  }
  if (const auto why = why_not_ours(path_)) {
    // Memory that it calls good would not be tested.
    throw UsageError("--resume " + path_ + ": " + *why +
                     ", so what it says is not to be relied on; it is left as it is, name another "
                     "file to begin anew");
  }
  ResumeState found = parse_resume(read_file(path_), path_);
  if (found.tests != asked.tests || found.loops != asked.loops) {
    throw UsageError("--resume " + path_ + ": it has the results of " + print_parameters(found) +
                     ", and not of " + print_parameters(asked) +
                     "; ask for the same, or name another file");
  }
  state_ = std::move(found);
}

void ResumeFile::write(const KnownMemory& known) {
  ResumeState all = state_;
  all.known = join(state_.known, known);
  replace_file(path_, print_resume(all));
}

}  // namespace memplug
