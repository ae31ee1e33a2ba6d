// Each cost is the median of some rounds. Operands of a tile take turns, as the tile columns of a call do.
#include "measure.h"

#include <time.h>

#include <algorithm>
#include <vector>

#include "core/backend.h"
#include "core/loss_state.h"
#include "cpu/thread_pool.h"
#include "cpu/workspace.h"

namespace schedule {

namespace {

using infcl::Grid;
using infcl::Range;
using infcl::round_up;
using infcl::cpu::Kernels;

constexpr int kRounds = 25, kColumnsInTurn = 6;

double now(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Median seconds of f(round).
template <class F>
double median(int rounds, clockid_t clock, F f) {
  std::vector<double> seconds;
  for (int round = 0; round < rounds; ++round) {
    const double start = now(clock);
    f(round);
    seconds.push_back(now(clock) - start);
  }
  std::nth_element(seconds.begin(), seconds.begin() + rounds / 2, seconds.end());
  return seconds[static_cast<size_t>(rounds / 2)];
}

template <class F>
double processor_time(F f) {
  return median(kRounds, CLOCK_THREAD_CPUTIME_ID, f);
}

std::vector<float> small_numbers(int64_t count) {
  std::vector<float> out(static_cast<size_t>(count));
  uint32_t seed = 1;
  for (float& v : out) {
    seed = seed * 1664525u + 1013904223u;
    v = static_cast<float>(static_cast<int32_t>(seed)) * 0x1p-36f;
  }
  return out;
}

// The kernels of one tile.
class TileMeasurement {
 public:
  TileMeasurement(const Call& call, const Kernels& k)
      : k_(k),
        rows_(Grid(call.rows, call.rows, k.tile).max_rows()),
        columns_(std::min(call.rows, k.tile.columns)),
        dim_(call.dim),
        packed_(round_up(dim_, k.panel) * round_up(columns_, k.strip)),
        features_(small_numbers(kColumnsInTurn * columns_ * dim_)),
        row_(static_cast<size_t>(6 * k.tile.rows), 1e-3f) {
    const int64_t tile = k.tile.rows * round_up(columns_, k.strip), rows = round_up(rows_, k.panel);
    const int64_t operand = rows * round_up(dim_, k.panel);
    memory_.reset(4 * (kColumnsInTurn * packed_ + 2 * operand + 2 * tile + rows_ * dim_ +
                       kColumnsInTurn * columns_ * dim_) +
                  4096);
    panels_ = memory_.take(kColumnsInTurn * packed_);
    transposed_ = memory_.take(operand);
    values_ = memory_.take(operand);
    scores_ = memory_.take(tile);
    g_ = memory_.take(tile);
    d_rows_ = memory_.take(rows_ * dim_);
    d_columns_ = memory_.take(kColumnsInTurn * columns_ * dim_);
  }

  void add_to(Costs& c) {
    const double pairs = static_cast<double>(rows_ * columns_);
    const infcl::MatrixView m{
        features_.data(), infcl::DType::kFloat32, kColumnsInTurn * columns_, dim_, dim_, {}};
    const auto columns = [&](int round) {
      const int64_t begin = round % kColumnsInTurn * columns_;
      return Range{begin, begin + columns_};
    };
    double longest = 0;
    c.find_not_finite = processor_time([&](int r) { k_.find_not_finite(m, columns(r), &longest); }) /
                        static_cast<double>(columns_);
    c.pack_panels = processor_time([&](int r) {
                      k_.pack_panels(m, columns(r), panels(r), round_up(columns_, k_.strip));
                    }) /
                    static_cast<double>(columns_);
    const Range rows{0, rows_};
    c.pack_transposed =
        processor_time([&](int) { k_.pack_transposed(m, rows, transposed_); }) / static_cast<double>(rows_);
    c.pack_values =
        processor_time([&](int) { k_.pack_values(m, rows, values_, rows_); }) / static_cast<double>(rows_);
    add_forward(c, pairs);
    add_backward(c, pairs);
  }

 private:
  float* panels(int round) const { return panels_ + round % kColumnsInTurn * packed_; }

  infcl::cpu::TileOperands operands(int round) const {
    infcl::cpu::TileOperands t{};
    t.column_panels = t.column_values = panels(round);
    t.column_panel_rows = t.column_value_rows = round_up(columns_, k_.strip);
    t.transposed_rows = transposed_;
    t.row_values = values_;
    t.row_value_rows = t.rows = rows_;
    t.columns = columns_;
    t.dim = dim_;
    return t;
  }

  void add_forward(Costs& c, double pairs) {
    const int64_t side = k_.tile.rows;
    const auto scores = [&](int r) { k_.scores(operands(r), {0, columns_}, scores_, side, row_.data()); };
    c.scores = processor_time(scores) / pairs;
    const infcl::cpu::FoldOutputs out{&row_[side], &row_[2 * side], &row_[3 * side], &row_[4 * side]};
    c.fold = processor_time([&](int r) {
               k_.fold(operands(r), scores_, side, {20, 0}, row_.data(), out);
             }) /
             pairs;
    infcl::LseVector sums;
    sums.reset(kColumnsInTurn * columns_);
    c.merge = processor_time([&](int r) {
                const Range range = columns(r);
                for (int64_t i = range.begin; i < range.end; ++i)
                  sums.fold(i, row_[side + i % side], static_cast<float>(i % 3));
              }) /
              static_cast<double>(columns_);
  }

  void add_backward(Costs& c, double pairs) {
    infcl::cpu::LogitGradArgs args{};
    args.formula = infcl::cpu::GradFormula::kOneExp;
    args.row_factor = args.column_factor = row_.data();
    const auto grad = [&](int r) { k_.logit_grad(operands(r), {0, columns_}, {20, 0}, args, g_); };
    c.logit_grad = processor_time(grad) / pairs;
    args.scores = scores_;
    args.scores_stride = k_.tile.rows;
    c.logit_grad_kept = processor_time(grad) / pairs;
    const Range all{0, dim_};
    c.row_gradient =
        processor_time([&](int r) { k_.accumulate_rows(operands(r), all, g_, false, d_rows_); }) / pairs;
    c.column_gradient =
        processor_time([&](int r) {
          k_.accumulate_columns(operands(r), all, g_, false, d_columns_ + columns(r).begin * dim_);
        }) /
        pairs;
  }

  Range columns(int round) const {
    const int64_t begin = round % kColumnsInTurn * columns_;
    return {begin, begin + columns_};
  }

  const Kernels& k_;
  const int64_t rows_, columns_, dim_, packed_;
  std::vector<float> features_, row_;
  infcl::cpu::Workspace memory_;
  float *panels_, *transposed_, *values_, *scores_, *g_, *d_rows_, *d_columns_;
};

// The engine's work between the passes, on sums that look like those of a call.
void add_engine(Costs& c, const Call& call) {
  const int64_t rows = call.rows;
  const std::vector<int32_t> classes = [&] {
    std::vector<int32_t> out(static_cast<size_t>(rows));
    for (int64_t i = 0; i < rows; ++i) out[static_cast<size_t>(i)] = static_cast<int32_t>(i / 4);
    return out;
  }();
  infcl::ContrastiveRequest r;
  r.objective = infcl::make_objective(call.kind);
  r.queries = r.keys = {nullptr, infcl::DType::kFloat32, rows, 1, 1, {}};
  r.logit_scale = 14;
  if (!r.objective.labelled()) r.query_classes = r.key_classes = classes.data();
  constexpr int kCalls = 5;
  std::vector<double> close, finish;
  for (int round = 0; round < kCalls; ++round) {
    const double start = now(CLOCK_THREAD_CPUTIME_ID);
    const std::unique_ptr<infcl::LossState> state = infcl::make_loss_state(r);
    state->begin_rows();
    const double made = now(CLOCK_THREAD_CPUTIME_ID);
    for (int n = 0; n < r.objective.similarity_count; ++n) {
      infcl::FoldArgs a;
      state->attach(n, a);
      for (infcl::Normaliser* side : {a.rows, a.columns})
        for (int64_t i = 0; side && i < rows; ++i) side->lse.fold(i, 1.5, static_cast<float>(i % 7));
    }
    const double filled = now(CLOCK_THREAD_CPUTIME_ID);
    state->close_rows({0, rows});
    const double closed = now(CLOCK_THREAD_CPUTIME_ID);
    state->finish_loss();
    const double finished = now(CLOCK_THREAD_CPUTIME_ID);
    close.push_back(closed - filled);
    finish.push_back((made - start) + (finished - closed));
  }
  std::sort(close.begin(), close.end());
  std::sort(finish.begin(), finish.end());
  c.close = close[kCalls / 2] / static_cast<double>(rows);
  c.finish = finish[kCalls / 2] / static_cast<double>(rows);
}

}  // namespace

Costs measure(const Call& call, const Kernels& k) {
  Costs c;
  TileMeasurement(call, k).add_to(c);
  add_engine(c, call);
  // Two threads: this machine may have no more processors. The time on the clock, since threads sleep.
  infcl::cpu::ThreadPool pool;
  pool.ensure(2);
  c.barrier = median(201, CLOCK_MONOTONIC, [&](int) { pool.run(2, [](int) {}); });
  return c;
}

}  // namespace schedule
