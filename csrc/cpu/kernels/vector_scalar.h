// The fallback, called "scalar", and the contract that every vector type owes the kernels. The fallback uses
// generic vectors of four lanes and no intrinsics. It runs on any processor; speed is not its purpose.
//
// Kernels are templates over a vector type. Another instruction set takes a type like this one and a file
// like table_scalar.cpp. The lists of table.h, sources.cmake and binding.gyp name the new instruction set.
// fill_table.h checks that no member is missing. Every function is static.
//
// Types and constants:
//   V             a vector of kLanes float32
//   Wide          a vector of kLanes / 2 float64, with - * + +=; Wide{} is zero
//   kName         the name in INFCL_ISA and stats.isa
//   kPair         values in a packed 32-bit element: 1 (float32) or 2 (bfloat16)
//   kLanes        an even number
//   kVectors      vectors across a micro-tile; a packed panel has kLanes * kVectors lanes
//   kStrip        columns down the micro-tiles of scores and d_columns
//   kRowStrip     rows down the micro-tile of d_rows
//   kRowGranule   multiple of the panel and of kRowStrip: tile rows begin at its multiples
//   kTile         rows and columns of the largest tile: multiple of kRowGranule and of kStrip
//   kNearBytes    bytes of packed row panels that stay in L2 while strips of columns pass
// Registers must hold kStrip * kVectors accumulators, kVectors loaded vectors and one broadcast element; the
// same with kRowStrip. L2 must hold g, which is 4 * kTile * kTile bytes, and packed panels.
//
// Functions, each lane by itself:
//   zero()  set1(a)               0 or `a` in every lane
//   load(p)  store(p, v)          kLanes floats; p need not be aligned
//   add  sub  mul  div            rounded once; a compiler may fuse a mul into the add after it
//   max(a, b)  min(a, b)          where a or b is NaN, either one
//   abs(a)                        a without its sign
//   select_negative(a, yes, no)   yes where a < 0, no where a > 0, either one where a is 0 or NaN
//   fma(a, b, c)                  a * b + c; the product may be rounded first
//   fused_multiply_add(a, b, c)   a * b + c; the product must not be rounded first (exp2.h)
//   round(a)                      nearest integer, halves to even, as Base2Logit rounds; large values stay
//   ceil(a)                       the least integer that is not below a
//   scale2(a, n)                  a * 2^n for an integer n; n = -FLT_MAX and -infinity must give 0;
//                                 n <= -127 may give 0, n > 127 may count as 127
//   mac(a, b, c)                  c + the product of packed elements: a * b, or both products of a pair.
//                                 Any rounding, but the same in every lane: pair_dots repeats bits of scores
//   mac_element(a, b, c)          mac(set1(a), b, c), the same bits: multiplies one packed element by many
//   count_greater(n, a, b)        n + 1 where a > b, else n; a and b are no NaN
// Functions across lanes:
//   lanes_greater(a, b)           bit l is set where a > b in lane l; a and b are no NaN
//   hsum(v)                       the sum of all lanes, NaN where one lane is NaN. Adds the upper half to the
//                                 lower half until one lane is left; another fixed order changes last bits
//   load_wide(p)                  kLanes / 2 floats as float64, exactly
//   wide_mac(a, b, c)             c + a * b for a float64 number a, where all of a and b are floats: their
//                                 product is exact
// Where kPair is 2 (the first value of a pair is in the low 16 bits; see vector_avx512bf16.h):
//   load_part<k>(p)               value k of kLanes / 2 pairs as float64, exactly
//   pairs_along(p)                2 * kLanes floats as the pairs (p[0], p[1]), (p[2], p[3]), ...
//   pairs_across(a, b)            the pair (a, b) in every lane
// Both round to nearest even, and may turn subnormals into 0.
#pragma once

#include <cstdint>
#include <cstring>

namespace infcl::cpu {
namespace {

struct Scalar {
  typedef float V __attribute__((vector_size(16)));
  typedef int32_t VI __attribute__((vector_size(16)));
  typedef double Wide __attribute__((vector_size(16)));
  static constexpr const char* kName = "scalar";
  static constexpr int kPair = 1;
  static constexpr int kLanes = 4;
  static constexpr int kStrip = 4, kVectors = 2, kRowStrip = 4;
  static constexpr int kRowGranule = 8;  // whole panels and whole row strips
  static constexpr int64_t kTile = 192;
  static constexpr int64_t kNearBytes = 256 << 10;

  static V zero() { return V{}; }
  static V set1(float a) { return V{a, a, a, a}; }
  static V load(const float* p) {
    V v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static void store(float* p, V v) { std::memcpy(p, &v, sizeof v); }
  static V add(V a, V b) { return a + b; }
  static V sub(V a, V b) { return a - b; }
  static V mul(V a, V b) { return a * b; }
  static V max(V a, V b) { return a > b ? a : b; }
  static V min(V a, V b) { return a < b ? a : b; }
  static V mac(V a, V b, V c) { return fma(a, b, c); }
  static V mac_element(float a, V b, V c) { return mac(set1(a), b, c); }
  static V div(V a, V b) { return a / b; }
  static V abs(V a) { return a < zero() ? -a : a; }
  static V select_negative(V a, V yes, V no) { return a < zero() ? yes : no; }
  static V fma(V a, V b, V c) { return a * b + c; }
  // Float64 holds the product of two floats exactly. Compilers fuse nothing in this file (INFCL_CORE_FLAGS).
  static V fused_multiply_add(V a, V b, V c) {
    typedef double Whole __attribute__((vector_size(32)));
    return __builtin_convertvector(__builtin_convertvector(a, Whole) * __builtin_convertvector(b, Whole) +
                                       __builtin_convertvector(c, Whole),
                                   V);
  }
  // Below 2^23, adding and subtracting 2^23 with the sign of a rounds the fraction away.
  static V round(V a) {
    const V most = set1(8388608.f), magic = a < zero() ? -most : most;
    return abs(a) < most ? (a + magic) - magic : a;
  }
  static V ceil(V a) {
    const V n = round(a);
    return n < a ? n + set1(1.f) : n;
  }
  static V scale2(V a, V n) {
    n = min(max(n, set1(-127.f)), set1(127.f));
    const VI bits = (__builtin_convertvector(n, VI) + 127) << 23;
    V power;
    std::memcpy(&power, &bits, sizeof power);
    return a * power;
  }
  // A comparison gives -1 where it holds.
  static V count_greater(V n, V a, V b) { return n - __builtin_convertvector(a > b, V); }
  static unsigned lanes_greater(V a, V b) {
    const VI holds = (a > b) & VI{1, 2, 4, 8};
    return static_cast<unsigned>(holds[0] | holds[1] | holds[2] | holds[3]);
  }
  static Wide load_wide(const float* p) {
    typedef float Half __attribute__((vector_size(8)));
    Half v;
    std::memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, Wide);
  }
  static Wide wide_mac(double a, Wide b, Wide c) { return c + a * b; }
  static float hsum(V v) { return (v[0] + v[2]) + (v[1] + v[3]); }
};

}  // namespace
}  // namespace infcl::cpu
