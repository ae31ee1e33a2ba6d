// Each thread has a tile of its own. A probe is one kernel on that tile. All threads run a probe at the
// same time, several times. The result is the least mean over the threads: whatever interrupts a round only
// adds to its time.
#include "cpu/kernel_times.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "core/base2_logit.h"
#include "cpu/thread_pool.h"
#include "cpu/workspace.h"

namespace infcl::cpu {

namespace {

constexpr int kRounds = 5;
constexpr int64_t kNarrow = 64, kWide = 256;  // the two widths that a PairTime is drawn through
constexpr int64_t kFreshFloats = 1 << 17;     // in each round

int64_t probe_columns(const Kernels& k) { return k.tile.columns / k.strip / 2 * k.strip; }

// Half a tile of small numbers, and all that the kernels read and write beside them.
class ProbeTile {
 public:
  explicit ProbeTile(const Kernels& k) : k_(k), rows_(k.tile.rows), columns_(probe_columns(k)) {
    const int64_t elements = round_up(k.elements(kWide), k.panel);
    const int64_t sizes[] = {(rows_ + columns_) * kWide,   rows_ * elements,
                             k.elements(rows_) * kWide,    columns_ * elements,
                             k.elements(columns_) * kWide, rows_ * columns_,
                             rows_ * k.tile.columns,       2 * k.narrowed_offset(),
                             (rows_ + columns_) * kWide,   kRounds * kFreshFloats};
    int64_t bytes = 0;
    for (const int64_t size : sizes) bytes += Workspace::bytes_for(size);
    memory_.reset(bytes);
    features_ = memory_.take(sizes[0]);
    transposed_rows_ = memory_.take(sizes[1]);
    row_values_ = memory_.take(sizes[2]);
    column_panels_ = memory_.take(sizes[3]);
    column_values_ = memory_.take(sizes[4]);
    scores_ = memory_.take(sizes[5]);
    g_ = memory_.take(sizes[6]);
    narrowed_ = memory_.take(sizes[7]);
    gradients_ = memory_.take(sizes[8]);
    fresh_ = memory_.take(sizes[9]);
    vectors_.assign(static_cast<size_t>(6 * std::max(k.tile.rows, k.tile.columns)), 1e-3f);
    for (int64_t i = 0; i < sizes[0]; ++i)
      features_[i] = (i * 2654435761 >> 8 & 1 ? 0.05f : -0.05f) + 1e-4f * static_cast<float>(i & 63);
  }

  double pairs() const { return static_cast<double>(rows_ * columns_); }
  double features(int64_t dim) const { return static_cast<double>((rows_ + columns_) * dim); }

  // Prepares the probes of this width.
  void pack(int64_t dim) {
    const MatrixView rows = view(0, rows_, dim), columns = view(rows_, columns_, dim);
    k_.pack_transposed(rows, {0, rows_}, transposed_rows_);
    k_.pack_panels(columns, {0, columns_}, column_panels_, columns_);
    if (k_.pair > 1) k_.pack_values(columns, {0, columns_}, column_values_, k_.elements(columns_));
    tile_ = {};
    tile_.transposed_rows = transposed_rows_;
    tile_.row_values = row_values_;
    tile_.row_value_rows = k_.elements(rows_);
    tile_.column_panels = column_panels_;
    tile_.column_panel_rows = columns_;
    tile_.column_values = k_.pair > 1 ? column_values_ : column_panels_;
    tile_.column_value_rows = k_.pair > 1 ? k_.elements(columns_) : columns_;
    tile_.rows = rows_;
    tile_.columns = columns_;
    tile_.dim = dim;
  }
  void pack_row_values(int64_t dim) {
    k_.pack_values(view(0, rows_, dim), {0, rows_}, row_values_, k_.elements(rows_));
  }

  void scores() { k_.scores(tile_, {0, columns_}, scores_, rows_, vector(0)); }
  void fold() {
    k_.fold(tile_, scores_, rows_, kScale, vector(0), {vector(1), vector(2), vector(3), vector(4)});
  }
  void fold_sigmoid() { k_.fold_sigmoid(tile_, scores_, rows_, kScale, 0, vector(1)); }
  // Leaves gradients for the products.
  void logit_gradients(GradFormula formula) {
    LogitGradArgs args{};
    args.formula = formula;
    args.row_factor = args.row_shift = args.column_factor = args.column_shift = vector(5);
    args.scores = scores_;
    args.scores_stride = rows_;
    k_.logit_grad(tile_, {0, columns_}, kScale, args, g_);
    if (k_.narrow_gradients) k_.narrow_gradients(tile_, g_, narrowed_);
  }
  void row_gradients() {
    const float* g = k_.narrow_gradients ? narrowed_ : g_;
    k_.accumulate_rows(tile_, {0, tile_.dim}, g, false, gradients_);
  }
  void column_gradients() {
    const float* g = k_.narrow_gradients ? narrowed_ + k_.narrowed_offset() : g_;
    k_.accumulate_columns(tile_, {0, tile_.dim}, g, false, gradients_ + rows_ * kWide);
  }
  void check() {
    double longest = 0;
    k_.find_not_finite(view(0, rows_ + columns_, kWide), {0, rows_ + columns_}, &longest);
  }
  void write_fresh() {
    std::memset(fresh_, 1, kFreshFloats * sizeof(float));
    fresh_ += kFreshFloats;
  }

 private:
  static constexpr Log2Scale kScale{20, 0};

  MatrixView view(int64_t first, int64_t rows, int64_t dim) const {
    MatrixView m;
    m.data = features_ + first * kWide;
    m.rows = rows;
    m.dim = dim;
    m.stride = kWide;
    return m;
  }
  float* vector(int64_t n) { return vectors_.data() + n * std::max(k_.tile.rows, k_.tile.columns); }

  const Kernels& k_;
  const int64_t rows_, columns_;
  Workspace memory_;
  float *features_, *transposed_rows_, *row_values_, *column_panels_, *column_values_, *scores_, *g_,
      *narrowed_, *gradients_, *fresh_;
  std::vector<float> vectors_;
  TileOperands tile_{};
};

class Probes {
 public:
  Probes(const Kernels& k, int threads) : threads_(threads), tiles_(static_cast<size_t>(threads)) {
    pool_.ensure(threads);
    for (std::unique_ptr<ProbeTile>& tile : tiles_) tile = std::make_unique<ProbeTile>(k);
  }

  ProbeTile& tile() { return *tiles_[0]; }

  // Seconds of one thread.
  template <class F>
  double time(F probe) {
    using Clock = std::chrono::steady_clock;
    double least = HUGE_VAL;
    std::vector<double> seconds(tiles_.size());
    for (int round = 0; round < kRounds; ++round) {
      pool_.run(threads_, [&](int t) {
        const auto start = Clock::now();
        probe(*tiles_[static_cast<size_t>(t)]);
        seconds[static_cast<size_t>(t)] = std::chrono::duration<double>(Clock::now() - start).count();
      });
      double sum = 0;
      for (const double s : seconds) sum += s;
      least = std::min(least, sum / static_cast<double>(seconds.size()));
    }
    return least;
  }

 private:
  const int threads_;
  ThreadPool pool_;
  std::vector<std::unique_ptr<ProbeTile>> tiles_;
};

// A measurement may be disturbed, so the line through two of them is kept from a slope or an offset below
// zero.
PairTime line_through(double narrow, double wide) {
  const double slope = (wide - narrow) / static_cast<double>(kWide - kNarrow);
  const double most = wide / static_cast<double>(kWide);
  const double feature = std::clamp(slope, most / 2, most);
  return {wide - feature * static_cast<double>(kWide), feature};
}

}  // namespace

KernelTimes measure_kernel_times(const Kernels& k, int threads) {
  Probes probes(k, threads);
  const double pairs = probes.tile().pairs();
  KernelTimes out;
  PairTime* const lines[] = {&out.scores, &out.row_gradients, &out.column_gradients};
  double narrow[3] = {};
  out.fresh_byte = probes.time([](ProbeTile& t) { t.write_fresh(); }) /
                   (kFreshFloats * static_cast<double>(sizeof(float)));
  for (const int64_t dim : {kNarrow, kWide}) {
    const double packed = probes.time([&](ProbeTile& t) { t.pack(dim); });
    probes.time([&](ProbeTile& t) { t.pack_row_values(dim); });
    const double scores = probes.time([](ProbeTile& t) { t.scores(); }) / pairs;
    if (dim == kNarrow) {
      out.fold = probes.time([](ProbeTile& t) { t.fold(); }) / pairs;
      out.fold_sigmoid = probes.time([](ProbeTile& t) { t.fold_sigmoid(); }) / pairs;
      const auto gradients = [&](GradFormula formula) {
        return probes.time([&](ProbeTile& t) { t.logit_gradients(formula); }) / pairs;
      };
      out.sigmoid_gradients = gradients(GradFormula::kSigmoid);
      out.logit_gradients = gradients(GradFormula::kOneExp);
    } else {
      out.pack = packed / probes.tile().features(dim);
      out.check = probes.time([](ProbeTile& t) { t.check(); }) / probes.tile().features(dim);
    }
    const double rows = probes.time([](ProbeTile& t) { t.row_gradients(); }) / pairs;
    const double columns = probes.time([](ProbeTile& t) { t.column_gradients(); }) / pairs;
    const double seconds[] = {scores, rows, columns};
    for (int n = 0; n < 3; ++n) {
      if (dim == kNarrow) narrow[n] = seconds[n];
      if (dim == kWide) *lines[n] = line_through(narrow[n], seconds[n]);
    }
  }
  return out;
}

}  // namespace infcl::cpu
