// What is compared comes from one product, on every instruction set: exact copies of a positive are neither
// beyond its limit nor ahead of it, whatever the number of features and their type.
#include <cmath>
#include <cstring>
#include <string>

#include "check.h"
#include "cpu_engine.h"
#include "engine_cases.h"

using cases::Case;
using cases::Matrix;
using cases::Run;

namespace {

// Rows of m by index.
Matrix gather(const Matrix& m, const std::vector<int64_t>& rows) {
  Matrix out{{{}, static_cast<int64_t>(rows.size()), m.wide.dim}, {}, m.dtype};
  for (const int64_t i : rows)
    for (int64_t d = 0; d < m.wide.dim; ++d) {
      out.wide.data.push_back(m.wide.data[i * m.wide.dim + d]);
      if (!m.bits.empty()) out.bits.push_back(m.bits[i * m.wide.dim + d]);
    }
  return out;
}

Matrix random_matrix(int64_t rows, int64_t dim, unsigned seed, infcl::DType dtype) {
  Case c{"ties", {}, rows, rows, dim, dtype};
  return cases::make_matrix(c, rows, seed, false);
}

struct Arithmetic {
  infcl::DType dtype;
  bool bfloat16;
};

// 150 questions, of which several have the same answer: a pair of copies is never masked, any other as the
// oracle says. bfloat16 features need no rounding, so the oracle has their dots too.
void test_copies_among_keys(Engine& e, int64_t dim, Arithmetic arithmetic) {
  const int64_t rows = 150;
  std::vector<int64_t> answers;
  for (int64_t i = 0; i < rows; ++i) answers.push_back(i * i % 40);
  const Matrix q = random_matrix(rows, dim, 1, arithmetic.dtype),
               k = gather(random_matrix(40, dim, 2, arithmetic.dtype), answers);
  for (const auto kind : {cases::ObjectiveKind::kInfoNce, cases::ObjectiveKind::kClip}) {
    infcl::ContrastiveRequest r = cases::request(kind, 5);
    r.has_margin = true;
    r.bfloat16 = arithmetic.bfloat16;
    infcl::ContrastiveRequest wide = r;
    r.queries = q.view();
    r.keys = k.view();
    const Run got = run(e, r, 2, 0);
    const int64_t masked = oracle::masked_pairs(wide, q.wide, k.wide);
    CHECK(got.result.stats.masked_pairs == masked, "%s D=%ld: %ld masked, right %ld", e.isa.c_str(),
          static_cast<long>(dim), static_cast<long>(got.result.stats.masked_pairs),
          static_cast<long>(masked));
    const oracle::Result ref = oracle::dense(wide, q.wide, k.wide);
    CHECK(std::fabs(got.result.loss - ref.loss) <= 1e-6 * std::fmax(1, ref.loss),
          "%s D=%ld: loss %g, right %g", e.isa.c_str(), static_cast<long>(dim), got.result.loss, ref.loss);
  }
}

// One answer to all questions: nothing is masked.
void test_one_answer(Engine& e, int64_t dim, Arithmetic arithmetic) {
  const Matrix q = random_matrix(64, dim, 1, arithmetic.dtype),
               k = gather(random_matrix(1, dim, 2, arithmetic.dtype), std::vector<int64_t>(64, 0));
  for (const auto kind : {cases::ObjectiveKind::kInfoNce, cases::ObjectiveKind::kClip}) {
    infcl::ContrastiveRequest r = cases::request(kind, 14);
    r.has_margin = kind == cases::ObjectiveKind::kInfoNce;  // clip: a key's own limit is another query's
    r.bfloat16 = arithmetic.bfloat16;
    r.queries = q.view();
    r.keys = k.view();
    const Run got = run(e, r, 1, 0);
    CHECK(got.result.stats.masked_pairs == 0, "%s D=%ld: %ld masked", e.isa.c_str(), static_cast<long>(dim),
          static_cast<long>(got.result.stats.masked_pairs));
    if (kind == cases::ObjectiveKind::kInfoNce)
      CHECK(std::fabs(got.result.loss - std::log(64.)) <= 1e-6 * std::log(64.), "%s D=%ld: loss %.9g",
            e.isa.c_str(), static_cast<long>(dim), got.result.loss);
    CHECK(kind != cases::ObjectiveKind::kInfoNce || got.result.accuracy == 1, "%s D=%ld: accuracy %g",
          e.isa.c_str(), static_cast<long>(dim), got.result.accuracy);
  }
}

// Hard negatives that are the positive itself.
void test_copies_among_hard_negatives(Engine& e, int64_t dim, Arithmetic arithmetic) {
  const int64_t rows = 120, per_query = 3;
  const Matrix k = random_matrix(rows, dim, 3, arithmetic.dtype);
  std::vector<int64_t> copies;
  for (int64_t i = 0; i < rows * per_query; ++i) copies.push_back(i / per_query);
  const Matrix hard = gather(k, copies);
  infcl::ContrastiveRequest r = cases::request(cases::ObjectiveKind::kInfoNce, 20);
  r.bfloat16 = arithmetic.bfloat16;
  r.queries = r.keys = k.view();
  for (const bool margin : {false, true}) {
    r.has_margin = margin;
    r.hard_keys = {};
    r.hard_per_query = 0;
    const infcl::ContrastiveResult alone = run(e, r, 1, 0).result;
    r.hard_keys = hard.view();
    r.hard_per_query = per_query;
    const infcl::ContrastiveResult got = run(e, r, 2, 0).result;
    CHECK(got.accuracy == alone.accuracy, "%s D=%ld: accuracy %g, without copies %g", e.isa.c_str(),
          static_cast<long>(dim), got.accuracy, alone.accuracy);
    CHECK(got.stats.masked_pairs == alone.stats.masked_pairs, "%s D=%ld: %ld masked, without copies %ld",
          e.isa.c_str(), static_cast<long>(dim), static_cast<long>(got.stats.masked_pairs),
          static_cast<long>(alone.stats.masked_pairs));
  }
}

// Private negatives are rounded as the rest is: the loss is that of the rounded problem.
void test_rounded_hard_negatives(Engine& e) {
  const int64_t rows = 200, dim = 64, per_query = 4;
  const Matrix q = random_matrix(rows, dim, 1, infcl::DType::kFloat32),
               k = random_matrix(rows, dim, 2, infcl::DType::kFloat32),
               hard = random_matrix(rows * per_query, dim, 3, infcl::DType::kFloat32);
  infcl::ContrastiveRequest r = cases::request(cases::ObjectiveKind::kInfoNce, 20);
  r.bfloat16 = true;
  r.hard_per_query = per_query;
  const auto with = [&](const Matrix& a, const Matrix& b, const Matrix& c) {
    infcl::ContrastiveRequest whole = r;
    whole.queries = a.view();
    whole.keys = b.view();
    whole.hard_keys = c.view();
    return run(e, whole, 1, 0).result;
  };
  const auto rounded = [](const Matrix& m) {
    Matrix out{m.wide, {}, infcl::DType::kFloat32};
    for (float& v : out.wide.data) {
      uint32_t bits;
      std::memcpy(&bits, &v, sizeof bits);
      bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
      std::memcpy(&v, &bits, sizeof v);
    }
    return out;
  };
  const infcl::ContrastiveResult got = with(q, k, hard);
  if (got.stats.isa == e.isa) return;  // without bfloat16 products nothing is rounded
  const double right = with(rounded(q), rounded(k), rounded(hard)).loss;
  CHECK(got.loss == right, "%s: %.9g, of rounded features %.9g", got.stats.isa.c_str(), got.loss, right);
}

}  // namespace

int main() {
  for (const std::string& isa : infcl::cpu_info({}).isas) {
    Engine e{isa};
    for (const int64_t dim : {2, 3, 16, 37, 48, 64, 200, 513})
      for (const Arithmetic a : {Arithmetic{infcl::DType::kFloat32, false},
                                 {infcl::DType::kFloat16, false},
                                 {infcl::DType::kBFloat16, false},
                                 {infcl::DType::kBFloat16, true}}) {
        test_copies_among_keys(e, dim, a);
        test_one_answer(e, dim, a);
        test_copies_among_hard_negatives(e, dim, a);
      }
    test_rounded_hard_negatives(e);
  }
  return check::summary();
}
