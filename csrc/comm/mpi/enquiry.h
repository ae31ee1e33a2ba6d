// Who is missing, when an operation does not move: a rank asks the others how many operations they have
// begun, and blames those that have begun the least, or that give no answer. Knows nothing of time and of
// messages.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace infcl::mpi {

class Enquiry {
 public:
  // `others`: the ranks of the operation.
  Enquiry(int64_t operation, std::set<int> others) : operation_(operation), silent_(std::move(others)) {}

  void answer(int rank, int64_t operations) {
    if (silent_.erase(rank) > 0) begun_[rank] = operations;
  }

  // "rank 2 waited 3.5 s in exchange 12: not called by rank 1". A rank that waits itself is not to blame.
  std::string verdict(int rank, double seconds) const;

 private:
  const int64_t operation_;
  std::set<int> silent_;
  std::map<int, int64_t> begun_;  // operations of those that have answered
};

}  // namespace infcl::mpi
