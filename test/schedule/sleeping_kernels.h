// A kernel table whose kernels compute nothing (all scores are 0) and sleep as long as their cost says.
// Threads that sleep need no processor, so many of them run side by side on a machine of two.
#pragma once

#include <time.h>

#include <algorithm>
#include <cmath>

#include "bench/native/schedule/call.h"
#include "cpu/kernels/table.h"

namespace sleeping {

using infcl::MatrixView;
using infcl::Range;
using infcl::cpu::TileOperands;

// Set before a call, read by all threads.
inline schedule::Costs costs;

// Sleeps for some seconds. A thread that has overslept sleeps less the next time, so that the sum is right.
inline void sleep_for(double seconds) {
  static thread_local double owed = 0;
  const auto now = [] {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  };
  owed += seconds;
  if (owed <= 0) return;
  const double start = now();
  timespec t{static_cast<time_t>(owed), static_cast<long>(1e9 * (owed - std::floor(owed)))};
  nanosleep(&t, nullptr);
  owed -= now() - start;
  owed = std::max(owed, -0.005);  // a long interruption is not made up for
}

inline double rows(Range r) { return static_cast<double>(r.size()); }
inline double pairs(const TileOperands& t, Range columns) {
  return static_cast<double>(t.rows) * static_cast<double>(std::min(columns.end, t.columns) - columns.begin);
}
inline double part_of_pairs(const TileOperands& t, Range features) {
  return static_cast<double>(t.rows * t.columns) * rows(features) / static_cast<double>(t.dim);
}

// The shapes of `like`, whose kernels need not run on this machine.
inline infcl::cpu::Kernels table(const infcl::cpu::Kernels& like) {
  infcl::cpu::Kernels k = like;
  k.isa = "sleeping";
  k.narrow_gradients = nullptr;
  k.pack_panels = [](const MatrixView&, Range r, float*, int64_t) { sleep_for(rows(r) * costs.pack_panels); };
  k.pack_values = [](const MatrixView&, Range r, float*, int64_t) { sleep_for(rows(r) * costs.pack_values); };
  k.pack_transposed = [](const MatrixView&, Range r, float*) { sleep_for(rows(r) * costs.pack_transposed); };
  k.find_not_finite = [](const MatrixView&, Range, double*) -> int64_t { return -1; };
  k.scores = [](const TileOperands& t, Range columns, float* scores, int64_t stride, float*) {
    for (int64_t j = columns.begin; j < std::min(columns.end, t.columns); ++j)
      std::fill(scores + j * stride, scores + j * stride + t.rows, 0.f);
    sleep_for(pairs(t, columns) * costs.scores);
  };
  k.row_maxima = [](const TileOperands&, const float*, int64_t, float*) {};
  k.fold = [](const TileOperands& t, const float*, int64_t, infcl::Log2Scale, const float*,
              const infcl::cpu::FoldOutputs& out) {
    std::fill(out.row_shift, out.row_shift + t.rows, 0.f);
    std::fill(out.row_sum, out.row_sum + t.rows, 1.f);
    std::fill(out.column_shift, out.column_shift + t.columns, 0.f);
    if (out.column_sum) std::fill(out.column_sum, out.column_sum + t.columns, 1.f);
    sleep_for(pairs(t, {0, t.columns}) * costs.fold);
  };
  k.fold_sigmoid = [](const TileOperands& t, const float*, int64_t, infcl::Log2Scale, float, float* row_sum) {
    std::fill(row_sum, row_sum + t.rows, 1.f);
    sleep_for(pairs(t, {0, t.columns}) * costs.fold);
  };
  k.logit_grad = [](const TileOperands& t, Range columns, infcl::Log2Scale,
                    const infcl::cpu::LogitGradArgs& a, float*) {
    sleep_for(pairs(t, columns) * (a.scores ? costs.logit_grad_kept : costs.logit_grad));
    return infcl::cpu::LogitGradSums{};
  };
  k.accumulate_rows = [](const TileOperands& t, Range features, const float*, bool, float*) {
    sleep_for(part_of_pairs(t, features) * costs.row_gradient);
  };
  k.accumulate_columns = [](const TileOperands& t, Range features, const float*, bool, float*) {
    sleep_for(part_of_pairs(t, features) * costs.column_gradient);
  };
  return k;
}

}  // namespace sleeping
