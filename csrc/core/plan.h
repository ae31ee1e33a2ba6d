// Tells the cost of a call before the call runs. Backends spend memory by the same plan, so a call costs as
// much as its plan says.
#pragma once

#include <cstdint>

#include "core/objective.h"
#include "core/types.h"

namespace infcl {

struct PlanRequest {
  Objective objective = make_objective(ObjectiveKind::kClip);
  int64_t rows = 0, keys = 0, dim = 0;
  int64_t guide_dim = 0, teacher_dim = 0;  // 0: the call has none
  DType dtype = DType::kFloat32;
  bool bfloat16 = false;  // multiply in bfloat16 where the device can
  bool gradient = true;
  int threads = 0;
  int64_t workspace_bytes = 0;  // 0: the default bound
};

struct Plan {
  double flops = 0;  // of the matrix products that the call will execute
  int threads = 0;
  int64_t workspace_bytes = 0;
  int64_t minimum_workspace_bytes = 0;
  int64_t lse_bytes = 0;
  int64_t slabs = 1;   // as in BackendStats
  double seconds = 0;  // on an otherwise idle machine, by a short measurement, once per planner
};

// Plans calls of one backend. A planner uses no memory of a running call, so that it can answer meanwhile.
// Only one thread may use a planner at a time.
class Planner {
 public:
  virtual ~Planner() = default;
  // `plan` has checked the shape.
  virtual Plan plan(const PlanRequest&) = 0;
};

// The most features, (rows + keys) * dim, that a plan accepts: 4 PiB of float32, more than any machine has.
// Below this bound, every size that a planner computes fits in 64 bits.
constexpr int64_t kMostFeatures = int64_t{1} << 50;

// Throws Error (kShape) for a shape that no memory can hold.
Plan plan(const PlanRequest&, Planner&);

}  // namespace infcl
