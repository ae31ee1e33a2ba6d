// Instantiates every kernel for one instruction set.
#pragma once

#include "cpu/kernels/accumulate.h"
#include "cpu/kernels/fold.h"
#include "cpu/kernels/pack.h"
#include "cpu/kernels/pair_dots.h"
#include "cpu/kernels/refine.h"
#include "cpu/kernels/scores.h"
#include "cpu/kernels/sigmoid.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {
namespace {

template <class Isa>
constexpr decltype(Kernels::narrow_gradients) narrowing() {
  if constexpr (Isa::kPair == 1) {
    return nullptr;
  } else {
    return narrow_gradients<Isa>;
  }
}

template <class Isa>
constexpr Kernels kernel_table() {
  static_assert(Isa::kRowGranule % panel_width<Isa>() == 0 && Isa::kRowGranule % Isa::kRowStrip == 0, "");
  static_assert(Isa::kTile % Isa::kRowGranule == 0 && Isa::kTile % Isa::kStrip == 0, "");
  return {Isa::kName,
          compiled_features(),
          {Isa::kTile, Isa::kTile, Isa::kRowGranule},
          panel_width<Isa>(),
          Isa::kStrip,
          Isa::kPair,
          pack_panels<Isa>,
          pack_values<Isa>,
          pack_transposed<Isa>,
          find_not_finite<Isa>,
          pair_dots<Isa>,
          exact_dot<Isa>,
          add_scaled_row,
          scores<Isa>,
          row_maxima<Isa>,
          fold<Isa>,
          fold_sigmoid<Isa>,
          logit_grad<Isa>,
          refine<Isa>,
          narrowing<Isa>(),
          accumulate_rows<Isa>,
          accumulate_columns<Isa>};
}

}  // namespace
}  // namespace infcl::cpu
