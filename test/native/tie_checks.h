// Copies of a positive, on every backend: they are neither beyond its limit nor ahead of it, whatever the
// number of features and their type. Knows no backend.
#pragma once

#include <cmath>
#include <vector>

#include "check.h"
#include "engine_cases.h"
#include "solver.h"

namespace cases {

// Rows of m by index.
inline Matrix gather(const Matrix& m, const std::vector<int64_t>& rows) {
  Matrix out{{{}, static_cast<int64_t>(rows.size()), m.wide.dim}, {}, m.dtype};
  for (const int64_t i : rows)
    for (int64_t d = 0; d < m.wide.dim; ++d) {
      out.wide.data.push_back(m.wide.data[i * m.wide.dim + d]);
      if (!m.bits.empty()) out.bits.push_back(m.bits[i * m.wide.dim + d]);
    }
  return out;
}

inline Matrix random_matrix(int64_t rows, int64_t dim, unsigned seed, infcl::DType dtype) {
  Case c{"ties", {}, rows, rows, dim, dtype};
  return make_matrix(c, rows, seed, false);
}

struct Arithmetic {
  infcl::DType dtype;
  bool bfloat16;
};

// 150 questions, of which several have the same answer: a pair of copies is never masked, any other as the
// oracle says. bfloat16 features need no rounding, so the oracle has their dots too.
inline void check_copies_among_keys(const Solver& s, int64_t dim, Arithmetic arithmetic) {
  const int64_t rows = 150;
  std::vector<int64_t> answers;
  for (int64_t i = 0; i < rows; ++i) answers.push_back(i * i % 40);
  const Matrix q = random_matrix(rows, dim, 1, arithmetic.dtype),
               k = gather(random_matrix(40, dim, 2, arithmetic.dtype), answers);
  for (const auto kind : {ObjectiveKind::kInfoNce, ObjectiveKind::kClip}) {
    infcl::ContrastiveRequest r = request(kind, 5);
    r.has_margin = true;
    r.bfloat16 = arithmetic.bfloat16;
    infcl::ContrastiveRequest wide = r;
    r.queries = q.view();
    r.keys = k.view();
    const Run got = s.run(r);
    const int64_t masked = got.result.stats.masked_pairs, most = oracle::masked_pairs(wide, q.wide, k.wide);
    infcl::ContrastiveRequest beyond = wide;
    beyond.margin = s.limit_slack;
    const int64_t least = oracle::masked_pairs(beyond, q.wide, k.wide);
    CHECK(least <= masked && masked <= most, "%s D=%ld: %ld masked, right %ld to %ld", s.who(),
          static_cast<long>(dim), static_cast<long>(masked), static_cast<long>(least),
          static_cast<long>(most));
    if (masked < most) continue;
    const oracle::Result ref = oracle::dense(wide, q.wide, k.wide);
    CHECK(std::fabs(got.result.loss - ref.loss) <= s.bound * std::fmax(1, ref.loss),
          "%s D=%ld: loss %g, right %g", s.who(), static_cast<long>(dim), got.result.loss, ref.loss);
  }
}

// One answer to all questions: nothing is masked.
inline void check_one_answer(const Solver& s, int64_t dim, Arithmetic arithmetic) {
  const Matrix q = random_matrix(64, dim, 1, arithmetic.dtype),
               k = gather(random_matrix(1, dim, 2, arithmetic.dtype), std::vector<int64_t>(64, 0));
  for (const auto kind : {ObjectiveKind::kInfoNce, ObjectiveKind::kClip}) {
    infcl::ContrastiveRequest r = request(kind, 14);
    r.has_margin = kind == ObjectiveKind::kInfoNce;  // clip: a key's own limit is another query's
    r.bfloat16 = arithmetic.bfloat16;
    r.queries = q.view();
    r.keys = k.view();
    const Run got = s.run(r);
    CHECK(got.result.stats.masked_pairs == 0, "%s D=%ld: %ld masked", s.who(), static_cast<long>(dim),
          static_cast<long>(got.result.stats.masked_pairs));
    if (kind == ObjectiveKind::kInfoNce)
      CHECK(std::fabs(got.result.loss - std::log(64.)) <= s.bound * std::log(64.), "%s D=%ld: loss %.9g",
            s.who(), static_cast<long>(dim), got.result.loss);
    CHECK(kind != ObjectiveKind::kInfoNce || got.result.accuracy == 1, "%s D=%ld: accuracy %g", s.who(),
          static_cast<long>(dim), got.result.accuracy);
  }
}

// Five rows, many times on both sides: whatever a row is compared with, a copy ties, and no other is as near.
inline void check_copies_on_both_sides(const Solver& s, int64_t dim, Arithmetic arithmetic) {
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < 150; ++i) rows.push_back(i * i % 5);
  const Matrix m = gather(random_matrix(5, dim, 4, arithmetic.dtype), rows);
  for (const auto kind : {ObjectiveKind::kInfoNce, ObjectiveKind::kClip, ObjectiveKind::kNtXent}) {
    infcl::ContrastiveRequest r = request(kind, 5);
    r.has_margin = true;
    r.bfloat16 = arithmetic.bfloat16;
    r.queries = r.keys = m.view();
    const int64_t masked = s.run(r).result.stats.masked_pairs, most = oracle::masked_pairs(r, m.wide, m.wide);
    CHECK(masked <= most, "%s D=%ld: %ld masked, right %ld", s.who(), static_cast<long>(dim),
          static_cast<long>(masked), static_cast<long>(most));
  }
}

// Hard negatives that are the positive itself.
inline void check_copies_among_hard_negatives(const Solver& s, int64_t dim, Arithmetic arithmetic) {
  const int64_t rows = 120, per_query = 3;
  const Matrix k = random_matrix(rows, dim, 3, arithmetic.dtype);
  std::vector<int64_t> copies;
  for (int64_t i = 0; i < rows * per_query; ++i) copies.push_back(i / per_query);
  const Matrix hard = gather(k, copies);
  infcl::ContrastiveRequest r = request(ObjectiveKind::kInfoNce, 20);
  r.bfloat16 = arithmetic.bfloat16;
  r.queries = r.keys = k.view();
  for (const bool margin : {false, true}) {
    r.has_margin = margin;
    r.hard_negatives = {};
    r.hard_negatives_per_query = 0;
    const infcl::ContrastiveResult alone = s.run(r).result;
    r.hard_negatives = hard.view();
    r.hard_negatives_per_query = per_query;
    const infcl::ContrastiveResult got = s.run(r).result;
    CHECK(got.accuracy == alone.accuracy, "%s D=%ld: accuracy %g, without copies %g", s.who(),
          static_cast<long>(dim), got.accuracy, alone.accuracy);
    CHECK(got.stats.masked_pairs == alone.stats.masked_pairs, "%s D=%ld: %ld masked, without copies %ld",
          s.who(), static_cast<long>(dim), static_cast<long>(got.stats.masked_pairs),
          static_cast<long>(alone.stats.masked_pairs));
  }
}

// Every objective, on numbers of features around those that products are cut into.
inline void check_ties(const Solver& s) {
  for (const int64_t dim : {2, 3, 16, 37, 48, 64, 200, 513})
    for (const Arithmetic a : {Arithmetic{infcl::DType::kFloat32, false},
                               {infcl::DType::kFloat16, false},
                               {infcl::DType::kBFloat16, false},
                               {infcl::DType::kBFloat16, true}}) {
      check_copies_among_keys(s, dim, a);
      check_one_answer(s, dim, a);
      check_copies_on_both_sides(s, dim, a);
      check_copies_among_hard_negatives(s, dim, a);
    }
}

}  // namespace cases
