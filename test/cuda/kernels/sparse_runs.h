// The last rows of matrices of more than 2^31 elements: their memory is reserved but never touched before
// these rows, and the emulator skips the blocks before theirs.
#pragma once

#include <cstdint>
#include <vector>

namespace sparse {

// Rows before the last ones: a multiple of a tile, and times the least stride (64) beyond 2^31.
constexpr int64_t kFar = (int64_t{1} << 25) + 1024;

// Each launches a kernel on a few rows that follow `before` others and returns all bits they result in. Those
// do not depend on `before`.
using Bits = std::vector<uint64_t>;
using Run = Bits (*)(int64_t before);

Bits scores_forward(int64_t before);
Bits scores_backward(int64_t before);
Bits accumulate_rows(int64_t before);
Bits accumulate_columns(int64_t before);
Bits split(int64_t before);
Bits pair_dots(int64_t before);       // of far rows with far columns
Bits pair_gradients(int64_t before);  // likewise

}  // namespace sparse
