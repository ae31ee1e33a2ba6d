#include "cpu/backend.h"

#include <algorithm>
#include <cmath>

#include "core/abort.h"
#include "core/errors.h"
#include "cpu/call_cost.h"
#include "cpu/isa_dispatch.h"
#include "cpu/pages.h"
#include "cpu/search_room.h"
#include "cpu/usable_threads.h"

namespace infcl::cpu {

namespace {

constexpr int64_t kElementsPerLook = 1 << 20;  // between two looks at the abort flag

}  // namespace

WorkspacePlan CpuBackend::plan_call(const Problem& problem) const {
  const auto score_rows = [&](Operand o) {
    return problem.scores_in_gradients ? problem.matrix(o).gradient_rows : 0;
  };
  WorkspaceRequest r;
  r.dim = problem.dim;
  r.gradient = problem.gradient;
  r.auxiliary_dims = auxiliary_dims(problem);
  r.visits = cut(problem.visits.data(), static_cast<int>(problem.visits.size()), kernels_->tile);
  const double flops = call_flops(grids_, problem.dim, problem.gradient, {}) +
                       call_flops(r.visits, problem.dim, problem.gradient, {}) +
                       call_flops(grids_, total_dim(r.auxiliary_dims), false, {});
  r.threads = choose_threads(problem.threads, flops, default_threads_);
  r.bound = problem.workspace_bytes;
  r.gradient_room = {score_rows(Operand::kQueries), score_rows(Operand::kKeys)};
  r.fused = problem.may_fuse;
  r.needs_row_sums = !problem.sigmoid;
  r.search = search_room(problem, *kernels_);
  const WorkspacePlan plan = plan_workspace(r, grids_, *kernels_);
  if (r.bound > 0 && plan.minimum_bytes > r.bound)
    throw Error(ErrorCode::kWorkspace, "workspace",
                "Expected at least " + std::to_string(plan.minimum_bytes) +
                    " for workspaceBytes but received " + std::to_string(r.bound));
  return plan;
}

BeginResult CpuBackend::begin(const Problem& problem) {
  for (const ProblemMatrix& m : problem.matrices)
    if (m.on_device())
      throw Error(ErrorCode::kDevice, "cpu",
                  "Expected features in the memory of the host but received some on a device");
  kernels_ = given_kernels_ ? given_kernels_ : &select_kernels(wanted_isa_, problem.bfloat16);
  in_fused_pass_ = false;
  problem_ = problem;
  SimilarityShape shapes[Objective::kMaxSimilarities];
  for (int p = 0; p < problem.similarity_count; ++p) shapes[p] = problem.similarities[p].shape;
  grids_ = cut(shapes, problem.similarity_count, kernels_->tile);
  plan_ = plan_call(problem);
  pool_.ensure(plan_.threads);
  crowded_ = plan_.threads > 1 && plan_.threads > usable_threads();
  claim();
  for (const Operand o : {Operand::kQueries, Operand::kKeys}) {
    const ProblemMatrix& m = problem.matrix(o);
    if (m.gradient)
      advise_huge_pages(m.gradient, static_cast<size_t>(m.gradient_rows * problem.dim) * sizeof(float));
  }
  scale_ = log2_scale(problem.logit_scale);
  teacher_scale_ = log2_scale(problem.teacher_logit_scale);
  bias_ = static_cast<float>(problem.logit_bias * kLog2E);
  stats_ = {};
  stats_.isa = kernels_->isa;
  stats_.threads = plan_.threads;
  stats_.workspace_bytes = plan_.bytes;
  BeginResult out;
  for (const Grid& s : grids_) out.steps += s.tiles();
  for (const SimilarityShape& s : problem.visits)
    out.steps += Grid(s.rows, s.columns, kernels_->tile, s.triangle).tiles();
  out.fused = problem.may_fuse;
  out.refines_loss = true;
  return out;
}

void CpuBackend::claim() {
  const WorkspacePlan& p = plan_;
  workspace_.reset(p.bytes - p.lse_bytes);
  for (int t = 0; t < p.threads; ++t) {
    ThreadMemory m{};
    m.tile = workspace_.take(p.tile);
    m.narrowed = workspace_.take(p.narrowed);
    m.column_buffer = workspace_.take(p.column_buffer);
    m.search = workspace_.take(p.search_thread);
    m.gathered = workspace_.take(p.gathered);
    m.auxiliary = workspace_.take(p.auxiliary_tile);
    memory_.push_back(m);
  }
  for (int64_t slot = 0; slot < p.row_slots; ++slot) {
    RowMemory m{};
    m.transposed = workspace_.take(p.transposed);
    m.row_values = workspace_.take(p.row_values);
    m.search = workspace_.take(p.search_rows);
    for (size_t a = 0; a < kAuxiliaries; ++a) m.auxiliary[a] = workspace_.take(p.auxiliary_rows[a]);
    row_memory_.push_back(m);
  }
  packed_columns_ = workspace_.take(p.packed_tile_columns * Workspace::floats_for(p.packed_column));
  const int64_t kept = p.kept.in_workspace() + p.kept_owners * p.kept_slots;
  kept_ = workspace_.take(kept * Workspace::floats_for(p.kept_tile));
}

void CpuBackend::end() {
  guest_ = nullptr;
  workspace_.trim(problem_.workspace_bytes);
  memory_.clear();
  row_memory_.clear();
  grids_.clear();
}

void CpuBackend::throw_if_stopped() const { throw_if_aborted(problem_.control); }

double CpuBackend::bring(Operand operand) {
  const MatrixView& m = problem_.matrix(operand).view;
  const int threads = plan_.threads;
  const int64_t step = std::max<int64_t>(1, kElementsPerLook / m.dim);
  std::vector<int64_t> found(static_cast<size_t>(threads), -1);
  std::vector<double> longest(static_cast<size_t>(threads), kLeastSquares);
  pool_.run(threads, [&](int t) {
    const int64_t begin = m.rows * t / threads, end = m.rows * (t + 1) / threads;
    for (int64_t i = begin; i < end && found[t] < 0 && !stopped(); i += step)
      found[t] = kernels_->find_not_finite(m, {i, std::min(end, i + step)}, &longest[t]);
  });
  throw_if_stopped();
  for (int64_t at : found)
    if (at >= 0) throw_not_finite(operand, at, m.dim);
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

template <class F>
void CpuBackend::for_pairs(int64_t count, F f) {
  const int64_t step = round_up(kElementsPerLook / problem_.dim + 1, 64), threads = plan_.threads;
  pool_.run(plan_.threads, [&](int t) {
    const int64_t begin = count * t / threads, end = count * (t + 1) / threads;
    for (int64_t i = begin; i < end && !stopped(); i += step) f(Range{i, std::min(end, i + step)});
  });
  throw_if_stopped();
}

void CpuBackend::positive_dots(const int32_t* labels, float* out) {
  positive_dots_of(problem_.matrix(Operand::kQueries).view, problem_.matrix(Operand::kKeys).view, labels,
                   out);
}

void CpuBackend::guide_positive_dots(const int32_t* labels, float* out) {
  positive_dots_of(problem_.matrix(Operand::kGuideQueries).view, problem_.matrix(Operand::kGuideKeys).view,
                   labels, out);
}

void CpuBackend::positive_dots_of(const MatrixView& queries, const MatrixView& keys, const int32_t* labels,
                                  float* out) {
  for_pairs(queries.rows, [&](Range pairs) { kernels_->pair_dots(queries, keys, {pairs, 1, labels}, out); });
}

void CpuBackend::positive_dots_among(const MatrixView& columns, int64_t first_column, const int32_t* labels,
                                     float* out) {
  for_each_row(problem_.matrix(Operand::kQueries).view.rows, [&](int64_t i) {
    const int32_t column = static_cast<int32_t>(labels[i] - first_column);
    if (!Range{first_column, first_column + columns.rows}.contains(labels[i])) return;
    MatrixView query = problem_.matrix(Operand::kQueries).view;
    query.data = query.row(i);
    query.rows = 1;
    kernels_->pair_dots(query, columns, {{0, 1}, 1, &column}, out + i);
  });
}

void CpuBackend::best_dots(const int32_t* offsets, const int32_t* keys, float* out) {
  constexpr int64_t kTogether = 64;
  for_each_row(problem_.matrix(Operand::kQueries).view.rows, [&](int64_t i) {
    MatrixView query = problem_.matrix(Operand::kQueries).view;
    query.data = query.row(i);
    query.rows = 1;
    out[i] = -HUGE_VALF;
    for (int64_t at = offsets[i]; at < offsets[i + 1]; at += kTogether) {
      float dots[kTogether];
      const int64_t count = std::min<int64_t>(kTogether, offsets[i + 1] - at);
      kernels_->pair_dots(query, problem_.matrix(Operand::kKeys).view, {{0, count}, count, keys + at}, dots);
      out[i] = std::max(out[i], *std::max_element(dots, dots + count));
    }
  });
}

void CpuBackend::hard_negative_dots(float* dots, float* /*errors*/) {
  hard_negative_dots_of(problem_.matrix(Operand::kQueries).view,
                        problem_.matrix(Operand::kHardNegatives).view, dots);
}

void CpuBackend::guide_hard_negative_dots(float* dots) {
  hard_negative_dots_of(problem_.matrix(Operand::kGuideQueries).view,
                        problem_.matrix(Operand::kGuideHardNegatives).view, dots);
}

void CpuBackend::hard_negative_dots_of(const MatrixView& queries, const MatrixView& keys, float* dots) {
  const HardNegativeRows& rows = problem_.hard_negative_rows;
  if (!rows.offsets) {
    for_pairs(keys.rows, [&](Range pairs) {
      kernels_->pair_dots(queries, keys, {pairs, rows.per_query, nullptr}, dots);
    });
    return;
  }
  // The kernel takes partners of one side alone, so here queries are the partners. A product has the same
  // bits from either side.
  std::vector<int32_t> query_of(static_cast<size_t>(keys.rows));
  for (int64_t i = 0; i < queries.rows; ++i)
    std::fill(query_of.begin() + rows.of(i).begin, query_of.begin() + rows.of(i).end,
              static_cast<int32_t>(i));
  for_pairs(keys.rows, [&](Range pairs) {
    kernels_->pair_dots(keys, queries, {pairs, 1, query_of.data()}, dots);
  });
}

double CpuBackend::differentiate_hard_negatives(const HardNegativeArgs& args) {
  const ProblemMatrix &queries = problem_.matrix(Operand::kQueries),
                      &keys = problem_.matrix(Operand::kHardNegatives);
  const int64_t dim = problem_.dim;
  if (args.gradients)
    for_each_row(queries.view.rows, [&](int64_t i) {
      const Range own = problem_.hard_negative_rows.of(i);
      for (int64_t h = own.begin; h < own.end; ++h) {
        if (queries.gradient)
          kernels_->add_scaled(keys.view, h, args.g[h], false, queries.gradient + i * dim);
        if (keys.gradient) kernels_->add_scaled(queries.view, i, args.g[h], true, keys.gradient + h * dim);
      }
    });
  return args.dots ? hard_negatives_refinement(args.dots, args.g) : 0;
}

double CpuBackend::hard_negatives_refinement(const float* dots, const float* g) {
  const MatrixView &queries = problem_.matrix(Operand::kQueries).view,
                   &keys = problem_.matrix(Operand::kHardNegatives).view;
  std::vector<double> of_queries(static_cast<size_t>(queries.rows));  // so that the order of the sum is fixed
  for_each_row(queries.rows, [&](int64_t i) {
    const Range own = problem_.hard_negative_rows.of(i);
    for (int64_t h = own.begin; h < own.end; ++h)
      if (g[h] != 0) of_queries[i] += g[h] * (kernels_->exact_dot(queries, i, keys, h) - dots[h]);
  });
  double sum = 0;
  for (const double refinement : of_queries) sum += refinement;
  return sum;
}

}  // namespace infcl::cpu
