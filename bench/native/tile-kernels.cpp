// Times the kernels of one tile after another, in the order of a call with four products. The yardstick is
// multiply-adds in registers at the same clock. Each kernel is timed in slices of 50 to 100 us. The result
// takes the median of each slice over all tiles, and a median ignores interrupted slices. So the result shows
// the code while it runs. Only the time of a whole call includes packing, waiting and interruptions.
//
//   tile-kernels rows dim threads
//       prints (time of as many multiply-adds in registers) / (time of the kernel), then that of all kernels.
//       The fold multiplies nothing: its number is its time / the time of one product.
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

constexpr int kVisits = 4;          // to every tile column
constexpr int64_t kLineOffset = 4;  // floats from a cache line to the first element of a JavaScript array
constexpr int kKernels = 5;
enum Kernel { kScores, kFold, kLogitGrad, kRowGrads, kColumnGrads };

uint64_t now() { return __rdtsc(); }

// Multiply-adds per tick of the clock that `now` reads.
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
  return std::max(burst(), burst());  // an interruption may slow one burst
}

// A matrix of small numbers, on huge pages where the system gives them. Lives until the program ends.
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

// The time of each slice of each kernel at each visit, as the number of multiply-adds that fit into it.
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

// All threads read the same packed columns. Each thread has gradients of its own, since no gate orders the
// threads here.
struct TileColumns {
  float *packed, *gradients;
  int64_t count;
};

// The tiles that one thread visits.
class TileRow {
 public:
  TileRow(const infcl::cpu::Kernels& k, int64_t rows, int64_t dim, const TileColumns& columns)
      : k_(k),
        panels_(k.tile.columns * infcl::round_up(dim, k.panel)),
        columns_(columns),
        g_(make_matrix(k.tile.rows * k.tile.columns, 3)),
        d_rows_(make_matrix(rows * dim, 4) + kLineOffset),
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
        for (int64_t j = 0; j < columns_.count; ++j) visit_tile((first + j) % columns_.count, backward);
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
    infcl::cpu::TileOperands tile = tile_;
    tile.column_panels = tile.column_values = columns_.packed + j * panels_;
    const infcl::Log2Scale scale{20, 0};
    const int64_t stride = k_.tile.rows;
    if (!backward) {
      timed(kScores, tile.columns, 4 * k_.strip,
            [&](Range columns) { k_.scores(tile, columns, g_, stride, row_.data()); });
      timed(kFold, 1, 1, [&](Range) {
        k_.fold(tile, g_, stride, scale, row_.data(),
                {&row_[stride], &row_[2 * stride], &row_[3 * stride], &row_[4 * stride]});
      });
      return;
    }
    infcl::cpu::LogitGradArgs args{};
    args.formula = infcl::cpu::GradFormula::kOneExp;
    args.row_factor = args.column_factor = row_.data();
    timed(kLogitGrad, tile.columns, 4 * k_.strip,
          [&](Range columns) { k_.logit_grad(tile, columns, scale, args, g_); });
    timed(kRowGrads, tile.dim, k_.panel,
          [&](Range features) { k_.accumulate_rows(tile, features, g_, false, d_rows_); });
    timed(kColumnGrads, tile.dim, k_.panel, [&](Range features) {
      k_.accumulate_columns(tile, features, g_, false, columns_.gradients + j * tile.columns * tile.dim);
    });
  }

  const infcl::cpu::Kernels& k_;
  int64_t panels_;
  TileColumns columns_;
  float *g_, *d_rows_;
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
  const int64_t tile_columns = std::max<int64_t>(1, rows / k.tile.columns);
  const int64_t rows_in_tile = infcl::Grid(rows, rows, k.tile).max_rows();
  float* columns = make_matrix(tile_columns * k.tile.columns * infcl::round_up(dim, k.panel), 5);
  std::vector<Times> times(static_cast<size_t>(threads));
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t)
    pool.emplace_back([&, t] {
      float* d_columns = make_matrix(tile_columns * k.tile.columns * dim, 6) + kLineOffset;
      times[t] = TileRow(k, rows_in_tile, dim, {columns, d_columns, tile_columns}).go_round(t);
    });
  for (std::thread& t : pool) t.join();
  for (int t = 1; t < threads; ++t) times[0].append(times[t]);
  const double product = static_cast<double>(rows_in_tile * k.tile.columns * dim);
  double all = 0;
  for (const Kernel kernel : {kScores, kFold, kLogitGrad, kRowGrads, kColumnGrads}) {
    const double time = times[0].sum_of_medians(kernel);
    all += time;
    std::printf("%.4f ", kernel == kFold ? time / product : product / time);
  }
  std::printf("%.4f\n", 4 * product / all);
  return 0;
}
