// Lets long work on the host stop after the caller has aborted the call.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/errors.h"
#include "core/types.h"

namespace infcl {

inline void throw_if_aborted(const Control& control) {
  if (control.aborted()) throw Error(ErrorCode::kAborted, "contrastive", "the call was aborted");
}

// Calls f(i) for each i of [0, count), and looks at the abort flag every few microseconds. Throws Error
// (kAborted) when the flag is set.
template <class F>
void for_each_unless_aborted(int64_t count, const Control& control, F f) {
  constexpr int64_t kBetweenLooks = 1 << 12;
  for (int64_t begin = 0; begin < count; begin += kBetweenLooks) {
    throw_if_aborted(control);
    for (int64_t i = begin; i < std::min(count, begin + kBetweenLooks); ++i) f(i);
  }
}

}  // namespace infcl
