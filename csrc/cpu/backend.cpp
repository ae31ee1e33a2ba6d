#include "cpu/backend.h"

#include <algorithm>
#include <cmath>

#include "core/abort.h"
#include "core/errors.h"
#include "cpu/call_cost.h"
#include "cpu/isa_dispatch.h"

namespace infcl::cpu {

int64_t CpuBackend::begin(const Problem& problem) {
  for (const ProblemMatrix* m : {&problem.queries, &problem.keys, &problem.hard_negatives})
    if (m->on_device())
      throw Error(ErrorCode::kDevice, "cpu",
                  "Expected features in the memory of the host but received some on a device");
  kernels_ = &select_kernels(wanted_isa_, problem.bfloat16);
  fused_ = false;
  problem_ = problem;
  grids_ = cut(problem.similarities, problem.similarity_count, kernels_->tile);
  const int threads = choose_threads(problem.threads, call_flops(grids_, problem.dim, problem.gradient, {}));
  const auto lent = [&](const ProblemMatrix& m) { return problem.lend_gradients ? m.gradient_rows : 0; };
  plan_ =
      plan_workspace({problem.dim, problem.gradient, problem.keep_scores, threads, problem.workspace_bytes,
                      lent(problem.queries), lent(problem.keys), problem.fused, problem.sigmoid},
                     grids_, *kernels_);
  if (problem.workspace_bytes > 0 && plan_.minimum_bytes > problem.workspace_bytes)
    throw Error(ErrorCode::kWorkspace, "workspace",
                "Expected at least " + std::to_string(plan_.minimum_bytes) +
                    " for workspaceBytes but received " + std::to_string(problem.workspace_bytes));
  pool_.ensure(plan_.threads);
  claim();
  for (const ProblemMatrix* m : {&problem.queries, &problem.keys})
    if (m->gradient)
      advise_huge_pages(m->gradient, static_cast<size_t>(m->gradient_rows * problem.dim) * sizeof(float));
  scale_ = log2_scale(problem.logit_scale);
  bias_ = static_cast<float>(problem.logit_bias * kLog2E);
  stats_ = {};
  stats_.isa = kernels_->isa;
  stats_.threads = plan_.threads;
  stats_.workspace_bytes = plan_.bytes;
  int64_t tiles = 0;
  for (const Grid& s : grids_) tiles += s.tiles();
  return tiles;
}

void CpuBackend::claim() {
  const WorkspacePlan& l = plan_;
  constexpr int64_t kFloat = sizeof(float);
  workspace_.reset(l.bytes - l.lse_bytes);
  for (int t = 0; t < l.threads; ++t) {
    ThreadMemory m{};
    m.transposed = workspace_.take(l.transposed);
    m.row_values = workspace_.take(l.row_values);
    m.tile = workspace_.take(l.tile);
    m.narrowed = workspace_.take(l.narrowed);
    m.column_buffer = workspace_.take(l.column_buffer);
    memory_.push_back(m);
  }
  packed_columns_ = workspace_.take(l.packed_tile_columns * Workspace::bytes_for(l.packed_column) / kFloat);
  const int64_t kept = l.kept.in_workspace() + l.threads * l.kept_slots;
  kept_ = workspace_.take(kept * Workspace::bytes_for(l.kept_tile) / kFloat);
}

void CpuBackend::end() {
  workspace_.trim(problem_.workspace_bytes);
  memory_.clear();
  grids_.clear();
}

void CpuBackend::throw_if_stopped() const { throw_if_aborted(problem_.control); }

double CpuBackend::check_finite(const MatrixView& m, const char* name) {
  constexpr int64_t kChunk = 1 << 20;  // elements between two looks at the abort flag
  constexpr double kLeastSquares =
      1e-36;  // of shorter rows float32 loses squares, so they count as this long
  const int threads = plan_.threads;
  const int64_t step = kChunk / m.dim > 0 ? kChunk / m.dim : 1;
  std::vector<int64_t> found(static_cast<size_t>(threads), -1);
  std::vector<double> longest(static_cast<size_t>(threads), kLeastSquares);
  pool_.run(threads, [&](int t) {
    const int64_t begin = m.rows * t / threads, end = m.rows * (t + 1) / threads;
    for (int64_t i = begin; i < end && found[t] < 0 && !stopped(); i += step)
      found[t] = kernels_->find_not_finite(m, {i, std::min(end, i + step)}, &longest[t]);
  });
  throw_if_stopped();
  for (int64_t at : found)
    if (at >= 0)
      throw Error(ErrorCode::kNotFinite, "input",
                  std::string("Expected finite values for ") + name +
                      " but received NaN or Infinity at row " + std::to_string(at / m.dim) + ", column " +
                      std::to_string(at % m.dim));
  return std::sqrt(*std::max_element(longest.begin(), longest.end()));
}

template <class F>
void CpuBackend::for_each_row(int64_t rows, F f) {
  const int threads = plan_.threads;
  pool_.run(threads, [&](int t) {
    for (int64_t i = rows * t / threads; i < rows * (t + 1) / threads && !stopped(); ++i) f(i);
  });
  throw_if_stopped();
}

// f(pairs) for ranges of pairs, shared out among the threads.
template <class F>
void CpuBackend::for_pairs(int64_t count, int64_t dim, F f) {
  constexpr int64_t kChunk = 1 << 20;  // elements between two looks at the abort flag
  const int64_t step = round_up(kChunk / dim + 1, 64), threads = plan_.threads;
  pool_.run(plan_.threads, [&](int t) {
    const int64_t begin = count * t / threads, end = count * (t + 1) / threads;
    for (int64_t i = begin; i < end && !stopped(); i += step) f(Range{i, std::min(end, i + step)});
  });
  throw_if_stopped();
}

void CpuBackend::positive_dots(const MatrixView& queries, const MatrixView& keys, const int32_t* labels,
                               float* out) {
  for_pairs(queries.rows, queries.dim, [&](Range pairs) {
    kernels_->pair_dots(queries, keys, {pairs, 1, labels}, out);
  });
}

void CpuBackend::hard_negative_dots(const HardNegatives& p, float* dots, float* /*errors*/) {
  for_pairs(p.keys.rows, p.queries.dim, [&](Range pairs) {
    kernels_->pair_dots(p.queries, p.keys, {pairs, p.per_query, nullptr}, dots);
  });
}

double CpuBackend::hard_negative_dots_error(const HardNegatives& p, const float* dots, const float* g) {
  std::vector<double> errors(
      static_cast<size_t>(p.queries.rows));  // of each query, so that their order is fixed
  for_each_row(p.queries.rows, [&](int64_t i) {
    for (int64_t h = i * p.per_query; h < (i + 1) * p.per_query; ++h)
      if (g[h] != 0) errors[i] += g[h] * (kernels_->exact_dot(p.queries, i, p.keys, h) - dots[h]);
  });
  double sum = 0;
  for (const double error : errors) sum += error;
  return sum;
}

void CpuBackend::differentiate_hard_negatives(const HardNegatives& p, const float* g, float* d_queries,
                                              float* d_keys) {
  const int64_t dim = problem_.dim;
  for_each_row(p.queries.rows, [&](int64_t i) {
    for (int64_t h = i * p.per_query; h < (i + 1) * p.per_query; ++h) {
      if (d_queries) kernels_->add_scaled(p.keys, h, g[h], false, d_queries + i * dim);
      if (d_keys) kernels_->add_scaled(p.queries, i, g[h], true, d_keys + h * dim);
    }
  });
}

}  // namespace infcl::cpu
