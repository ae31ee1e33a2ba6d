// The kernels for bfloat16 products; CMake compiles this file with that instruction set's flags.
#include "cpu/kernel_table.h"
#include "cpu/vector_avx512bf16.h"

namespace infcl {

const Kernels& avx512bf16_kernels() {
  static constexpr Kernels kTable = kernel_table<Avx512Bf16>();
  return kTable;
}

}  // namespace infcl
