#include "cuda/operands/feature_copies.h"

#include <algorithm>
#include <cstring>

#include "cuda/pacer.h"

namespace infcl::cuda {

namespace {

constexpr int64_t kFloat = sizeof(float);

Element element_of(DType t) {
  switch (t) {
    case DType::kFloat16:
      return Element::kFloat16;
    case DType::kBFloat16:
      return Element::kBFloat16;
    case DType::kFloat32:
      break;
  }
  return Element::kFloat32;
}

int64_t gradient_stride(const ProblemMatrix& m, int64_t dim) {
  return m.gradient_layout.stride > 0 ? m.gradient_layout.stride : dim;
}

}  // namespace

FeatureCopies::FeatureCopies(const Stream& stream, Staging& staging, const Kernels& kernels,
                             MemoryCache* cache, const Problem& problem, Precision precision,
                             const WorkspacePlan& plan)
    : stream_(stream),
      staging_(staging),
      kernels_(kernels),
      control_(problem.control),
      to_float16_(precision == Precision::kFloat16),
      dim_(problem.dim),
      padded_dim_(plan.padded_dim),
      piece_(plan.staging, cache),
      findings_(plan.findings, cache) {
  clear_findings();
}

void FeatureCopies::clear_findings() {
  staging_.upload(stream_, findings_.as<void>(), &kNoFindings, sizeof kNoFindings);
}

Findings FeatureCopies::take_findings() {
  Findings found = kNoFindings;
  staging_.download(stream_, {findings_.as<void>(), 1, sizeof found, sizeof found}, &found, [] {});
  clear_findings();
  return found;
}

void FeatureCopies::bring_features(const MatrixView& m, Range rows, const PlaneMemory& to, Steps& steps) {
  if (m.place.on_device)
    steps.push_back([=] { split(m, m.row(rows.begin), m.stride, rows, to); });
  else
    bring_from_host(m, rows, to, steps);
  const int64_t padding = round_up(rows.size(), kTile) - rows.size(), begin = rows.size() * padded_dim_;
  if (padding == 0) return;
  steps.push_back([=] {
    for (uint16_t* plane : {to.high, to.low})
      if (plane) stream_.clear(plane + begin, padding * padded_dim_ * static_cast<int64_t>(sizeof(uint16_t)));
  });
}

void FeatureCopies::bring_from_host(const MatrixView& m, Range rows, const PlaneMemory& to, Steps& steps) {
  const int64_t width = m.dim * static_cast<int64_t>(dtype_size(m.dtype));
  const int64_t step = std::max<int64_t>(1, piece_.bytes() / width);
  for (int64_t row = rows.begin; row < rows.end; row += step) {
    const Range part{row, std::min(rows.end, row + step)};
    const int64_t offset = (row - rows.begin) * padded_dim_;
    steps.push_back([=] {
      throw_if_aborted(control_);
      staging_.upload_piece(stream_, piece_.as<void>(), part.size() * width, [&](char* pinned) {
        for (int64_t i = 0; i < part.size(); ++i)
          std::memcpy(pinned + i * width, m.row(part.begin + i), static_cast<size_t>(width));
      });
      split(m, piece_.as<void>(), m.dim, part, {to.high + offset, to.low ? to.low + offset : nullptr});
    });
  }
}

void FeatureCopies::split(const MatrixView& m, const void* rows, int64_t stride, Range range,
                          const PlaneMemory& to) const {
  SplitArgs a{};
  a.in = rows;
  a.element = element_of(m.dtype);
  a.rows = range.size();
  a.dim = m.dim;
  a.stride = stride;
  a.high = to.high;
  a.low = to.low;
  a.padded_dim = static_cast<int32_t>(padded_dim_);
  a.to_float16 = to_float16_;
  a.first_index = static_cast<unsigned long long>(range.begin * m.dim);
  a.findings = findings_.as<Findings>();
  kernels_.split(stream_, a);
}

template <class F>
void FeatureCopies::visit_pieces(const ProblemMatrix& m, Range rows, float* device, Steps& steps, F f) const {
  const int64_t step = staging_.rows_of_piece(dim_ * kFloat);
  for (int64_t row = rows.begin; row < rows.end; row += step) {
    const int64_t count = std::min(step, rows.end - row);
    const Staging::Rows piece{device + (row - rows.begin) * padded_dim_, count, dim_ * kFloat,
                              padded_dim_ * kFloat};
    float* const host = m.gradient + row * dim_;
    steps.push_back([=] {
      throw_if_aborted(control_);
      f(piece, host);
    });
  }
}

void FeatureCopies::bring_sums(const ProblemMatrix& m, Range rows, float* to, Steps& steps) {
  if (m.gradient_layout.place.on_device) {
    const int64_t stride = gradient_stride(m, dim_);
    float* const from = m.gradient + rows.begin * stride;
    steps.push_back([=] {
      stream_.copy_rows({true, to, padded_dim_ * kFloat}, {true, from, stride * kFloat}, rows.size(),
                        dim_ * kFloat);
    });
    return;
  }
  steps.push_back([this] { staging_.land(); });  // these sums may have been taken just now
  visit_pieces(m, rows, to, steps, [this](const Staging::Rows& piece, const float* host) {
    staging_.upload_rows(stream_, piece, host);
  });
}

void FeatureCopies::take_sums(const ProblemMatrix& m, Range rows, float* from, Steps& steps) {
  if (m.gradient_layout.place.on_device) {
    const int64_t stride = gradient_stride(m, dim_);
    float* const to = m.gradient + rows.begin * stride;
    steps.push_back([=] {
      stream_.copy_rows({true, to, stride * kFloat}, {true, from, padded_dim_ * kFloat}, rows.size(),
                        dim_ * kFloat);
    });
    return;
  }
  visit_pieces(m, rows, from, steps, [this](const Staging::Rows& piece, float* host) {
    staging_.download_rows(stream_, piece, host);
  });
}

}  // namespace infcl::cuda
