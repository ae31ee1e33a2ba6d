// Turns JavaScript requests into C++ structs, and results into JavaScript objects. Checks everything that
// could lead an index out of its memory, although lib/ has checked it before. A getter may have changed a
// value since, or a buffer may have been detached while the call waited. check_request.h has the rules.
#pragma once

#include "binding/group_handle.h"
#include "binding/napi_env.h"
#include "binding/request_reader.h"
#include "core/backends.h"
#include "core/engine.h"
#include "core/plan.h"

namespace infcl::binding {

// A request with the memory that it points into. Must be destroyed on the environment's thread.
struct MarshalledCall {
  BackendChoice backend;
  ContrastiveRequest request;
  GroupRank* group = nullptr;  // null: this process has the whole batch; TypeScript keeps the handle
  Retained retained;
};

struct MarshalledPlan {
  BackendChoice backend;
  PlanRequest request;
};

// Throw RequestError: ERR_TYPE, ERR_VALUE, ERR_DETACHED, ERR_DISPOSED, ERR_DEVICE or ERR_SHAPE.
MarshalledCall read_contrastive_request(const Napi::Value&);
MarshalledPlan read_plan_request(const Napi::Value&);

Napi::Object write_stats(Napi::Env, const Stats&);
Napi::Object write_result(Napi::Env, const ContrastiveResult&);
Napi::Object write_plan(Napi::Env, const Plan&);
Napi::Object write_cpu_info(Napi::Env, const CpuInfo&);
Napi::Object write_cuda_info(Napi::Env, const CudaInfo&);

}  // namespace infcl::binding
