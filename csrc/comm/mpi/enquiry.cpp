#include "comm/mpi/enquiry.h"

#include <algorithm>
#include <cstdio>

namespace infcl::mpi {

namespace {

std::string list(const std::set<int>& ranks) {
  constexpr size_t kShown = 8;
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  size_t shown = 0;
  for (const int rank : ranks) {
    if (shown == kShown) return text + " and " + std::to_string(ranks.size() - kShown) + " more";
    text += (shown++ > 0 ? ", " : "") + std::to_string(rank);
  }
  return text;
}

}  // namespace

std::string Enquiry::verdict(int rank, double seconds) const {
  int64_t least = operation_;
  for (const auto& [other, answer] : answers_)
    if (!answer.waits) least = std::min(least, answer.operations);
  std::set<int> late;
  for (const auto& [other, answer] : answers_)
    if (!answer.waits && answer.operations == least && least < operation_) late.insert(other);
  std::string why;
  if (!late.empty()) why = "not called by " + list(late);
  if (!silent_.empty()) why += (why.empty() ? "" : "; ") + std::string("no answer from ") + list(silent_);
  if (why.empty()) why = "all ranks have called it, but its messages do not move";
  char waited[32];
  std::snprintf(waited, sizeof waited, "%.1f", seconds);
  return "rank " + std::to_string(rank) + " waited " + waited + " s in exchange " +
         std::to_string(operation_) + ": " + why;
}

}  // namespace infcl::mpi
