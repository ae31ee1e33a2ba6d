#include "cpu/tile_edits.h"

#include <algorithm>
#include <cmath>

namespace infcl::cpu {

EqualPairs::EqualPairs(int64_t most_columns) : shift_(32), next_(static_cast<size_t>(most_columns)) {
  size_t size = 1;
  while (size < 2 * next_.size()) {
    size *= 2;
    --shift_;
  }
  heads_.resize(size);
}

// Later columns go in first, so that chains run in ascending order, and with them every sum over pairs.
void EqualPairs::fill(const int32_t* values, Range range) {
  std::fill(heads_.begin(), heads_.end(), -1);
  for (int64_t at = range.size() - 1; at >= 0; --at) {
    int32_t& head = heads_[slot(values[range.begin + at])];
    next_[at] = head;
    head = static_cast<int32_t>(at);
  }
}

int64_t mask_pairs(const Tile& x, const PairMask& mask, EqualPairs& pairs) {
  int64_t count = 0;
  const auto exclude = [&](float& dot) {
    count += !is_masked(dot);
    dot = kMaskedDot;
  };
  if (x.diagonal)
    for (int64_t i = x.rows.begin; i < x.rows.end; ++i) x.at(i, i) = kMaskedDot;
  if (mask.row_ids)
    pairs.visit(mask.row_ids, x.rows, mask.column_ids, x.columns,
                [&](int64_t i, int64_t j) { exclude(x.at(i, j)); });
  if (mask.excluded.any())
    for (int64_t i = x.rows.begin; i < x.rows.end; ++i)
      mask.excluded.for_each_in(i, x.columns, [&](int64_t at) { exclude(x.at(i, mask.excluded.keys[at])); });
  if (mask.row_limits)
    for (int64_t j = x.columns.begin; j < x.columns.end; ++j) {
      const float column_limit = mask.column_limits ? mask.column_limits[j] : HUGE_VALF;
      for (int64_t i = x.rows.begin; i < x.rows.end; ++i)
        if (x.at(i, j) > std::min(mask.row_limits[i], column_limit)) exclude(x.at(i, j));
    }
  // the diagonal tile shows every pair twice
  return x.diagonal ? count / 2 : count;
}

void sum_dots(const Tile& x, DotSums& out) {
  std::fill(out.row_sums.begin(), out.row_sums.end(), 0.);
  std::fill(out.row_counts.begin(), out.row_counts.end(), 0);
  for (int64_t j = 0; j < x.columns.size(); ++j) {
    double sum = 0;
    int64_t count = 0;
    for (int64_t i = 0; i < x.rows.size(); ++i) {
      const float dot = x.data[j * x.stride + i];
      if (is_masked(dot)) continue;
      sum += dot;
      ++count;
      out.row_sums[i] += dot;
      ++out.row_counts[i];
    }
    out.column_sums[j] = sum;
    out.column_counts[j] = count;
  }
}

void sum_class_positives(const Tile& x, const Positives& p, EqualPairs& pairs, ClassSums& out) {
  std::fill(out.row_sums.begin(), out.row_sums.end(), 0.);
  std::fill(out.column_sums.begin(), out.column_sums.end(), 0.);
  std::fill(out.row_max.begin(), out.row_max.end(), -HUGE_VALF);
  pairs.visit(p.row_classes, x.rows, p.column_classes, x.columns, [&](int64_t i, int64_t j) {
    if (x.diagonal && i == j) return;
    const float dot = x.at(i, j);
    out.row_sums[i - x.rows.begin] += dot;
    out.column_sums[j - x.columns.begin] += dot;
    out.row_max[i - x.rows.begin] = std::max(out.row_max[i - x.rows.begin], dot);
  });
}

void subtract_uniform(const Tile& g, const std::vector<float>* rows, const std::vector<float>* columns,
                      const std::vector<int32_t>& masked) {
  for (int64_t j = 0; j < g.columns.size(); ++j) {
    const float column = columns ? (*columns)[g.columns.begin + j] : 0;
    for (int64_t i = 0; i < g.rows.size(); ++i)
      g.data[j * g.stride + i] -= column + (rows ? (*rows)[g.rows.begin + i] : 0);
  }
  for (int32_t at : masked) g.data[at] = 0;
}

void subtract_class_weights(const Tile& g, const Positives& p, const std::vector<float>* rows,
                            const std::vector<float>* columns, EqualPairs& pairs) {
  pairs.visit(p.row_classes, g.rows, p.column_classes, g.columns, [&](int64_t i, int64_t j) {
    if (g.diagonal && i == j) return;
    g.at(i, j) -= (rows ? (*rows)[i] : 0) + (columns ? (*columns)[j] : 0);
  });
}

LogitGradSums positives_change(const Tile& g, const Positives& p, const float* positive_dots,
                               const double* positive_grads) {
  LogitGradSums change;
  for_each_positive(g, p, [&](int64_t i, int64_t j, int64_t at) {
    const double more = positive_grads[at] - g.at(i, j);
    change.dot_sum += more * positive_dots[at];
    change.sum += more;
  });
  return change;
}

void sum_magnitudes(const Tile& g, float* rows, float* columns) {
  std::fill(rows, rows + g.rows.size(), 0.f);
  for (int64_t j = 0; j < g.columns.size(); ++j) {
    float sum = 0;
    for (int64_t i = 0; i < g.rows.size(); ++i) {
      const float magnitude = std::fabs(g.data[j * g.stride + i]);
      rows[i] += magnitude;
      sum += magnitude;
    }
    columns[j] = sum;
  }
}

void list_masked(const Tile& g, const float* scores, int64_t stride, std::vector<int32_t>& out) {
  out.clear();
  for (int64_t j = 0; j < g.columns.size(); ++j)
    for (int64_t i = 0; i < g.rows.size(); ++i)
      if (is_masked(scores[j * stride + i])) out.push_back(static_cast<int32_t>(j * g.stride + i));
}

}  // namespace infcl::cpu
