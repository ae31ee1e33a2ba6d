#include "cpu/teacher_tile.h"

#include <algorithm>
#include <cmath>

namespace infcl::cpu {

namespace {

// Within this spread of shifts, one shift serves all rows and columns: no largest term falls below 2^-60.
constexpr float kOneShiftSpread = 60;

// The least whole shift under which no term of the row exceeds 1.
float shift_of(float max, Log2Scale scale) { return std::ceil(max * scale.high); }

}  // namespace

TeacherTile::TeacherTile(const TileShape& c, const TeacherFold& fold) {
  const auto size = [](Side& side, int64_t count) {
    const size_t n = static_cast<size_t>(count);
    side = {std::vector<float>(n), std::vector<float>(n), std::vector<float>(n), std::vector<double>(n),
            std::vector<double>(n)};
  };
  if (!fold.rows && !fold.columns) return;
  size(row_, c.rows);
  size(column_, c.columns);
  no_factor_.assign(static_cast<size_t>(std::max(c.rows, c.columns)), 0.f);
  no_shift_.assign(no_factor_.size(), kNoTerm);
}

void TeacherTile::find_shifts(const Kernels& kernels, const TileOperands& c, const Tile& y, Log2Scale scale) {
  kernels.row_maxima(c, y.data, y.stride, row_.max.data());
  for (int64_t j = 0; j < c.columns; ++j) {
    const float* column = y.data + j * y.stride;
    column_.max[static_cast<size_t>(j)] = *std::max_element(column, column + c.rows);
  }
  const auto set = [&](Side& side, int64_t count) {
    std::fill(side.factor.begin(), side.factor.end(), 0.f);
    std::fill(side.shift.begin(), side.shift.end(), kNoTerm);
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
      if (is_masked(side.max[i])) continue;
      side.factor[i] = 1;
      side.shift[i] = shift_of(side.max[i], scale);
    }
  };
  set(row_, c.rows);
  set(column_, c.columns);
}

void TeacherTile::fold(const Kernels& kernels, const TileOperands& c, const Tile& x, const Tile& y,
                       Log2Scale scale, float* spare) {
  find_shifts(kernels, c, y, scale);
  float low = HUGE_VALF, high = -HUGE_VALF;
  for (Side* side : {&row_, &column_}) {
    std::fill(side->sum.begin(), side->sum.end(), 0.);
    std::fill(side->cross.begin(), side->cross.end(), 0.);
    for (size_t i = 0; i < side->factor.size(); ++i) {
      if (side->factor[i] == 0) continue;
      low = std::min(low, side->shift[i]);
      high = std::max(high, side->shift[i]);
    }
  }
  if (low > high) return;  // every pair is masked
  if (high - low < kOneShiftSpread) {
    for (Side* side : {&row_, &column_})
      for (size_t i = 0; i < side->factor.size(); ++i)
        if (side->factor[i] != 0) side->shift[i] = high;
    one_shift_ = high;
    add_up(kernels, c, x, y, scale, y.data, true, true);
  } else {
    add_up(kernels, c, x, y, scale, spare, true, false);
    add_up(kernels, c, x, y, scale, y.data, false, true);
  }
}

void TeacherTile::add_up(const Kernels& kernels, const TileOperands& c, const Tile& x, const Tile& y,
                         Log2Scale scale, float* out, bool rows, bool columns) {
  LogitGradArgs args{};
  // Where one shift serves both sides, the exponentials of the rows are those of the columns.
  args.formula = rows && columns ? GradFormula::kOneExp : GradFormula::kTwoExps;
  args.shift = one_shift_;
  args.row_factor = rows ? row_.factor.data() : no_factor_.data();
  args.row_shift = rows ? row_.shift.data() : no_shift_.data();
  args.column_factor = rows ? no_factor_.data() : column_.factor.data();
  args.column_shift = rows ? no_shift_.data() : column_.shift.data();
  args.scores = y.data;
  args.scores_stride = y.stride;
  kernels.logit_grad(c, {0, c.columns}, scale, args, out);
  for (int64_t j = 0; j < c.columns; ++j) {
    const float *e = out + j * kernels.tile.rows, *dots = x.data + j * x.stride;
    double sum = 0, cross = 0;
    for (int64_t i = 0; i < c.rows; ++i) {
      const double term = e[i], product = term * dots[i];
      sum += term;
      cross += product;
      if (!rows) continue;
      row_.sum[static_cast<size_t>(i)] += term;
      row_.cross[static_cast<size_t>(i)] += product;
    }
    if (!columns) continue;
    column_.sum[static_cast<size_t>(j)] = sum;
    column_.cross[static_cast<size_t>(j)] = cross;
  }
}

void TeacherTile::merge(const Side& side, Range range, TeacherSums& into) {
  for (int64_t r = 0; r < range.size(); ++r) {
    const size_t i = static_cast<size_t>(r);
    into.lse.fold(range.begin + r, side.sum[i], side.shift[i]);
    into.cross.fold(range.begin + r, side.cross[i], side.shift[i]);
  }
}

void mask_alike(const Tile& y, const float* x, int64_t x_stride) {
  for (int64_t j = 0; j < y.columns.size(); ++j)
    for (int64_t i = 0; i < y.rows.size(); ++i)
      if (is_masked(x[j * x_stride + i])) y.data[j * y.stride + i] = kMaskedDot;
}

void subtract_teacher(const Tile& g, const float* t, int64_t t_stride) {
  for (int64_t j = 0; j < g.columns.size(); ++j)
    for (int64_t i = 0; i < g.rows.size(); ++i) g.data[j * g.stride + i] -= t[j * t_stride + i];
}

}  // namespace infcl::cpu
