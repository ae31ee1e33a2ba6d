// Where the features and gradients of a call are on the device: all of them from beginning to end
// (resident_store.h), or a slab at a time (slab_store.h).
#pragma once

#include <cstdint>
#include <vector>

#include "core/types.h"
#include "cuda/kernels/kernel_args.h"
#include "cuda/operands/slabs.h"

namespace infcl::cuda {

inline bool is_same(const MatrixView& a, const MatrixView& b) {
  return a.data == b.data && a.dtype == b.dtype && a.rows == b.rows && a.dim == b.dim && a.stride == b.stride;
}

class OperandStore {
 public:
  // Features, and the gradient that a pass adds to, if any: a pointer of the caller's.
  struct Side {
    MatrixView features;
    float* gradient = nullptr;
  };
  struct Pass {
    Side rows, columns;
    std::vector<SlabVisit> visits;
  };

  virtual ~OperandStore() = default;

  // What there is to know about a matrix, which the first call brings.
  virtual Findings examine(const MatrixView&) = 0;

  // Of a pass, the visits in order, each between enter and leave. What is enqueued meanwhile finds its
  // operands on the device; what it adds to gradients stays with them.
  virtual void begin(const Pass&) {}
  virtual void enter(int64_t /*visit*/) {}
  virtual void leave(int64_t /*visit*/) {}
  // Does some of what later visits need. To be called often between enter and leave.
  virtual void work_ahead() {}

  // Within a visit: from one of its rows on.
  virtual Planes planes(const MatrixView&, int64_t row) = 0;
  virtual float* sums(const float* gradient, int64_t row) = 0;  // null for null
  // Whether sums may hold garbage until a pass overwrites them; else they are zero at first.
  virtual bool sums_begin_as_garbage() const = 0;

  // Enqueues what is left to do for all gradients to be with the caller, and waits where that needs the host.
  virtual void hand_over() = 0;
};

}  // namespace infcl::cuda
