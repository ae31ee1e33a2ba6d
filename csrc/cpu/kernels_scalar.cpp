// The kernels for `scalar`; CMake compiles this file with that instruction set's flags.
#include "cpu/kernel_table.h"
#include "cpu/vector_scalar.h"

namespace infcl {

const Kernels& scalar_kernels() {
  static constexpr Kernels kTable = kernel_table<Scalar>();
  return kTable;
}

}  // namespace infcl
