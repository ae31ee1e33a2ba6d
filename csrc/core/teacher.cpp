#include "core/teacher.h"

#include <cmath>

#include "core/objective.h"

namespace infcl {

double TeacherSums::mean_dot(int64_t a) const {
  if (lse.sum(a) == 0 || cross.sum(a) == 0) return 0;
  const double difference = static_cast<double>(cross.shift(a)) - lse.shift(a);
  if (difference < -1000) return 0;  // dots of 0 but for terms that weigh nothing
  return times_two_to(static_cast<int>(difference), cross.sum(a)) / lse.sum(a);
}

TeacherState::TeacherState(const Teacher& teacher, const std::vector<int64_t>& anchors)
    : teacher_(teacher), scale_(log2_scale(teacher.logit_scale)) {
  if (!teacher.given()) return;
  for (const int64_t count : anchors) {
    TeacherSums& sums = sums_.emplace_back();
    sums.lse.reset(count);
    sums.cross.reset(count);
  }
  positive_dots_.assign(static_cast<size_t>(teacher.queries.rows), 0.f);
}

TeacherFold TeacherState::fold(int rows, int columns) {
  if (!given()) return {};
  return {rows == kNone ? nullptr : &sums_[index(rows)], columns == kNone ? nullptr : &sums_[index(columns)],
          positive_dots_.data()};
}

TeacherGrad TeacherState::grad(int rows, int columns) const {
  if (!given()) return {};
  return {rows == kNone ? nullptr : &grads_[index(rows)],
          columns == kNone ? nullptr : &grads_[index(columns)]};
}

void TeacherState::add_positive(int n, int64_t anchor, int64_t query, float dot) {
  const Base2Logit y(positive_dots_[static_cast<size_t>(query)], scale_);
  TeacherSums& sums = sums_[index(n)];
  sums.lse.fold(anchor, y);
  sums.cross.fold(anchor, std::exp2(y.rest) * dot, static_cast<float>(y.whole));
}

void TeacherState::allocate_gradient() {
  grads_.resize(sums_.size());
  for (size_t n = 0; n < sums_.size(); ++n) {
    grads_[n].lse = &sums_[n].lse;
    grads_[n].weights.assign(static_cast<size_t>(sums_[n].lse.size()), 0.);
  }
}

double TeacherState::prepare(int n, int64_t anchor, int64_t query, double factor) {
  // `cross` keeps its own shift, so the mean of the dots stays the same.
  sums_[index(n)].lse.normalise(anchor, anchor + 1);
  grads_[index(n)].weights[static_cast<size_t>(anchor)] = factor;
  return positive_probability(n, anchor, query);
}

double TeacherState::positive_probability(int n, int64_t anchor, int64_t query) const {
  return sums_[index(n)].lse.softmax(Base2Logit(positive_dots_[static_cast<size_t>(query)], scale_), anchor);
}

}  // namespace infcl
