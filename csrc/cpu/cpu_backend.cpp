#include "cpu/cpu_backend.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "core/backend_factory.h"
#include "core/errors.h"
#include "cpu/isa_dispatch.h"

namespace infcl {

namespace {

int usable_threads() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  const unsigned n = std::thread::hardware_concurrency();
  return n ? static_cast<int>(n) : 1;
}

Log2Scale log2_scale(double logit_scale) {
  const double exact = logit_scale * kLog2E;
  const float high = static_cast<float>(exact);
  return {high, static_cast<float>(exact - high)};
}

// Matrix products of 2 M N D flops that a call executes: logits, logits again where they were not kept, and
// one for each side that wants a gradient.
double call_flops(double rows, double keys, double dim, bool gradient, double kept_share) {
  return 2 * rows * keys * dim * (gradient ? 4 - kept_share : 1);
}

// One thread's rate on a cell whose operands are in cache.
double measure_gflops(const Kernels& k) {
  constexpr int64_t kDim = 256;
  Workspace w;
  const int64_t rows = k.cell.rows, columns = k.cell.columns;
  w.reset(static_cast<int64_t>(sizeof(float)) * (kDim * (rows + columns) + rows * columns) + 4096);
  CellOperands c{};
  float* keys = w.take(columns * kDim);
  float* queries = w.take(rows * kDim);
  float* x = w.take(rows * columns);
  c.key_panels = keys;
  c.queries = queries;
  c.key_panel_rows = columns;
  c.rows = rows;
  c.columns = columns;
  c.dim = kDim;
  double best = 1e30;
  for (int round = 0; round < 4; ++round) {
    const auto start = std::chrono::steady_clock::now();
    k.logits(c, {0, columns}, x);
    const std::chrono::duration<double> d = std::chrono::steady_clock::now() - start;
    best = d.count() < best ? d.count() : best;
  }
  return 2e-9 * static_cast<double>(rows * columns * kDim) / best;
}

}  // namespace

CpuInfo cpu_info() {
  CpuInfo info;
  info.isa = select_kernels().isa;
  for (const Kernels* k : available_kernels()) info.isas.emplace_back(k->isa);
  info.threads = usable_threads();
  return info;
}

std::unique_ptr<Backend> make_cpu_backend() { return std::make_unique<CpuBackend>(); }

Plan CpuBackend::plan(const PlanRequest& r) {
  const Kernels& k = select_kernels();
  const Schedule schedule(r.rows, r.keys, k.cell);
  LayoutRequest request{r.rows,           r.keys, r.dim,
                        r.gradient,       true,   r.threads > 0 ? r.threads : usable_threads(),
                        r.workspace_bytes};
  const Layout l = make_layout(request, schedule, k);
  if (measured_gflops_ == 0 || measured_isa_ != &k) {
    measured_gflops_ = measure_gflops(k);
    measured_isa_ = &k;
  }
  Plan p;
  p.threads = l.threads;
  p.workspace_bytes = l.bytes;
  p.minimum_workspace_bytes = l.minimum_bytes;
  p.lse_bytes = l.lse_bytes;
  p.flops = call_flops(r.rows, r.keys, r.dim, r.gradient,
                       static_cast<double>(l.kept_columns) / schedule.column_blocks());
  p.gflops_per_second = measured_gflops_ * l.threads;
  return p;
}

void CpuBackend::begin(const Problem& problem) {
  kernels_ = &select_kernels();
  problem_ = problem;
  const int64_t rows = problem.queries.rows, keys = problem.max_keys, dim = problem.queries.dim;
  schedule_ = std::make_unique<Schedule>(rows, keys, kernels_->cell);
  LayoutRequest request{rows,
                        keys,
                        dim,
                        problem.gradient,
                        problem.single_block,
                        problem.threads > 0 ? problem.threads : usable_threads(),
                        problem.workspace_bytes};
  layout_ = make_layout(request, *schedule_, *kernels_);
  if (problem.workspace_bytes > 0 && layout_.minimum_bytes > problem.workspace_bytes)
    throw Error(ErrorCode::kWorkspace, "workspace",
                "Expected at least " + std::to_string(layout_.minimum_bytes) +
                    " for workspaceBytes but received " + std::to_string(problem.workspace_bytes));
  pool_.ensure(layout_.threads);
  claim(layout_);
  scale_ = log2_scale(problem.logit_scale);
  stats_ = {};
  stats_.isa = kernels_->isa;
  stats_.threads = layout_.threads;
  stats_.workspace_bytes = layout_.bytes;
}

void CpuBackend::claim(const Layout& l) {
  workspace_.reset(l.bytes - l.lse_bytes);
  memory_.clear();
  for (int t = 0; t < l.threads; ++t) {
    ThreadMemory m{};
    m.transposed = workspace_.take(l.transposed);
    m.query_panels = workspace_.take(l.query_panels);
    m.cell = workspace_.take(l.cell);
    m.key_buffer = workspace_.take(l.key_buffer);
    memory_.push_back(m);
  }
  packed_keys_ = workspace_.take(l.packed_blocks * Workspace::bytes_for(l.key_block) / sizeof(float));
  kept_ = workspace_.take(l.kept_columns * schedule_->row_blocks() * Workspace::bytes_for(l.cell) /
                          sizeof(float));
}

void CpuBackend::end() {
  workspace_.trim();
  memory_.clear();
  schedule_.reset();
}

void CpuBackend::throw_if_stopped() const {
  if (stopped()) throw Error(ErrorCode::kAborted, "contrastive", "the call was aborted");
}

void CpuBackend::check_finite(const MatrixView& m, const char* name) {
  constexpr int64_t kChunk = 1 << 20;  // elements between two looks at the abort flag
  const int threads = layout_.threads;
  const int64_t step = kChunk / m.dim > 0 ? kChunk / m.dim : 1;
  std::vector<int64_t> found(static_cast<size_t>(threads), -1);
  pool_.run(threads, [&](int t) {
    const int64_t begin = m.rows * t / threads, end = m.rows * (t + 1) / threads;
    for (int64_t i = begin; i < end && found[t] < 0 && !stopped(); i += step)
      found[t] = kernels_->find_not_finite(m, {i, std::min(end, i + step)});
  });
  throw_if_stopped();
  for (int64_t at : found)
    if (at >= 0)
      throw Error(ErrorCode::kNotFinite, "input",
                  std::string("Expected finite values for ") + name +
                      " but received NaN or Infinity at row " + std::to_string(at / m.dim) + ", column " +
                      std::to_string(at % m.dim));
}

void CpuBackend::load_keys(const MatrixView& keys) {
  keys_ = keys;
  const int64_t block = Workspace::bytes_for(layout_.key_block) / static_cast<int64_t>(sizeof(float));
  pool_.run(layout_.threads, [&](int t) {
    for (int64_t j = t; j < layout_.packed_blocks && !stopped(); j += layout_.threads) {
      const Range columns = schedule_->columns(j);
      kernels_->pack_panels(keys_, columns, packed_keys_ + j * block,
                            round_up(columns.size(), kernels_->strip));
    }
  });
  throw_if_stopped();
}

const float* CpuBackend::key_panels(int thread, int64_t j) const {
  if (j < layout_.packed_blocks)
    return packed_keys_ + j * (Workspace::bytes_for(layout_.key_block) / static_cast<int64_t>(sizeof(float)));
  const Range columns = schedule_->columns(j);
  kernels_->pack_panels(keys_, columns, memory_[thread].key_buffer,
                        round_up(columns.size(), kernels_->strip));
  return memory_[thread].key_buffer;
}

float* CpuBackend::kept_logits(int64_t i, int64_t j) const {
  if (j >= layout_.kept_columns) return nullptr;
  const int64_t cell = Workspace::bytes_for(layout_.cell) / static_cast<int64_t>(sizeof(float));
  return kept_ + (i * layout_.kept_columns + j) * cell;
}

CellOperands CpuBackend::operands(int thread, int64_t i, int64_t j) const {
  CellOperands c{};
  c.rows = schedule_->rows(i).size();
  c.columns = schedule_->columns(j).size();
  c.dim = problem_.queries.dim;
  c.queries = memory_[thread].transposed;
  c.query_panels = memory_[thread].query_panels;
  c.query_panel_rows = c.rows;
  c.key_panels = key_panels(thread, j);
  c.key_panel_rows = round_up(c.columns, kernels_->strip);
  return c;
}

template <class F>
bool CpuBackend::in_slices(int64_t total, int64_t granule, int64_t flops_per_item, F f) const {
  constexpr int64_t kSliceFlops = 100'000'000;  // about a millisecond with AVX-512, ten on the slowest path
  const int64_t slice = round_up(std::max<int64_t>(1, kSliceFlops / flops_per_item), granule);
  for (int64_t i = 0; i < total; i += slice) {
    if (stopped()) return false;
    f(Range{i, std::min(total, i + slice)});
  }
  return true;
}

// ----------------------------------------------------------------------------------------------------
// forward

class CpuBackend::Fold {
 public:
  Fold(CpuBackend& backend, const FoldArgs& args)
      : b_(backend),
        a_(args),
        s_(*backend.schedule_),
        gate_(s_.column_blocks()),
        sums_(static_cast<size_t>(backend.layout_.threads), Sums(backend.kernels_->cell)) {}

  void work(int t) {
    for (int64_t i = t; i < s_.row_blocks(); i += b_.layout_.threads) {
      b_.kernels_->pack_transposed(b_.problem_.queries, s_.rows(i), b_.memory_[t].transposed);
      for (int64_t j = 0; j < s_.column_blocks(); ++j)
        if (!cell(t, i, j, sums_[t])) return gate_.stop();
    }
  }

 private:
  struct Sums {
    explicit Sums(const CellShape& c)
        : row_shift(c.rows),
          row_sum(c.rows),
          row_max(c.rows),
          column_shift(c.columns),
          column_sum(c.columns) {}
    std::vector<float> row_shift, row_sum, row_max, column_shift, column_sum;
  };

  bool cell(int t, int64_t i, int64_t j, Sums& sums) {
    const CellOperands c = b_.operands(t, i, j);
    float* kept = b_.kept_logits(i, j);
    float* x = kept ? kept : b_.memory_[t].cell;
    if (!b_.in_slices(c.columns, b_.kernels_->strip, 2 * c.rows * c.dim,
                      [&](Range keys) { b_.kernels_->logits(c, keys, x); }))
      return false;
    read_positives(s_.rows(i), s_.columns(j), x);
    b_.kernels_->fold(c, x, b_.scale_,
                      {sums.row_shift.data(), sums.row_sum.data(), sums.row_max.data(),
                       sums.column_shift.data(), a_.columns ? sums.column_sum.data() : nullptr});
    const int64_t row0 = s_.rows(i).begin, column0 = s_.columns(j).begin;
    for (int64_t r = 0; r < c.rows; ++r) {
      if (a_.rows) a_.rows->fold(row0 + r, sums.row_sum[r], sums.row_shift[r]);
      a_.row_max_dots[row0 + r] = std::max(a_.row_max_dots[row0 + r], sums.row_max[r]);
    }
    if (a_.columns) {
      if (!gate_.enter(j, i)) return false;
      for (int64_t q = 0; q < c.columns; ++q)
        a_.columns->fold(column0 + q, sums.column_sum[q], sums.column_shift[q]);
      gate_.leave(j, i);
    }
    b_.problem_.control.advance();
    return true;
  }

  // The positive logit comes from the same product as the sums, so a row's loss is never negative.
  void read_positives(Range rows, Range columns, const float* x) {
    for (int64_t r = rows.begin; r < rows.end; ++r) {
      const int64_t key = a_.positives.of(r) - a_.key_offset;
      if (columns.contains(key))
        a_.positive_dots[r] = x[(key - columns.begin) * b_.kernels_->cell.rows + r - rows.begin];
    }
  }

  CpuBackend& b_;
  const FoldArgs& a_;
  const Schedule& s_;
  ColumnGate gate_;
  std::vector<Sums> sums_;  // of each thread: workers must not allocate
};

void CpuBackend::fold(const FoldArgs& args) {
  problem_.control.begin(Phase::kForward, schedule_->cells());
  Fold lap(*this, args);
  pool_.run(layout_.threads, [&](int t) { lap.work(t); });
  throw_if_stopped();
  stats_.tiles += schedule_->cells();
  stats_.flops += 2. * problem_.queries.rows * keys_.rows * problem_.queries.dim;
}

// ---------------------------------------------------------------------------------------------------
// backward

class CpuBackend::Differentiate {
 public:
  Differentiate(CpuBackend& backend, const DifferentiateArgs& args)
      : b_(backend),
        a_(args),
        s_(*backend.schedule_),
        gate_(s_.column_blocks()),
        row_totals_(static_cast<size_t>(s_.row_blocks())),
        factors_(static_cast<size_t>(backend.layout_.threads), Factors(backend.kernels_->cell)) {}

  void work(int t) {
    for (int64_t i = t; i < s_.row_blocks(); i += b_.layout_.threads) {
      const Range rows = s_.rows(i);
      b_.kernels_->pack_transposed(b_.problem_.queries, rows, b_.memory_[t].transposed);
      if (a_.d_keys)
        b_.kernels_->pack_panels(b_.problem_.queries, rows, b_.memory_[t].query_panels, rows.size());
      for (int64_t j = 0; j < s_.column_blocks(); ++j)
        if (!cell(t, i, j, factors_[t])) return gate_.stop();
    }
  }

  double total() const {
    double sum = 0;
    for (double t : row_totals_) sum += t;
    return sum;
  }

 private:
  struct Factors {
    explicit Factors(const CellShape& c)
        : row(c.rows), row_shift(c.rows), column(c.columns), column_shift(c.columns) {}
    std::vector<float> row, row_shift, column, column_shift;
  };

  bool cell(int t, int64_t i, int64_t j, Factors& f) {
    const CellOperands c = b_.operands(t, i, j);
    const Range rows = s_.rows(i), columns = s_.columns(j);
    const LogitGradArgs grad = factors(rows, columns, b_.kept_logits(i, j), f);
    float* g = b_.memory_[t].cell;
    if (!b_.in_slices(c.columns, b_.kernels_->strip, 2 * c.rows * c.dim, [&](Range keys) {
          row_totals_[i] += b_.kernels_->logit_grad(c, keys, b_.scale_, grad, g);
        }))
      return false;
    subtract_positives(i, rows, columns, g);
    if (a_.d_queries && !accumulate_queries(c, rows, j, g)) return false;
    if (columns.begin < a_.d_key_rows && !accumulate_keys(c, i, j, g)) return false;
    b_.problem_.control.advance();
    return true;
  }

  bool accumulate_queries(const CellOperands& c, Range rows, int64_t j, const float* g) {
    float* out = a_.d_queries + rows.begin * c.dim;
    const bool overwrite = a_.first_shard && j == 0;
    return b_.in_slices(c.dim, b_.kernels_->panel, 2 * c.rows * c.columns, [&](Range features) {
      b_.kernels_->accumulate_queries(c, features, g, overwrite, out);
    });
  }

  bool accumulate_keys(CellOperands c, int64_t i, int64_t j, const float* g) {
    const Range columns = s_.columns(j);
    c.columns = std::min(columns.end, a_.d_key_rows) - columns.begin;
    float* out = a_.d_keys + columns.begin * c.dim;
    if (!gate_.enter(j, i)) return false;
    const bool whole = b_.in_slices(c.dim, b_.kernels_->panel, 2 * c.rows * c.columns, [&](Range features) {
      b_.kernels_->accumulate_keys(c, features, g, i == 0, out);
    });
    if (whole) gate_.leave(j, i);
    return whole;
  }

  // One exponential per element when all normalisers of the cell are within 2^100 of each other: then both
  // terms are 2^(x - c) (alpha_i 2^(c - a_i) + beta_j 2^(c - b_j)) with a shift c in their middle.
  LogitGradArgs factors(Range rows, Range columns, const float* kept, Factors& f) const {
    float low = HUGE_VALF, high = -HUGE_VALF;
    const auto widen = [&](const LseVector* lse, Range range) {
      if (lse)
        for (int64_t i = range.begin; i < range.end; ++i) {
          low = std::min(low, lse->shift(i));
          high = std::max(high, lse->shift(i));
        }
    };
    widen(a_.rows, rows);
    widen(a_.columns, columns);
    LogitGradArgs out{};
    out.one_exp = high - low < 100;
    out.shift = std::floor((low + high) / 2);
    const auto fill = [&](const LseVector* lse, Range range, double factor, std::vector<float>& factors,
                          std::vector<float>& shifts) {
      std::fill(factors.begin(), factors.end(), 0.f);
      std::fill(shifts.begin(), shifts.end(), 0.f);
      if (!lse) return;
      for (int64_t i = range.begin; i < range.end; ++i) {
        const int rescale = out.one_exp ? static_cast<int>(out.shift - lse->shift(i)) : 0;
        factors[i - range.begin] = static_cast<float>(std::ldexp(factor / lse->sum(i), rescale));
        shifts[i - range.begin] = lse->shift(i);
      }
    };
    fill(a_.rows, rows, a_.row_factor, f.row, f.row_shift);
    fill(a_.columns, columns, a_.column_factor, f.column, f.column_shift);
    out.row_factor = f.row.data();
    out.row_shift = f.row_shift.data();
    out.column_factor = f.column.data();
    out.column_shift = f.column_shift.data();
    out.kept = kept;
    return out;
  }

  void subtract_positives(int64_t i, Range rows, Range columns, float* g) {
    const float positive = static_cast<float>(a_.positive_factor);
    for (int64_t r = rows.begin; r < rows.end; ++r) {
      const int64_t key = a_.positives.of(r) - a_.key_offset;
      if (!columns.contains(key)) continue;
      g[(key - columns.begin) * b_.kernels_->cell.rows + r - rows.begin] -= positive;
      row_totals_[i] -= a_.positive_factor * a_.positive_dots[r];
    }
  }

  CpuBackend& b_;
  const DifferentiateArgs& a_;
  const Schedule& s_;
  ColumnGate gate_;
  std::vector<double> row_totals_;
  std::vector<Factors> factors_;  // of each thread
};

double CpuBackend::differentiate(const DifferentiateArgs& args) {
  const int64_t dim = problem_.queries.dim;
  problem_.control.begin(Phase::kBackward, schedule_->cells());
  const auto advise = [dim](float* out, int64_t rows) {
    if (out) advise_huge_pages(out, static_cast<size_t>(rows * dim) * sizeof(float));
  };
  advise(args.d_queries, problem_.queries.rows);
  advise(args.d_keys, args.d_key_rows);
  Differentiate lap(*this, args);
  pool_.run(layout_.threads, [&](int t) { lap.work(t); });
  throw_if_stopped();

  const double keys = static_cast<double>(keys_.rows), rows = static_cast<double>(problem_.queries.rows);
  const int64_t kept = std::min(keys_.rows, layout_.kept_columns * kernels_->cell.columns);
  stats_.tiles_reused += layout_.kept_columns * schedule_->row_blocks();
  stats_.flops += 2 * rows * dim * (keys - static_cast<double>(kept));
  if (args.d_queries) stats_.flops += 2 * rows * dim * keys;
  stats_.flops += 2 * rows * dim * static_cast<double>(args.d_key_rows);
  return lap.total();
}

}  // namespace infcl
