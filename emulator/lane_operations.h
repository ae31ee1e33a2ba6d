// Loops over the lanes of a warp, one template for each number of sources. An Op has a static apply().
#pragma once

#include <type_traits>

#include "warp.h"

namespace infcl::emulator {

template <class Op, class D, class A>
void unary(Warp& warp, const Instruction& in, uint32_t mask) {
  D* d = warp.lanes<D>(in.operands[0]);
  const A* a = warp.lanes<A>(in.operands[1]);
  for_each_lane(mask, [=](int lane) { d[lane] = Op::apply(a[lane]); });
}

template <class Op, class D, class A, class B = A>
void binary(Warp& warp, const Instruction& in, uint32_t mask) {
  D* d = warp.lanes<D>(in.operands[0]);
  const A* a = warp.lanes<A>(in.operands[1]);
  const B* b = warp.lanes<B>(in.operands[2]);
  for_each_lane(mask, [=](int lane) { d[lane] = Op::apply(a[lane], b[lane]); });
}

template <class Op, class D, class A, class B = A, class C = A>
void ternary(Warp& warp, const Instruction& in, uint32_t mask) {
  D* d = warp.lanes<D>(in.operands[0]);
  const A* a = warp.lanes<A>(in.operands[1]);
  const B* b = warp.lanes<B>(in.operands[2]);
  const C* c = warp.lanes<C>(in.operands[3]);
  for_each_lane(mask, [=](int lane) { d[lane] = Op::apply(a[lane], b[lane], c[lane]); });
}

// The instantiation for an integer type; signs matter to some operations.
template <template <class> class Pick>
Execute for_integer_type(Type type) {
  switch (type) {
    case Type::kS16:
      return Pick<int16_t>::execute;
    case Type::kU16:
    case Type::kB16:
      return Pick<uint16_t>::execute;
    case Type::kS32:
      return Pick<int32_t>::execute;
    case Type::kU32:
    case Type::kB32:
      return Pick<uint32_t>::execute;
    case Type::kS64:
      return Pick<int64_t>::execute;
    case Type::kU64:
    case Type::kB64:
      return Pick<uint64_t>::execute;
    default:
      return nullptr;
  }
}

}  // namespace infcl::emulator
