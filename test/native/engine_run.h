// One problem, solved by an engine and by the dense oracle, and how far apart the answers are. What is near
// enough is each backend's business.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/backend.h"
#include "core/engine.h"
#include "dense_oracle.h"

namespace cases {

using infcl::ObjectiveKind;
using oracle::Features;

struct Case {
  std::string name;
  infcl::ContrastiveRequest request;  // without matrices
  int64_t rows, keys, dim;
  infcl::DType dtype = infcl::DType::kFloat32;
  bool alike = false;                      // a strong common direction: all dots near one
  bool uneven_rows = false;                // norms of the queries from 0 to 4
  int64_t guide_dim = 0, teacher_dim = 0;  // of a guide and a teacher, whose features are coarse; 0: none
  bool coarse = false;  // features of so few bits that any arithmetic has their dots exactly
  // Sizes below which an error is not relative. 0 for feature gradients: a hundredth of the usual size.
  double gradient_floor = 0, scalar_floor = 1e-2;
};

// Rounds towards zero, to what the type can hold, and leaves the bits.
inline std::vector<uint16_t> narrow(Features& f, infcl::DType dtype) {
  std::vector<uint16_t> bits;
  for (float& v : f.data) {
    uint32_t word;
    std::memcpy(&word, &v, sizeof v);
    if (dtype == infcl::DType::kBFloat16) {
      bits.push_back(static_cast<uint16_t>(word >> 16));
      word &= 0xffff0000u;
    } else {
      const int exponent = static_cast<int>(word >> 23 & 255) - 127;
      const uint32_t sign = word >> 31;
      const bool normal = exponent >= -14;
      bits.push_back(static_cast<uint16_t>(
          sign << 15 | (normal ? static_cast<uint32_t>(exponent + 15) << 10 | (word >> 13 & 1023) : 0)));
      word = normal ? word & 0xffffe000u : sign << 31;
    }
    std::memcpy(&v, &word, sizeof v);
  }
  return bits;
}

// One side's features, as the oracle and as the engine see them.
struct Matrix {
  Features wide;
  std::vector<uint16_t> bits;
  infcl::DType dtype;
  infcl::MatrixView view() const {
    if (dtype == infcl::DType::kFloat32) return wide.view();
    return {bits.data(), dtype, wide.rows, wide.dim, wide.dim, {}};
  }
};

inline Matrix make_matrix(const Case& c, int64_t rows, unsigned seed, bool uneven) {
  Matrix m{oracle::random_features(rows, c.dim, seed, c.alike ? 40 : 1), {}, c.dtype};
  if (uneven)
    for (int64_t at = 0; at < rows * c.dim; ++at)
      m.wide.data[static_cast<size_t>(at)] *= static_cast<float>(at / c.dim % 5);
  if (c.coarse)
    for (float& v : m.wide.data) v = std::round(16 * v) / 16;
  if (c.dtype != infcl::DType::kFloat32) m.bits = narrow(m.wide, c.dtype);
  return m;
}

// Features of a guide or a teacher. A sixteenth is a step of all types, so no type changes a dot.
inline Matrix make_frozen(const Case& c, int64_t dim, int64_t rows, unsigned seed) {
  Case own = c;
  own.dim = std::max<int64_t>(1, dim);
  own.alike = false;
  own.coarse = true;
  return make_matrix(own, dim > 0 ? rows : 0, seed, false);
}

struct Inputs {
  explicit Inputs(const Case& c)
      : queries(make_matrix(c, c.rows, 1, c.uneven_rows)),
        keys(make_matrix(c, c.keys, 2, false)),
        hard(make_matrix(c, c.request.hard_negative_rows().of(c.rows - 1).end, 3, false)),
        guide_queries(make_frozen(c, c.guide_dim, c.rows, 4)),
        guide_keys(make_frozen(c, c.guide_dim, c.keys, 5)),
        guide_hard(make_frozen(c, c.guide_dim, c.request.hard_negative_rows().of(c.rows - 1).end, 6)),
        teacher_queries(make_frozen(c, c.teacher_dim, c.rows, 7)),
        teacher_keys(make_frozen(c, c.teacher_dim, c.keys, 8)) {}
  // The request with what it is about.
  infcl::ContrastiveRequest request(const Case& c) const {
    infcl::ContrastiveRequest r = c.request;
    r.queries = queries.view();
    r.keys = keys.view();
    r.hard_negatives = hard.view();
    r.guide.queries = guide_queries.view();
    r.guide.keys = guide_keys.view();
    r.guide.hard_negatives = guide_hard.view();
    r.teacher.queries = teacher_queries.view();
    r.teacher.keys = teacher_keys.view();
    return r;
  }
  oracle::Result solve(const Case& c) const {
    infcl::ContrastiveRequest r = c.request;
    r.queries = queries.wide.view();
    r.keys = keys.wide.view();
    r.hard_negatives = hard.wide.view();
    r.guide.queries = guide_queries.wide.view();
    r.guide.keys = guide_keys.wide.view();
    r.guide.hard_negatives = guide_hard.wide.view();
    r.teacher.queries = teacher_queries.wide.view();
    r.teacher.keys = teacher_keys.wide.view();
    return oracle::dense(r, queries.wide, keys.wide);
  }
  Matrix queries, keys, hard, guide_queries, guide_keys, guide_hard, teacher_queries, teacher_keys;
};

struct Run {
  infcl::ContrastiveResult result;
  std::vector<float> d_queries, d_keys, d_hard;
};

// Outputs start as garbage: the engine must not count on zeros.
inline Run run(infcl::Backend& backend, infcl::ContrastiveRequest r) {
  const auto garbage = [](const infcl::MatrixView& m) {
    return std::vector<float>(static_cast<size_t>(m.rows * m.dim), 7.f);
  };
  Run out{{}, garbage(r.queries), garbage(r.keys), garbage(r.hard_negatives)};
  r.gradient = true;
  r.d_queries = out.d_queries.data();
  r.d_keys = r.keys.rows > 0 ? out.d_keys.data() : nullptr;
  r.d_key_rows = r.keys.rows;
  r.d_hard_negatives = r.hard_negatives.rows > 0 ? out.d_hard.data() : nullptr;
  out.result = infcl::contrastive(r, backend);
  return out;
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || !std::memcmp(a.data(), b.data(), a.size() * sizeof(float)));
}

inline bool same_bits(const Run& a, const Run& b) {
  return a.result.loss == b.result.loss && a.result.logit_scale_grad == b.result.logit_scale_grad &&
         same_bits(a.d_queries, b.d_queries) && same_bits(a.d_keys, b.d_keys) &&
         same_bits(a.d_hard, b.d_hard);
}

struct Errors {
  double loss, d_queries, d_keys, d_hard, d_scale, d_bias;
  // The largest of all but the loss's; NaN if any is.
  double gradient() const {
    double most = 0;
    for (const double e : {d_queries, d_keys, d_hard, d_scale, d_bias}) {
      if (std::isnan(e)) return e;
      most = std::fmax(most, e);
    }
    return most;
  }
};

inline Errors compare(const Case& c, const Run& run, const oracle::Result& ref) {
  // a gradient that cancels is held to the size it usually has
  const double usual = 1e-2 * c.request.logit_scale / std::sqrt(static_cast<double>(c.rows));
  const double floor = c.gradient_floor > 0 ? c.gradient_floor : usual;
  const auto scalar = [&](double a, double b) {
    return std::fabs(a - b) / std::fmax(c.scalar_floor, std::fabs(b));
  };
  return {std::fabs(run.result.loss - ref.loss) / std::fmax(1, std::fabs(ref.loss)),
          oracle::relative_error(run.d_queries, ref.d_queries, floor),
          oracle::relative_error(run.d_keys, ref.d_keys, floor),
          oracle::relative_error(run.d_hard, ref.d_hard, floor),
          scalar(run.result.logit_scale_grad, ref.logit_scale_grad),
          scalar(run.result.logit_bias_grad, ref.logit_bias_grad)};
}

inline std::string describe(const Case& c, const Errors& e) {
  char text[256];
  std::snprintf(text, sizeof text,
                "%s M=%ld N=%ld D=%ld s=%g: loss %.1e d_queries %.1e d_keys %.1e d_hard %.1e d_scale %.1e "
                "d_bias %.1e",
                c.name.c_str(), static_cast<long>(c.rows), static_cast<long>(c.keys),
                static_cast<long>(c.dim), c.request.logit_scale, e.loss, e.d_queries, e.d_keys, e.d_hard,
                e.d_scale, e.d_bias);
  return text;
}

}  // namespace cases
