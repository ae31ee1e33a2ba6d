// Copies features to the device, and sums of gradients both ways, in steps of a piece of staging memory
// each. The caller may enqueue other work between the steps. All copies are on one stream, in the order of
// the steps.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>

#include "core/backend.h"
#include "core/grid.h"
#include "cuda/launcher.h"
#include "cuda/operands/pinned_staging.h"
#include "cuda/plan.h"

namespace infcl::cuda {

// Memory for the planes of some rows.
struct PlaneMemory {
  uint16_t *high, *low;  // low null: one plane
};

class FeatureCopies {
 public:
  using Steps = std::deque<std::function<void()>>;
  FeatureCopies(const Stream&, Staging&, const Kernels&, MemoryCache*, const Problem&, Precision,
                const WorkspacePlan&);

  // Planes of rows of a matrix, with zeros up to a whole tile of rows.
  void bring_features(const MatrixView&, Range rows, const PlaneMemory& to, Steps&);
  // The sums of rows of a gradient, which have `padded_dim` features on the device.
  void bring_sums(const ProblemMatrix&, Range rows, float* to, Steps&);
  // The caller has the sums after the next land().
  void take_sums(const ProblemMatrix&, Range rows, float* from, Steps&);
  void land() { staging_.land(); }

  // Findings about the features brought since the last call of this.
  Findings take_findings();

 private:
  void bring_from_host(const MatrixView&, Range rows, const PlaneMemory& to, Steps&);
  void split(const MatrixView&, const void* rows, int64_t stride, Range range, const PlaneMemory& to) const;
  // f(piece, host) for pieces of a gradient.
  template <class F>
  void visit_pieces(const ProblemMatrix&, Range rows, float* device, Steps&, F f) const;
  void clear_findings();

  const Stream& stream_;
  Staging& staging_;
  const Kernels& kernels_;
  const Control control_;
  const bool to_float16_;
  const int64_t dim_, padded_dim_;
  DeviceBuffer piece_;     // features on their way to planes
  DeviceBuffer findings_;  // about them
};

}  // namespace infcl::cuda
