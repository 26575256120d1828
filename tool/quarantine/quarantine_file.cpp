// SPDX-License-Identifier: MIT
#include "quarantine/quarantine_file.hpp"

#include "machine/text_file.hpp"

namespace memplug {

std::vector<Range> QuarantineFile::read() const {
  return parse_bad_memory(read_file(path_), path_);
}

std::vector<Range> QuarantineFile::read_if_there() const {
  return is_file_there(path_) ? read() : std::vector<Range>{};
}

void QuarantineFile::add(const std::vector<Range>& pages) const {
  std::string text = is_file_there(path_) ? read_file(path_) : print_bad_memory({});
  std::vector<Range> known = parse_bad_memory(text, path_);
  if (!text.empty() && text.back() != '\n') {
    text += '\n';
  }
  bool is_new = !is_file_there(path_);
  for (const Range& range : pages) {
    std::vector<Range> with = known;
    with.push_back(range);
    with = merge(std::move(with));
    if (with != known) {
      text += print_range(range) + "\n";
      known = std::move(with);
      is_new = true;
    }
  }
  if (!is_new) {
    return;
  }
  // What can't be read again would keep nothing out.
  static_cast<void>(parse_bad_memory(text, path_));
  replace_file(path_, text);
}

bool QuarantineFile::remove(const std::vector<Range>& pages) const {
  const std::vector<Range> known = read_if_there();
  std::vector<Range> left = known;
  for (const Range& range : pages) {
    left = subtract(left, range);
  }
  if (left == known) {
    return false;
  }
  replace_file(path_, print_bad_memory(left));
  return true;
}

}  // namespace memplug
