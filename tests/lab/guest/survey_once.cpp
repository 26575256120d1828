// SPDX-License-Identifier: MIT
// Asks for a survey of one subblock, once, and ends with 0 if it is told: unlike memplugctl it does
// not ask again after EINTR.
//
//   survey_once ADDRESS
#include "memplug_device.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: survey_once ADDRESS\n", stderr);
    return 2;
  }
  const lab::Device device(O_RDONLY);
  memplug_subblock record{};
  auto survey = lab::sized<memplug_survey>();
  survey.start = std::strtoull(argv[1], nullptr, 0);
  survey.length = device.info().out_subblock_size;
  survey.records = lab::user_pointer(&record);
  survey.capacity = 1;
  if (const int error = device.call(MEMPLUG_IOC_SURVEY, &survey); error != 0) {
    lab::die("SURVEY: %s", std::strerror(error));
  }
  std::printf("%#llx: state %u\n", static_cast<unsigned long long>(record.start), record.state);
  return 0;
}
