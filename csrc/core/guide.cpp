#include "core/guide.h"

#include <cmath>

namespace infcl {

// A fraction of |dot| lowers the limit of a negative dot too. A fraction of the dot itself would raise it.
float Guide::limit(float positive_dot) const {
  const double dot = positive_dot;
  return static_cast<float>(dot - (relative ? std::fabs(dot) * margin : margin));
}

GuideState::GuideState(const Guide& guide)
    : guide_(guide),
      limits_(static_cast<size_t>(guide.queries.rows)),
      hard_negative_dots_(static_cast<size_t>(guide.hard_negatives.rows)) {}

void GuideState::set_limits() {
  for (float& limit : limits_) limit = guide_.limit(limit);
}

std::vector<uint8_t> GuideState::excluded_hard_negatives(const HardNegativeRows& rows) const {
  std::vector<uint8_t> excluded(hard_negative_dots_.size());
  for (size_t i = 0; i < limits_.size(); ++i) {
    const Range own = rows.of(static_cast<int64_t>(i));
    for (int64_t at = own.begin; at < own.end; ++at) excluded[at] = hard_negative_dots_[at] > limits_[i];
  }
  return excluded;
}

}  // namespace infcl
