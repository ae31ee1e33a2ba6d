#include "check_runner.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "child_process.h"
#include "clock.h"

namespace infcl::bench {

namespace {

constexpr int kSuiteSkipped = 77;  // exit status of a suite that finds nothing to run on

std::string number(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%g", value);
  return digits;
}

std::string reason_of(const ChildEnd& end) {
  if (end.how == ChildEnd::How::kKilled)
    return "ended by signal " + std::to_string(end.code) + " (" + strsignal(end.code) +
           "): " + end.telling_line;
  if (end.code == kSuiteSkipped) return "found no device to run on";
  return "exit status " + std::to_string(end.code) + ": " + end.telling_line;
}

}  // namespace

CheckRunner::CheckRunner(const CheckLimits& limits, std::vector<std::string> command)
    : limits_(limits), command_(std::move(command)) {}

void CheckRunner::run(const std::string& name) {
  const double left = limits_.start + limits_.seconds - now_seconds();
  if (stop_was_asked() || left <= 0) {
    rows_.push_back({name, Verdict::kNotRun, 0, stop_was_asked() ? "stopped by a signal" : "no time left"});
    return;
  }
  std::printf("\n== %s\n", name.c_str());
  std::fflush(stdout);
  std::vector<std::string> arguments = command_;
  arguments.push_back(name);
  const ChildEnd end = run_child(arguments, std::min(left, limits_.check_seconds));
  Row row{name, Verdict::kFailed, end.seconds, ""};
  if (end.how == ChildEnd::How::kStopped) {
    row.verdict = Verdict::kNotRun;
    row.reason = "stopped by a signal";
  } else if (end.how == ChildEnd::How::kOverTime && left < limits_.check_seconds) {
    row.verdict = Verdict::kNotRun;  // within its own limit
    row.reason = "no time left to finish";
  } else if (end.how == ChildEnd::How::kOverTime) {
    row.reason = "over " + number(limits_.check_seconds) + " s";
  } else if (end.how == ChildEnd::How::kExited && end.code == 0) {
    row.verdict = Verdict::kPassed;
  } else {
    row.reason = reason_of(end);
  }
  std::printf("%s, %.1f s\n", word_of(row.verdict), row.seconds);
  rows_.push_back(row);
}

const char* CheckRunner::word_of(Verdict verdict) {
  return verdict == Verdict::kPassed ? "ok" : verdict == Verdict::kFailed ? "BAD" : "NOT RUN";
}

int CheckRunner::count(Verdict verdict) const {
  return static_cast<int>(
      std::count_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.verdict == verdict; }));
}

int CheckRunner::report() const {
  std::printf("\n== what was checked\n");
  for (const Row& row : rows_)
    std::printf("%-7s  %-40s %7.1f s%s%s\n", word_of(row.verdict), row.name.c_str(), row.seconds,
                row.reason.empty() ? "" : "  ", row.reason.c_str());
  const int passed = count(Verdict::kPassed), failed = count(Verdict::kFailed),
            not_run = count(Verdict::kNotRun);
  const char* word = failed > 0 ? "FAILED" : not_run > 0 ? "INCOMPLETE" : "PASSED";
  std::printf("%s: %d passed, %d failed, %d not run\n", word, passed, failed, not_run);
  return failed > 0 ? 1 : not_run > 0 ? 3 : 0;
}

}  // namespace infcl::bench
