// What a call will cost, before it is paid. The engine asks the same planner, so the numbers are the truth.
#pragma once

#include <cstdint>

#include "core/objective.h"
#include "core/types.h"

namespace infcl {

class Backend;

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
  int64_t shards = 1;            // as in Stats
  double gflops_per_second = 0;  // on `threads` threads, measured once per process on a small tile
};

Plan plan(const PlanRequest&, Backend&);

}  // namespace infcl
