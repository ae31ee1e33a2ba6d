// Instantiates every kernel for one instruction set, and checks its vector type.
#pragma once

#include "cpu/kernels/accumulate.h"
#include "cpu/kernels/fold.h"
#include "cpu/kernels/pack.h"
#include "cpu/kernels/pair_dots.h"
#include "cpu/kernels/refine.h"
#include "cpu/kernels/scores.h"
#include "cpu/kernels/search.h"
#include "cpu/kernels/sigmoid.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {
namespace {

// Takes the address of every function that vector_scalar.h lists. A compiler then names a missing or
// different function here, and not deep inside a kernel.
template <class Isa>
constexpr bool has_every_function() {
  using V = typename Isa::V;
  [[maybe_unused]] V (*zero)() = Isa::zero;
  [[maybe_unused]] V (*set1)(float) = Isa::set1;
  [[maybe_unused]] V (*load)(const float*) = Isa::load;
  [[maybe_unused]] void (*store)(float*, V) = Isa::store;
  [[maybe_unused]] V (*unary[])(V) = {Isa::abs, Isa::round, Isa::ceil};
  [[maybe_unused]] V (*binary[])(V, V) = {Isa::add, Isa::sub, Isa::mul,   Isa::div,
                                          Isa::max, Isa::min, Isa::scale2};
  [[maybe_unused]] V (*ternary[])(V, V, V) = {Isa::fma, Isa::fused_multiply_add, Isa::mac,
                                              Isa::select_negative, Isa::count_greater};
  [[maybe_unused]] unsigned (*lanes_greater)(V, V) = Isa::lanes_greater;
  [[maybe_unused]] V (*mac_element)(float, V, V) = Isa::mac_element;
  [[maybe_unused]] float (*hsum)(V) = Isa::hsum;
  [[maybe_unused]] typename Isa::Wide (*load_wide)(const float*) = Isa::load_wide;
  [[maybe_unused]] typename Isa::Wide (*wide_mac)(double, typename Isa::Wide, typename Isa::Wide) =
      Isa::wide_mac;
  if constexpr (Isa::kPair == 2) {
    [[maybe_unused]] typename Isa::Wide (*load_part[])(const float*) = {Isa::template load_part<0>,
                                                                        Isa::template load_part<1>};
    [[maybe_unused]] V (*pairs_along)(const float*) = Isa::pairs_along;
    [[maybe_unused]] V (*pairs_across)(V, V) = Isa::pairs_across;
  }
  return true;
}

template <class Isa>
constexpr void check_vector_type() {
  using V = typename Isa::V;
  using Wide = typename Isa::Wide;
  static_assert(has_every_function<Isa>(), "");
  static_assert(Isa::kPair == 1 || Isa::kPair == 2, "an element is a float or a pair of bfloat16");
  static_assert(sizeof(V) == Isa::kLanes * sizeof(float), "V has kLanes lanes");
  static_assert(sizeof(Wide) == sizeof(V) && Isa::kLanes % 2 == 0, "Wide has half as many lanes");
  static_assert(Isa::kRowGranule % panel_width<Isa>() == 0, "a row granule is whole panels");
  static_assert(Isa::kRowGranule % Isa::kRowStrip == 0, "a row granule is whole row strips");
  static_assert(Isa::kTile % Isa::kRowGranule == 0, "a tile is whole row granules");
  static_assert(Isa::kTile % Isa::kStrip == 0, "a tile is whole strips");
  static_assert(Isa::kPair == 1 || Isa::kVectors % 2 == 0, "narrow_gradients takes two vectors at a time");
  static_assert(Isa::kNearBytes > 0, "");
  static_assert(Isa::kLanes < 32 && Isa::kTile <= kMostListed, "lanes and positions of list_greater");
}

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
  check_vector_type<Isa>();
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
          list_greater<Isa>,
          count_greater<Isa>,
          logit_grad<Isa>,
          refine<Isa>,
          narrowing<Isa>(),
          accumulate_rows<Isa>,
          accumulate_columns<Isa>};
}

}  // namespace
}  // namespace infcl::cpu
