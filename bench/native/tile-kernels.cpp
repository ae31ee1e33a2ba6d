// The kernels of one tile after another, as a call of four products goes through them, against multiply-adds
// in registers under the same clock. Each is timed in slices of some 50 to 100 us, and of each slice the
// median over all tiles is taken: an interrupted one is not among them, so this is what the code does while
// it is left to run. What packing, waiting and interruptions add, a whole call shows.
//   tile-kernels rows dim threads   prints, of every kernel in turn, the multiply-adds' time / its time
//                                   (of fold, which multiplies nothing: its time / a product's), then that of
//                                   all
#include <immintrin.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "cpu/kernels/table.h"
#include "multiply_adds.h"

namespace {

using infcl::Range;

constexpr int kVisits = 4;          // of every tile column
constexpr int64_t kLineOffset = 4;  // where arrays of JavaScript begin, in floats
constexpr int kKernels = 5;
enum Kernel { kLogits, kFold, kLogitGrad, kQueries, kKeys };

uint64_t now() { return __rdtsc(); }

// Multiply-adds in a tick of the clock that `now` reads.
__attribute__((noinline)) double multiply_adds_per_tick() {
  constexpr int kSteps = 2000;  // some 10 us
  const auto burst = [] {
    __m512 sum[kChains512];
    for (__m512& s : sum) s = _mm512_setzero_ps();
    const uint64_t start = now();
    multiply_add(sum, kSteps);
    const uint64_t ticks = now() - start;
    for (const __m512& s : sum) asm volatile("" ::"v"(s));
    return 16. * kChains512 * kSteps / static_cast<double>(ticks);
  };
  return std::max(burst(), burst());  // one may be interrupted
}

// Filled with small numbers, on huge pages where the system gives them.
float* make_matrix(int64_t floats, uint32_t seed) {
  constexpr size_t kHugePage = 2 << 20;
  const size_t bytes =
      (static_cast<size_t>(floats + kLineOffset) * 4 + kHugePage - 1) / kHugePage * kHugePage;
  float* out = static_cast<float*>(std::aligned_alloc(kHugePage, bytes));
  if (!out) std::abort();
  madvise(out, bytes, MADV_HUGEPAGE);
  for (int64_t i = 0; i < floats + kLineOffset; ++i) {
    seed = seed * 1664525u + 1013904223u;
    out[i] = static_cast<float>(static_cast<int32_t>(seed)) * 0x1p-36f;
  }
  return out;
}

// Ticks, in multiply-adds, of each slice of each kernel at each visit.
struct Times {
  std::vector<std::vector<double>> slices[kKernels];

  void add(Kernel kernel, size_t slice, double multiply_adds) {
    if (slices[kernel].size() <= slice) slices[kernel].resize(slice + 1);
    slices[kernel][slice].push_back(multiply_adds);
  }
  void append(const Times& other) {
    for (int k = 0; k < kKernels; ++k)
      for (size_t s = 0; s < other.slices[k].size(); ++s)
        for (double t : other.slices[k][s]) add(static_cast<Kernel>(k), s, t);
  }
  double sum_of_medians(Kernel kernel) {
    double sum = 0;
    for (std::vector<double>& times : slices[kernel]) {
      std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
      sum += times[times.size() / 2];
    }
    return sum;
  }
};

// One thread's tile row, the packed keys that it passes, which all threads share, and key gradients of its
// own, since no column gate keeps them apart here.
class TileRow {
 public:
  TileRow(const infcl::cpu::Kernels& k, int64_t rows, int64_t dim, float* keys, float* d_keys, int64_t blocks)
      : k_(k),
        panels_(k.tile.columns * infcl::round_up(dim, k.panel)),
        keys_(keys),
        d_keys_(d_keys),
        blocks_(blocks),
        g_(make_matrix(k.tile.rows * k.tile.columns, 3)),
        d_queries_(make_matrix(rows * dim, 4) + kLineOffset),
        row_(static_cast<size_t>(5 * k.tile.rows), 1e-3f) {
    tile_.rows = rows;
    tile_.columns = tile_.column_panel_rows = tile_.column_value_rows = k.tile.columns;
    tile_.dim = dim;
    tile_.transposed_rows = make_matrix(rows * infcl::round_up(dim, k.panel), 1);
    tile_.row_values = make_matrix(rows * infcl::round_up(dim, k.panel), 2);
    tile_.row_value_rows = rows;
  }

  Times go_round(int64_t first) {
    for (int visit = 0; visit < kVisits; ++visit)
      for (const bool backward : {false, true})
        for (int64_t j = 0; j < blocks_; ++j) visit_tile((first + j) % blocks_, backward);
    return times_;
  }

 private:
  template <class F>
  void timed(Kernel kernel, int64_t total, int64_t slice, F f) {
    const double rate = multiply_adds_per_tick();
    size_t index = 0;
    for (int64_t at = 0; at < total; at += slice) {
      const uint64_t start = now();
      f(Range{at, std::min(total, at + slice)});
      times_.add(kernel, index++, static_cast<double>(now() - start) * rate);
    }
  }

  void visit_tile(int64_t j, bool backward) {
    infcl::cpu::TileOperands c = tile_;
    c.column_panels = c.column_values = keys_ + j * panels_;
    const infcl::Log2Scale scale{20, 0};
    const int64_t n = k_.tile.rows;
    if (!backward) {
      timed(kLogits, c.columns, 4 * k_.strip,
            [&](Range columns) { k_.scores(c, columns, g_, n, row_.data()); });
      timed(kFold, 1, 1, [&](Range) {
        k_.fold(c, g_, n, scale, row_.data(), {&row_[n], &row_[2 * n], &row_[3 * n], &row_[4 * n]});
      });
      return;
    }
    infcl::cpu::LogitGradArgs args{};
    args.formula = infcl::cpu::GradFormula::kOneExp;
    args.row_factor = args.column_factor = row_.data();
    timed(kLogitGrad, c.columns, 4 * k_.strip,
          [&](Range columns) { k_.logit_grad(c, columns, scale, args, g_); });
    timed(kQueries, c.dim, k_.panel,
          [&](Range features) { k_.accumulate_rows(c, features, g_, false, d_queries_); });
    timed(kKeys, c.dim, k_.panel, [&](Range features) {
      k_.accumulate_columns(c, features, g_, false, d_keys_ + j * c.columns * c.dim);
    });
  }

  const infcl::cpu::Kernels& k_;
  int64_t panels_;
  float *keys_, *d_keys_;
  int64_t blocks_;
  float *g_, *d_queries_;
  std::vector<float> row_;
  infcl::cpu::TileOperands tile_{};
  Times times_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: tile-kernels rows dim threads\n");
    return 2;
  }
  const infcl::cpu::Kernels& k = infcl::cpu::kAvx512Kernels;
  const int64_t rows = std::atoll(argv[1]), dim = std::atoll(argv[2]);
  const int threads = std::max(1, std::atoi(argv[3]));
  const int64_t blocks = std::max<int64_t>(1, rows / k.tile.columns);
  const int64_t block_rows = infcl::Grid(rows, rows, k.tile).max_rows();
  float* keys = make_matrix(blocks * k.tile.columns * infcl::round_up(dim, k.panel), 5);
  std::vector<Times> times(static_cast<size_t>(threads));
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t)
    pool.emplace_back([&, t] {
      float* d_keys = make_matrix(blocks * k.tile.columns * dim, 6) + kLineOffset;
      times[t] = TileRow(k, block_rows, dim, keys, d_keys, blocks).go_round(t);
    });
  for (std::thread& t : pool) t.join();
  for (int t = 1; t < threads; ++t) times[0].append(times[t]);
  const double product = static_cast<double>(block_rows * k.tile.columns * dim);
  double all = 0;
  for (const Kernel kernel : {kLogits, kFold, kLogitGrad, kQueries, kKeys}) {
    const double time = times[0].sum_of_medians(kernel);
    all += time;
    std::printf("%.4f ", kernel == kFold ? time / product : product / time);
  }
  std::printf("%.4f\n", 4 * product / all);
  return 0;
}
