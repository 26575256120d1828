// SPDX-License-Identifier: MIT
// Reports of a diagnosis.
#include "doctor/diagnosis.hpp"
#include "report/report.hpp"
#include "terminal/table.hpp"
#include "words/json_format.hpp"

namespace memplug {
namespace {

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::Ok:
      return "ok";
    case Verdict::Warning:
      return "warning";
    case Verdict::Failed:
      return "failed";
    case Verdict::Unknown:
      break;
  }
  return "unknown";
}

Json text_or_null(std::string_view text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

std::string diagnosis_json(const Diagnosis& diagnosis) {
  Json json = versioned_json();
  json["fit"] = diagnosis.fit();
  json["kernel"] = diagnosis.kernel;
  json["checks"] = Json::array();
  for (const Check& check : diagnosis.checks) {
    Json one;
    one["name"] = check.name;
    one["verdict"] = verdict_name(check.verdict);
    one["found"] = check.found;
    one["next"] = text_or_null(check.next);
    json["checks"].push_back(one);
  }
  json["next"] = text_or_null(diagnosis.next());
  return print_json(json);
}

std::string diagnosis_text(const Diagnosis& diagnosis, const OutputStyle& style) {
  Table table({{"CHECK"}, {"VERDICT"}, {"FOUND"}});
  table.add({"kernel", "", diagnosis.kernel});
  for (const Check& check : diagnosis.checks) {
    table.add({std::string(check.name), std::string(verdict_name(check.verdict)), check.found});
  }
  std::string text = table.print(!style.quiet);
  if (!diagnosis.next().empty()) {
    text += "\nnext: " + std::string(diagnosis.next()) + "\n";
  }
  return text;
}

}  // namespace memplug
