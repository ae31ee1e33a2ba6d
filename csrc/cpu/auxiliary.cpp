#include "cpu/auxiliary.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cpu/backend.h"
#include "cpu/teacher_tile.h"

namespace infcl::cpu {

AuxiliaryDims auxiliary_dims(const Problem& problem) {
  AuxiliaryDims dims{};
  for (const Auxiliary a : kEachAuxiliary) {
    const MatrixView& view = problem.matrix(auxiliary_operand(a, Operand::kQueries)).view;
    dims[static_cast<size_t>(a)] = view.rows > 0 ? view.dim : 0;
  }
  return dims;
}

int64_t total_dim(const AuxiliaryDims& dims) { return std::accumulate(dims.begin(), dims.end(), int64_t{0}); }

Operand auxiliary_operand(Auxiliary a, Operand o) {
  const bool queries = o == Operand::kQueries;
  if (a == Auxiliary::kGuide) return queries ? Operand::kGuideQueries : Operand::kGuideKeys;
  return queries ? Operand::kTeacherQueries : Operand::kTeacherKeys;
}

int64_t mask_guided(const Tile& x, const Tile& guide, const PairMask& mask) {
  int64_t count = 0;
  for (int64_t j = x.columns.begin; j < x.columns.end; ++j) {
    const float column_limit = mask.guide_column_limits ? mask.guide_column_limits[j] : HUGE_VALF;
    for (int64_t i = x.rows.begin; i < x.rows.end; ++i) {
      if (guide.at(i, j) <= std::min(mask.guide_row_limits[i], column_limit)) continue;
      count += !is_masked(x.at(i, j));
      x.at(i, j) = kMaskedDot;
    }
  }
  // the diagonal tile shows every pair twice
  return x.diagonal ? count / 2 : count;
}

const MatrixView& CpuBackend::auxiliary_view(Auxiliary a, Operand o) const {
  return problem_.matrix(auxiliary_operand(a, o)).view;
}

void CpuBackend::pack_auxiliary_columns(Range range, float* out) const {
  const Operand columns = problem_.similarities[similarity_].columns;
  for (const Auxiliary a : kEachAuxiliary)
    if (plan_.auxiliary_dims[static_cast<size_t>(a)] > 0)
      kernels_->pack_panels(auxiliary_view(a, columns), range, out + plan_.auxiliary_panels_at(a),
                            round_up(range.size(), kernels_->strip));
}

void CpuBackend::pack_auxiliary_rows(Range range, const RowMemory& memory) const {
  const Operand rows = problem_.similarities[similarity_].rows;
  for (const Auxiliary a : kEachAuxiliary)
    if (plan_.auxiliary_dims[static_cast<size_t>(a)] > 0)
      kernels_->pack_transposed(auxiliary_view(a, rows), range, memory.auxiliary[static_cast<size_t>(a)]);
}

TileOperands CpuBackend::auxiliary_operands(Auxiliary a, int64_t tile_row, const TileOperands& own) const {
  TileOperands c = own;
  c.dim = plan_.auxiliary_dims[static_cast<size_t>(a)];
  c.transposed_rows = row_memory(tile_row).auxiliary[static_cast<size_t>(a)];
  c.column_panels = own.column_panels + plan_.auxiliary_panels_at(a);
  c.row_values = c.column_values = nullptr;
  return c;
}

Tile CpuBackend::auxiliary_tile(int t, const TilePlace& place, int64_t which) const {
  return {place, memory_[static_cast<size_t>(t)].auxiliary + which * Workspace::floats_for(plan_.tile),
          kernels_->tile.rows};
}

bool CpuBackend::make_teacher_scores(int t, int64_t tile_row, const TileOperands& c, const TilePlace& place,
                                     const float* masked, int64_t masked_stride) const {
  const Tile y = auxiliary_tile(t, place, 1);
  if (!make_scores(auxiliary_operands(Auxiliary::kTeacher, tile_row, c), y, nullptr)) return false;
  if (masked) mask_alike(y, masked, masked_stride);
  return true;
}

bool CpuBackend::mask_by_guide(int t, int64_t tile_row, const TileOperands& c, const Tile& x,
                               const PairMask& mask, int64_t* masked) const {
  if (!mask.guide_row_limits) return true;
  const Tile scores = auxiliary_tile(t, x, 0);
  if (!make_scores(auxiliary_operands(Auxiliary::kGuide, tile_row, c), scores, nullptr)) return false;
  *masked += mask_guided(x, scores, mask);
  return true;
}

}  // namespace infcl::cpu
