// Who is missing, when an operation does not move: a rank asks the others how many operations they have
// begun, and blames those that give no answer, or that have begun the least and wait for nobody. Knows
// nothing of time and of messages.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace infcl::mpi {

class Enquiry {
 public:
  struct Answer {
    int64_t operations;  // that the rank has begun
    bool waits;          // for messages of others: then a third rank is to blame
  };

  // `others`: the ranks that are asked.
  Enquiry(int64_t operation, std::set<int> others) : operation_(operation), silent_(std::move(others)) {}

  void answer(int rank, Answer answer) {
    if (silent_.erase(rank) > 0) answers_[rank] = answer;
  }

  // "rank 2 waited 3.5 s in exchange 12: not called by rank 1". A rank that waits itself is not to blame.
  std::string verdict(int rank, double seconds) const;

 private:
  const int64_t operation_;
  std::set<int> silent_;
  std::map<int, Answer> answers_;
};

}  // namespace infcl::mpi
