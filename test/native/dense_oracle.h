// The slow, obvious float64 contrastive loss that the native tests hold the engine against: the whole M x N
// matrix.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "core/contrastive.h"

namespace oracle {

struct Features {
  std::vector<float> data;
  int64_t rows, dim;
  infcl::MatrixView view() const { return {data.data(), infcl::DType::kFloat32, rows, dim, dim}; }
};

// Unit rows that share a direction, so that logits are neither all alike nor centred on zero.
inline Features random_features(int64_t rows, int64_t dim, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  Features f{std::vector<float>(static_cast<size_t>(rows * dim)), rows, dim};
  for (int64_t i = 0; i < rows; ++i) {
    double norm = 0;
    for (int64_t d = 0; d < dim; ++d) {
      const float v = normal(generator) + (d == 0 ? 1.f : 0.f);
      f.data[i * dim + d] = v;
      norm += static_cast<double>(v) * v;
    }
    for (int64_t d = 0; d < dim; ++d) f.data[i * dim + d] /= static_cast<float>(std::sqrt(norm));
  }
  return f;
}

struct Result {
  double loss = 0, logit_scale_grad = 0;
  std::vector<double> d_queries, d_keys;
};

inline Result dense(const Features& q, const Features& k, const infcl::Objective& o, double scale,
                    const int32_t* labels) {
  const int64_t m = q.rows, n = k.rows, dim = q.dim;
  std::vector<double> x(static_cast<size_t>(m * n)), row(m), column(n);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double dot = 0;
      for (int64_t d = 0; d < dim; ++d) dot += static_cast<double>(q.data[i * dim + d]) * k.data[j * dim + d];
      x[i * n + j] = scale * dot;
    }
  const auto lse = [&](int64_t start, int64_t step, int64_t count) {
    double max = -HUGE_VAL, sum = 0;
    for (int64_t t = 0; t < count; ++t) max = std::fmax(max, x[start + t * step]);
    for (int64_t t = 0; t < count; ++t) sum += std::exp(x[start + t * step] - max);
    return max + std::log(sum);
  };
  for (int64_t i = 0; i < m; ++i) row[i] = lse(i * n, 1, n);
  for (int64_t j = 0; j < n; ++j) column[j] = lse(j, n, m);
  Result r;
  r.d_queries.assign(static_cast<size_t>(m * dim), 0);
  r.d_keys.assign(static_cast<size_t>(n * dim), 0);
  for (int64_t i = 0; i < m; ++i) {
    const int64_t p = labels ? labels[i] : i;
    r.loss += (o.row_weight * (row[i] - x[i * n + p]) + o.column_weight * (column[p] - x[i * n + p])) / m;
    for (int64_t j = 0; j < n; ++j) {
      const double g = (o.row_weight * (std::exp(x[i * n + j] - row[i]) - (j == p)) +
                        o.column_weight * (std::exp(x[i * n + j] - column[j]) - (j == p))) /
                       m;
      r.logit_scale_grad += g * x[i * n + j] / scale;
      for (int64_t d = 0; d < dim; ++d) {
        r.d_queries[i * dim + d] += scale * g * k.data[j * dim + d];
        r.d_keys[j * dim + d] += scale * g * q.data[i * dim + d];
      }
    }
  }
  return r;
}

// ||out - ref|| / max(||ref||, floor)
inline double relative_error(const std::vector<float>& out, const std::vector<double>& ref, double floor) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    error += (out[i] - ref[i]) * (out[i] - ref[i]);
    norm += ref[i] * ref[i];
  }
  return std::sqrt(error) / std::fmax(std::sqrt(norm), floor);
}

}  // namespace oracle
