// How long the kernels take on this machine, measured on half a tile while as many threads run as in a
// call. So two threads on one core, or a lower clock under load, are in the numbers.
#pragma once

#include "cpu/kernels/table.h"

namespace infcl::cpu {

// Seconds of one thread for one pair of rows, which grow with the width of the features.
struct PairTime {
  double fixed = 0, feature = 0;

  double at(double dim) const { return fixed + feature * dim; }
};

struct KernelTimes {
  PairTime scores, row_gradients, column_gradients;
  // Seconds for one pair of rows, of scores that are there.
  double fold = 0, fold_sigmoid = 0, logit_gradients = 0, sigmoid_gradients = 0;
  // Seconds for one feature: the search for NaN, and one of the packed layouts.
  double check = 0, pack = 0;
  double fresh_byte = 0;  // seconds for the first write to a byte that the system has just given
};

// `threads` run at once, and have ended when this returns. Takes some milliseconds with vectors. Throws Error
// (kOutOfMemory).
KernelTimes measure_kernel_times(const Kernels&, int threads);

}  // namespace infcl::cpu
