#include "sparse_runs.h"

#include <cstdlib>
#include <string>

#include "operand.h"
#include "tensor_maps_sm90.h"

using namespace infcl::cuda;
using namespace test;

namespace sparse {

namespace {

constexpr int kRows = 70, kColumns = 100, kDim = 64;  // of the last tile; edges included

// An array of which only the last elements hold anything.
template <class T>
class Tail {
 public:
  Tail(int64_t before, const std::vector<T>& last)
      : at_(gpu::allocate((static_cast<size_t>(before) + last.size()) * sizeof(T))),
        last_(at_ + static_cast<size_t>(before) * sizeof(T)),
        size_(last.size()) {
    gpu::write(last_, last.data(), size_ * sizeof(T));
  }
  Tail(int64_t before, size_t size, T value) : Tail(before, std::vector<T>(size, value)) {}
  Tail(const Tail&) = delete;
  Tail& operator=(const Tail&) = delete;
  ~Tail() { gpu::release(at_); }

  T* get() const { return reinterpret_cast<T*>(static_cast<uintptr_t>(at_)); }
  std::vector<T> read() const {
    std::vector<T> values(size_);
    gpu::read(values.data(), last_, size_ * sizeof(T));
    return values;
  }

 private:
  gpu::Pointer at_, last_;
  size_t size_;
};

template <class T>
void append(Bits& bits, const std::vector<T>& values) {
  for (const T& value : values) {
    uint64_t words[(sizeof(T) + 7) / 8] = {};
    std::memcpy(words, &value, sizeof value);
    bits.insert(bits.end(), std::begin(words), std::end(words));
  }
}

// While it lives, launches begin at a block.
class FirstBlock {
 public:
  explicit FirstBlock(int64_t first) { setenv(kName, std::to_string(first).c_str(), 1); }
  FirstBlock(const FirstBlock&) = delete;
  FirstBlock& operator=(const FirstBlock&) = delete;
  ~FirstBlock() { unsetenv(kName); }

 private:
  static constexpr const char* kName = "INFCL_EMULATOR_FIRST_BLOCK";
};

template <class Args>
void launch_from(int64_t first, const char* kernel, const LaunchShape& shape, const Args& args) {
  const FirstBlock block(first);
  gpu::launch(kernel, shape, args);
}

// Tiles of gradients from the one that begins at `row` on.
void launch_from_row(int64_t row, const AccumulateArgs& a) {
  const LaunchShape shape = accumulate_shape(a);
  const int64_t blocks_of_row = gpu::on_sm90() ? on_sm90(shape).grid_x : shape.grid_x;
  launch_from(row / kTile * blocks_of_row, "accumulate_bf16_kernel", shape, a);
}

std::vector<uint16_t> features(int rows, unsigned seed, int dim = kDim) {
  Random random(seed);
  return random_features(Precision::kBFloat16, rows, dim, false, random).high;
}

std::vector<float> floats(size_t count, float from, float to) {
  Random random(9);
  std::uniform_real_distribution<float> any(from, to);
  std::vector<float> all(count);
  for (float& x : all) x = any(random);
  return all;
}

// Rows far down, columns near; positives where row and column have the same index in the similarity.
ScoresArgs scores(int64_t before, const uint16_t* rows, const uint16_t* columns) {
  ScoresArgs a{};
  a.rows.high = rows;
  a.columns.high = columns;
  a.padded_dim = kDim;
  a.row_count = static_cast<int32_t>(before + kRows);
  a.column_count = kColumns;
  a.column_begin = before;
  a.scale_high = 12;
  a.mask.labelled = true;
  return a;
}

}  // namespace

Bits scores_forward(int64_t before) {
  const Tail<uint16_t> rows(before * kDim, features(kRows, 1));
  const gpu::Array<uint16_t> columns(features(kColumns, 2));
  const int64_t row_tiles = before / kTile + 1;
  const Tail<Partial> row_partials(before, kTile, Partial{});
  const Tail<Partial> column_partials(before, kTile, Partial{});  // a tile of columns for each tile of rows
  const Tail<float> positive_dots(before, kRows, 0.f);
  const Tail<TileSums> tile_sums(row_tiles - 1, 1, TileSums{});
  const ForwardArgs a{scores(before, rows.get(), columns.get()), row_partials.get(), column_partials.get(),
                      positive_dots.get(), tile_sums.get()};
  launch_from(row_tiles - 1, "scores_forward_plain_bf16_kernel", scores_shape(a.scores), a);
  Bits bits;
  append(bits, row_partials.read());
  append(bits, column_partials.read());
  append(bits, positive_dots.read());
  append(bits, tile_sums.read());
  return bits;
}

Bits scores_backward(int64_t before) {
  const Tail<uint16_t> rows(before * kDim, features(kRows, 1));
  const gpu::Array<uint16_t> columns(features(kColumns, 2));
  const int64_t row_tiles = before / kTile + 1;
  const Tail<float> row_factors(before, floats(kRows, 0.1f, 1)), row_shifts(before, kRows, 8.f),
      positive_dots(before, kRows, 0.5f);
  const Tail<double> positive_grads(before, kRows, -0.25);
  const gpu::Array<float> column_factors(floats(kColumns, 0.1f, 1)), column_shifts(kColumns, 9.f);
  const Tail<uint16_t> g(before * kTile, kTile * kTile, 0);
  const Tail<TileSums> tile_sums(row_tiles - 1, 1, TileSums{});
  BackwardArgs a{};
  a.scores = scores(before, rows.get(), columns.get());
  a.row_factors = row_factors.get();
  a.row_shifts = row_shifts.get();
  a.column_factors = column_factors.get();
  a.column_shifts = column_shifts.get();
  a.positive_dots = positive_dots.get();
  a.positive_grads = positive_grads.get();
  a.largest_spread = infcl::kLargestSpread;
  a.g_scale = 1;
  a.g_high = g.get();
  a.g_stride = kTile;
  a.tile_sums = tile_sums.get();
  launch_from(row_tiles - 1, "scores_backward_plain_bf16_kernel", scores_shape(a.scores), a);
  Bits bits;
  append(bits, g.read());
  append(bits, tile_sums.read());
  return bits;
}

// A grid has no more than 65535 tiles of gradients, so rows are fewer and longer here.
constexpr int kFewer = 8, kWideDim = 576, kWideStride = 1024;

Bits accumulate_rows(int64_t before) {
  before /= kFewer;
  const Tail<uint16_t> g(before * kWideStride, features(kTile, 3, kWideStride));
  const gpu::Array<uint16_t> columns(features(kColumns, 2, kWideDim));
  const Tail<float> out(before * kWideDim, kTile * kWideDim, 3.f);
  AccumulateArgs a{};
  a.g_high = g.get();
  a.g_stride = kWideStride;
  a.row_count = static_cast<int32_t>(before + kRows);
  a.column_count = kColumns;
  a.padded_dim = kWideDim;
  a.inverse_g_scale = 1;
  a.rows = {{columns.get(), nullptr}, out.get(), a.row_count, false};
  launch_from_row(before, a);
  Bits bits;
  append(bits, out.read());
  return bits;
}

// Rows of G are so long that the last ones begin beyond 2^31.
Bits accumulate_columns(int64_t before) {
  before /= kFewer;
  constexpr int kDeep = 1024;
  const int64_t stride = before + kTile;
  const std::vector<uint16_t> values = features(kDeep, 3, kTile);
  const Tail<uint16_t> g(kDeep * stride - 1, 1, 0);
  for (int64_t row = 0; row < kDeep; ++row)
    gpu::write(reinterpret_cast<gpu::Pointer>(g.get() + row * stride + before), values.data() + row * kTile,
               kTile * sizeof(uint16_t));
  const gpu::Array<uint16_t> rows(features(kDeep, 2, kWideDim));
  const Tail<float> out(before * kWideDim, kTile * kWideDim, 3.f);
  AccumulateArgs a{};
  a.g_high = g.get();
  a.g_stride = stride;
  a.row_count = kDeep;
  a.column_count = static_cast<int32_t>(before + kColumns);
  a.padded_dim = kWideDim;
  a.inverse_g_scale = 1;
  a.columns = {{rows.get(), nullptr}, out.get(), a.column_count, false};
  launch_from_row(before, a);
  Bits bits;
  append(bits, out.read());
  return bits;
}

Bits split(int64_t before) {
  std::vector<float> values = floats(kRows * kDim, -2, 2);
  values[3 * kDim + 5] = INFINITY;
  const Tail<float> in(before * kDim, values);
  const Tail<uint16_t> high(before * kDim, kRows * kDim, 0), low(before * kDim, kRows * kDim, 0);
  const gpu::Array<Findings> findings(1, kNoFindings);
  const SplitArgs a{in.get(),      Element::kFloat32, before + kRows, kDim,  kDim,
                    high.get(),    low.get(),         kDim,           false, 0,
                    findings.get()};
  launch_from(before / kWarpsOfBlock, "split_kernel", split_shape(a), a);
  Bits bits;
  append(bits, high.read());
  append(bits, low.read());
  const Findings found = findings.read()[0];
  bits.push_back(found.first_not_finite - static_cast<uint64_t>(before) * kDim);
  bits.push_back(found.longest_squares);
  return bits;
}

namespace {

struct FarPairs {
  explicit FarPairs(int64_t before)
      : rows(before * kDim, features(kRows, 1)),
        columns(before * kDim, features(kRows, 2)),
        labels(before, reversed(before)),
        g(before, floats(kRows, -1, 1)) {
    args.rows.high = rows.get();
    args.columns.high = columns.get();
    args.padded_dim = args.dim = kDim;
    args.count = before + kRows;
    args.per_row = 1;
    args.labels = labels.get();
    args.g = g.get();
  }
  static std::vector<int32_t> reversed(int64_t before) {
    std::vector<int32_t> all;
    for (int i = kRows; i-- > 0;) all.push_back(static_cast<int32_t>(before + i));
    return all;
  }

  Tail<uint16_t> rows, columns;
  Tail<int32_t> labels;
  Tail<float> g;
  PairArgs args{};
};

}  // namespace

Bits pair_dots(int64_t before) {
  FarPairs p(before);
  const Tail<float> dots(before, kRows, 0.f), errors(before, kRows, 0.f);
  p.args.dots = dots.get();
  p.args.errors = errors.get();
  p.args.rounding = 1;
  launch_from(before / kWarpsOfBlock, "pair_dots_kernel", pair_dots_shape(p.args), p.args);
  Bits bits;
  append(bits, dots.read());
  append(bits, errors.read());
  return bits;
}

Bits pair_gradients(int64_t before) {
  FarPairs p(before);
  const Tail<float> d_rows(before * kDim, kRows * kDim, 2.f), d_columns(before * kDim, kRows * kDim, 0.f);
  p.args.d_rows = d_rows.get();
  p.args.d_columns = d_columns.get();
  launch_from(before / kWarpsOfBlock, "pair_gradients_kernel", pair_gradients_shape(p.args), p.args);
  Bits bits;
  append(bits, d_rows.read());
  append(bits, d_columns.read());
  return bits;
}

}  // namespace sparse
