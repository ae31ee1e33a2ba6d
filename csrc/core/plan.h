// What a call will cost, before it is paid. The engine asks the same planner, so the numbers are the truth.
#pragma once

#include <cstdint>

#include "core/objective.h"
#include "core/types.h"

namespace infcl {

struct PlanRequest {
  Objective objective = make_objective(ObjectiveKind::kClip);
  int64_t rows = 0, keys = 0, dim = 0;
  DType dtype = DType::kFloat32;
  bool bfloat16 = false;  // products of bfloat16 values, where the device has them
  bool gradient = true;
  int threads = 0;
  int64_t workspace_bytes = 0;  // 0: the default bound
};

struct Plan {
  double flops = 0;  // of the matrix products that will be executed
  int threads = 0;
  int64_t workspace_bytes = 0;
  int64_t minimum_workspace_bytes = 0;
  int64_t lse_bytes = 0;
  int64_t slabs = 1;             // as in Stats
  double gflops_per_second = 0;  // on `threads` threads, measured on a small tile, once per planner
};

// Says what calls on one backend will cost. Shares nothing with a call in progress, so that it answers while
// one runs. One thread at a time.
class Planner {
 public:
  virtual ~Planner() = default;
  // Of a shape that `plan` has let through.
  virtual Plan plan(const PlanRequest&) = 0;
};

// No machine has room for more features, (rows + keys) * dim of them: 4 PiB of float32. Below it, no size
// that a planner computes passes 64 bits.
constexpr int64_t kMostFeatures = int64_t{1} << 50;

// Throws Error (kShape) for a shape that no memory can hold.
Plan plan(const PlanRequest&, Planner&);

}  // namespace infcl
