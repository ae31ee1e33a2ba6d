// A random search, and its answer from a sorted list of all scores. Features are small integers times a
// power of two: scores are exact in every element type, and often tie.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/search.h"
#include "exact_array.h"
#include "fuzz_bytes.h"
#include "fuzz_case.h"

namespace fuzz {

// A request that keeps to the rules that lib/ enforces, and its outputs.
class RandomSearch {
 public:
  explicit RandomSearch(Bytes& in) : in_(in), generator_(in.word()) {
    const bool large = in.rarely(16);
    rows_ = in.between(1, large ? 500 : 30);
    columns_ = in.between(1, large ? 1500 : 60);
    const int64_t dim = in.between(1, large ? 20 : 40);
    // up to 7 * 7 * 40, times powers of two: exact in float32, each factor exact in 16 bits
    const float unit = std::ldexp(1.f, static_cast<int>(in.between(-4, 4)));
    request.queries = matrix(queries_, rows_, dim, unit);
    request.keys = matrix(keys_, columns_, dim, unit);
    const int64_t ids = in.between(1, 2 * columns_);
    if (in.rarely(2)) {
      request.query_ids = integers(rows_, ids);
      request.key_ids = integers(columns_, ids);
    }
    if (in.rarely(2)) request.key_groups = integers(columns_, in.between(1, 2 * columns_));
    request.threads = static_cast<int>(in.below(6));
    if (in.rarely(4))
      request.workspace_bytes = in.flag() ? in.between(1, 60000) : in.between(1, 60000) * 1000;
    request.control.words = control_;
    request.wants_ranks = in.flag();
    if (request.wants_ranks) {
      choose_positives();
    } else {
      choose_top_k();
    }
  }

  void expect_answer() const {
    for (int64_t i = 0; i < rows_; ++i) {
      if (request.wants_ranks) {
        expect_rank(i);
      } else {
        expect_best(i);
      }
    }
  }

  infcl::SearchRequest request;

 private:
  struct Matrix : Features {
    std::vector<float> values;  // as the engine reads them, with the gaps between rows
  };

  void choose_top_k() {
    const int64_t k = in_.between(1, columns_);
    scores_ = ExactArray<float>(rows_ * k, in_.below(4));
    indices_ = ExactArray<int32_t>(rows_ * k, in_.below(4));
    request.top_k = {k, nullptr, scores_.data(), indices_.data()};
    if (!in_.rarely(3)) return;
    limits_ = ExactArray<float>(rows_, in_.below(4));
    // a limit is often a score
    for (int64_t i = 0; i < rows_; ++i)
      limits_[i] = score(i, static_cast<int64_t>(generator_.next() % static_cast<uint64_t>(columns_)));
    request.top_k.limits = limits_.data();
  }

  void choose_positives() {
    offsets_ = ExactArray<int32_t>(rows_ + 1, in_.below(4));
    offsets_[0] = 0;
    const int64_t most = in_.between(1, 4);
    for (int64_t i = 0; i < rows_; ++i)
      offsets_[i + 1] =
          offsets_[i] + 1 + static_cast<int32_t>(generator_.next() % static_cast<uint64_t>(most));
    int32_t* positives = integers(offsets_[rows_], columns_);
    optimistic_ = ExactArray<double>(rows_, in_.below(4));
    pessimistic_ = ExactArray<double>(rows_, in_.below(4));
    request.ranks = {offsets_.data(), positives, optimistic_.data(), pessimistic_.data()};
  }

  infcl::MatrixView matrix(Matrix& f, int64_t rows, int64_t dim, float unit) {
    const auto dtype = static_cast<infcl::DType>(in_.rarely(2) ? in_.below(3) : 0);
    const int64_t stride = dim + (in_.rarely(3) ? in_.below(9) : 0);
    const int64_t size = (rows - 1) * stride + dim, skip = in_.below(4);
    const bool wide = dtype == infcl::DType::kFloat32;
    if (wide)
      f.wide = ExactArray<float>(size, skip);
    else
      f.narrow = ExactArray<uint16_t>(size, skip);
    for (int64_t at = 0; at < size; ++at) {
      const float v = unit * static_cast<float>(static_cast<int64_t>(generator_.next() % 15) - 7);
      if (wide)
        f.wide[at] = v;
      else
        f.narrow[at] = dtype == infcl::DType::kFloat16 ? to_half(v) : to_bfloat(v);
      f.values.push_back(v);
    }
    f.view = {wide ? static_cast<const void*>(f.wide.data()) : f.narrow.data(), dtype, rows, dim, stride, {}};
    return f.view;
  }

  int32_t* integers(int64_t count, int64_t below) {
    ExactArray<int32_t> array(count, in_.below(4));
    for (int64_t i = 0; i < count; ++i)
      array[i] = static_cast<int32_t>(generator_.next() % static_cast<uint64_t>(below));
    integers_.push_back(std::move(array));
    return integers_.back().data();
  }

  float score(int64_t i, int64_t j) const {
    float sum = 0;
    for (int64_t d = 0; d < request.queries.dim; ++d)
      sum += queries_.values[static_cast<size_t>(i * request.queries.stride + d)] *
             keys_.values[static_cast<size_t>(j * request.keys.stride + d)];
    return sum;
  }

  // Keys that count for query i, best first: equal ids are left out, and all of a group but its best one.
  std::vector<int32_t> ranking(int64_t i, const std::vector<float>& scores) const {
    std::vector<int32_t> order, out;
    for (int32_t j = 0; j < columns_; ++j) order.push_back(j);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return scores[a] > scores[b]; });
    std::vector<bool> seen(static_cast<size_t>(2 * columns_));
    for (const int32_t j : order) {
      if (request.query_ids && request.query_ids[i] == request.key_ids[j]) continue;
      if (request.top_k.limits && scores[j] > request.top_k.limits[i]) continue;
      if (request.key_groups) {
        if (seen[request.key_groups[j]]) continue;
        seen[request.key_groups[j]] = true;
      }
      out.push_back(j);
    }
    return out;
  }

  std::vector<float> scores_of(int64_t i) const {
    std::vector<float> scores;
    for (int64_t j = 0; j < columns_; ++j) scores.push_back(score(i, j));
    return scores;
  }

  void expect_best(int64_t i) const {
    const std::vector<float> scores = scores_of(i);
    const std::vector<int32_t> best = ranking(i, scores);
    const int64_t k = request.top_k.k;
    for (int64_t at = 0; at < k; ++at) {
      const bool any = at < static_cast<int64_t>(best.size());
      const int32_t index = any ? best[at] : -1;
      const float expected = any ? scores[index] : -HUGE_VALF;
      EXPECT(indices_[i * k + at] == index && scores_[i * k + at] == expected,
             "query %ld, place %ld: key %d (%g) instead of %d (%g)", (long)i, (long)at, indices_[i * k + at],
             scores_[i * k + at], index, expected);
    }
  }

  void expect_rank(int64_t i) const {
    const std::vector<float> scores = scores_of(i);
    const int32_t *begin = request.ranks.positives + offsets_[i],
                  *end = request.ranks.positives + offsets_[i + 1];
    float own = -HUGE_VALF;
    for (const int32_t* p = begin; p < end; ++p) own = std::max(own, scores[*p]);
    const int32_t* groups = request.key_groups;
    double greater = 0, equal = 0;
    for (const int32_t j : ranking(i, scores)) {
      if (std::any_of(begin, end, [&](int32_t p) { return groups ? groups[p] == groups[j] : p == j; }))
        continue;
      greater += scores[j] > own;
      equal += scores[j] == own;
    }
    EXPECT(optimistic_[i] == 1 + greater && pessimistic_[i] == 1 + greater + equal,
           "query %ld: ranks %g to %g instead of %g to %g", (long)i, optimistic_[i], pessimistic_[i],
           1 + greater, 1 + greater + equal);
  }

  Bytes& in_;
  Generator generator_;
  int64_t rows_ = 0, columns_ = 0;
  Matrix queries_, keys_;
  ExactArray<float> scores_, limits_;
  ExactArray<int32_t> indices_, offsets_;
  ExactArray<double> optimistic_, pessimistic_;
  std::vector<ExactArray<int32_t>> integers_;
  int32_t control_[infcl::Control::kWords] = {0, 0, 0};
};

}  // namespace fuzz
