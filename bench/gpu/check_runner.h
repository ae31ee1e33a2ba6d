// Runs checks one after another, each in a process of its own and within its limit of time, and says at the
// end what passed, what failed and what did not run.
#pragma once

#include <limits>
#include <string>
#include <vector>

namespace infcl::bench {

struct CheckLimits {
  double check_seconds = 300;                                // of each check
  double seconds = std::numeric_limits<double>::infinity();  // of all, from `start` on
  double start = 0;                                          // by now_seconds
};

class CheckRunner {
 public:
  // `command` and the name of a check: the program that runs this check.
  CheckRunner(const CheckLimits& limits, std::vector<std::string> command);
  void run(const std::string& name);
  // Prints the list. Exit status of the whole: 0, 1 when any has failed, else 3 when any has not run.
  int report() const;

 private:
  enum class Verdict { kPassed, kFailed, kNotRun };
  struct Row {
    std::string name;
    Verdict verdict;
    double seconds;
    std::string reason;
  };
  static const char* word_of(Verdict);
  int count(Verdict) const;

  const CheckLimits limits_;
  const std::vector<std::string> command_;
  std::vector<Row> rows_;
};

}  // namespace infcl::bench
