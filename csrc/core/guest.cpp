#include "core/guest.h"

#include <algorithm>
#include <cstring>

namespace infcl {

namespace {

constexpr size_t kAlignment = 64;

template <class T>
void copy(const T* from, Range range, T* to) {
  std::copy(from + range.begin, from + range.end, to);
}

void read_lse(const double* sums, const float* shifts, int64_t count, LseVector& out) {
  out.reset(count);
  for (int64_t i = 0; i < count; ++i) out.fold(i, sums[i], shifts[i]);
}

void write_lse(const LseVector& from, Range range, double* sums, float* shifts) {
  for (int64_t i = range.begin; i < range.end; ++i) {
    sums[i - range.begin] = from.sum(i);
    shifts[i - range.begin] = from.shift(i);
  }
}

}  // namespace

GuestLayout::GuestLayout(const GuestParts& p) {
  size_t at_byte = 0;
  const auto take = [&](bool there, int64_t count, size_t size) {
    const size_t begin = at_byte;
    if (there) at_byte += (static_cast<size_t>(count) * size + kAlignment - 1) / kAlignment * kAlignment;
    return begin;
  };
  features = take(true, p.rows * p.dim, dtype_size(p.dtype));
  ids = take(p.ids, p.rows, sizeof(int32_t));
  classes = take(p.classes, p.rows, sizeof(int32_t));
  limits = take(p.limits, p.rows, sizeof(float));
  lse_sums = take(p.factors, p.rows, sizeof(double));
  lse_shifts = take(p.factors, p.rows, sizeof(float));
  weights = take(p.factors, p.rows, sizeof(double));
  uniform = take(p.uniform, p.rows, sizeof(float));
  positive_weights = take(p.positive_weights, p.rows, sizeof(float));
  result = at_byte;
  sums = take(p.sums, p.rows, sizeof(double));
  shifts = take(p.sums, p.rows, sizeof(float));
  dot_sums = take(p.dot_sums, p.rows, sizeof(double));
  counts = take(p.dot_sums, p.rows, sizeof(int64_t));
  positive_dot_sums = take(p.positive_dot_sums, p.rows, sizeof(double));
  gradient = take(true, p.gradient_rows * p.dim, sizeof(float));
  end = at_byte;
}

template <class Args>
void Guest::pack_columns(Range piece, const MatrixView& features, const Args& own) {
  const GuestLayout to = layout();
  const size_t width = static_cast<size_t>(features.dim) * dtype_size(features.dtype);
  for (int64_t i = 0; i < piece.size(); ++i)
    std::memcpy(at<char>(to.features) + static_cast<size_t>(i) * width, features.row(piece.begin + i), width);
  if (parts_.ids) copy(own.mask.column_ids, piece, at<int32_t>(to.ids));
  if (parts_.classes) copy(own.positives.column_classes, piece, at<int32_t>(to.classes));
  if (parts_.limits) copy(own.mask.column_limits, piece, at<float>(to.limits));
}

void Guest::pack(const GuestParts& parts, Range piece, const MatrixView& features, const FoldArgs& own) {
  parts_ = parts;
  pack_columns(piece, features, own);
}

void Guest::pack(const GuestParts& parts, Range piece, const MatrixView& features,
                 const DifferentiateArgs& own) {
  parts_ = parts;
  pack_columns(piece, features, own);
  if (!parts_.factors) return;
  const GuestLayout to = layout();
  write_lse(*own.columns->lse, piece, at<double>(to.lse_sums), at<float>(to.lse_shifts));
  copy(own.columns->weights.data(), piece, at<double>(to.weights));
  if (parts_.uniform) copy(own.columns->uniform.data(), piece, at<float>(to.uniform));
  if (parts_.positive_weights)
    copy(own.columns->positive_weights.data(), piece, at<float>(to.positive_weights));
}

Bytes Guest::receive(const GuestParts& parts, bool first_visit) {
  parts_ = parts;
  return {memory_.get(), first_visit ? layout().result : layout().end};
}

Bytes Guest::receive_result(const GuestParts& parts) {
  parts_ = parts;
  return {memory_.get() + layout().result, layout().end - layout().result};
}

void Guest::clear_result() { std::fill(at<char>(layout().result), at<char>(layout().end), char{0}); }

void Guest::unpack() {
  const GuestLayout from = layout();
  unpack_sums();
  if (!parts_.factors) return;
  read_lse(at<double>(from.lse_sums), at<float>(from.lse_shifts), parts_.rows, lse_);
  factors_.lse = &lse_;
  const auto read = [&](bool there, auto* first, auto& into) {
    into.assign(first, first + (there ? parts_.rows : 0));
  };
  read(true, at<double>(from.weights), factors_.weights);
  read(parts_.uniform, at<float>(from.uniform), factors_.uniform);
  read(parts_.positive_weights, at<float>(from.positive_weights), factors_.positive_weights);
}

// Zero bytes are a normaliser without any term.
void Guest::unpack_sums() {
  if (!parts_.sums) return;
  const GuestLayout from = layout();
  read_lse(at<double>(from.sums), at<float>(from.shifts), parts_.rows, sums_.lse);
  const int64_t smoothed = parts_.dot_sums ? parts_.rows : 0;
  const int64_t positives = parts_.positive_dot_sums ? parts_.rows : 0;
  sums_.dot_sums.assign(at<double>(from.dot_sums), at<double>(from.dot_sums) + smoothed);
  sums_.counts.assign(at<int64_t>(from.counts), at<int64_t>(from.counts) + smoothed);
  sums_.positive_dot_sums.assign(at<double>(from.positive_dot_sums),
                                 at<double>(from.positive_dot_sums) + positives);
}

void Guest::pack_sums() {
  if (!parts_.sums) return;
  const GuestLayout to = layout();
  write_lse(sums_.lse, {0, parts_.rows}, at<double>(to.sums), at<float>(to.shifts));
  std::copy(sums_.dot_sums.begin(), sums_.dot_sums.end(), at<double>(to.dot_sums));
  std::copy(sums_.counts.begin(), sums_.counts.end(), at<int64_t>(to.counts));
  std::copy(sums_.positive_dot_sums.begin(), sums_.positive_dot_sums.end(), at<double>(to.positive_dot_sums));
}

GuestVisit Guest::visit(int64_t rows) {
  GuestVisit v;
  v.rows = rows;
  v.columns.view = {at<char>(layout().features), parts_.dtype, parts_.rows, parts_.dim, parts_.dim, {}};
  v.columns.gradient = parts_.gradient_rows > 0 ? at<float>(layout().gradient) : nullptr;
  v.columns.gradient_rows = parts_.gradient_rows;
  return v;
}

template <class Args>
void Guest::meet_columns(Args& a) {
  if (parts_.ids) a.mask.column_ids = at<int32_t>(layout().ids);
  if (parts_.classes) a.positives.column_classes = at<int32_t>(layout().classes);
  if (parts_.limits) a.mask.column_limits = at<float>(layout().limits);
}

void Guest::meet(FoldArgs& a) {
  meet_columns(a);
  a.columns = parts_.sums ? &sums_ : nullptr;
}

void Guest::meet(DifferentiateArgs& a) {
  meet_columns(a);
  a.columns = parts_.factors ? &factors_ : nullptr;
}

}  // namespace infcl
