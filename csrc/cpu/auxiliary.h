// Auxiliary similarities: the same rows and columns by features of other models, which are frozen. Such a
// similarity has a dim of its own. A pass forms its scores for one tile at a time, beside the tile of the
// call's own similarity. Nothing is kept of these scores, and no gradient goes to their features.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/backend.h"
#include "cpu/tile_edits.h"

namespace infcl::cpu {

enum class Auxiliary { kGuide, kTeacher };
constexpr int kAuxiliaries = 2;
constexpr Auxiliary kEachAuxiliary[kAuxiliaries] = {Auxiliary::kGuide, Auxiliary::kTeacher};

// The features' dim of each auxiliary similarity; 0: the call has none.
using AuxiliaryDims = std::array<int64_t, kAuxiliaries>;
AuxiliaryDims auxiliary_dims(const Problem&);
// All of them together: the auxiliary multiply-adds of each pair.
int64_t total_dim(const AuxiliaryDims&);

// The operand of an auxiliary similarity in place of an operand of the call's own.
Operand auxiliary_operand(Auxiliary, Operand);

// Masks the scores `x` of pairs whose score in `guide` is above the smaller limit of the row and the column.
// Returns how many pairs it newly excludes.
int64_t mask_guided(const Tile& x, const Tile& guide, const PairMask&);

}  // namespace infcl::cpu
