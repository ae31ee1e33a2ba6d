// The kernels for `avx2`; CMake compiles this file with that instruction set's flags.
#include "cpu/kernel_table.h"
#include "cpu/vector_avx2.h"

namespace infcl {

const Kernels& avx2_kernels() {
  static constexpr Kernels kTable = kernel_table<Avx2>();
  return kTable;
}

}  // namespace infcl
