// Where the features and gradients of a call are on the device: all of them from beginning to end
// (resident_store.h), or a slab at a time (slab_store.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/backend.h"
#include "cuda/kernels/kernel_args.h"
#include "cuda/operands/slabs.h"

namespace infcl::cuda {

// The matrices of a call. Two operands may be the same memory, whose features then come once.
struct Matrices {
  explicit Matrices(const Problem&);
  int of(Operand o) const { return indices[static_cast<int>(o)]; }

  std::vector<MatrixView> views;
  int indices[kOperandCount];  // in `views`; -1: the call has no such operand
};

inline Matrices::Matrices(const Problem& problem) {
  for (const Operand o : kOperands) {
    const MatrixView& wanted = problem.matrix(o).view;
    const auto found = std::find_if(views.begin(), views.end(), [&](const MatrixView& v) {
      return v.data == wanted.data && v.dtype == wanted.dtype && v.rows == wanted.rows &&
             v.dim == wanted.dim && v.stride == wanted.stride;
    });
    indices[static_cast<int>(o)] = wanted.rows > 0 ? static_cast<int>(found - views.begin()) : -1;
    if (wanted.rows > 0 && found == views.end()) views.push_back(wanted);
  }
}

class OperandStore {
 public:
  // Features of an operand, and whether a pass adds to their gradient.
  struct Side {
    Operand operand = Operand::kQueries;
    bool gradient = false;
  };
  struct Pass {
    Side rows, columns;
    std::vector<SlabVisit> visits;
  };

  virtual ~OperandStore() = default;

  // Brings an operand for the first time, and returns the findings about its features.
  virtual Findings bring(Operand) = 0;

  // A pass begins, then enters and leaves its visits in order. Work that is enqueued within a visit finds its
  // operands on the device, and the gradients keep what it adds.
  virtual void begin(const Pass&) {}
  virtual void enter(int64_t /*visit*/) {}
  virtual void leave(int64_t /*visit*/) {}
  // Does some of what later visits need. To be called often between enter and leave.
  virtual void work_ahead() {}

  // Within a visit: addresses from one of its rows on.
  virtual Planes planes(Operand, int64_t row) = 0;
  virtual float* sums(Operand, int64_t row) = 0;  // of the gradient that the pass adds to
  // Whether sums may hold garbage until a pass overwrites them; else they are zero at first.
  virtual bool sums_begin_as_garbage() const = 0;

  // Enqueues the last copies of all gradients to the caller, and waits where the host has a part in them.
  virtual void hand_over() = 0;
};

}  // namespace infcl::cuda
