// One backend of a Node environment, and the thread its asynchronous calls run on. Calls on one lane take
// turns; lanes run beside each other.
#pragma once

#include <memory>
#include <mutex>

#include "binding/call_runner.h"
#include "binding/napi_env.h"
#include "core/backend.h"
#include "core/backend_factory.h"
#include "core/communicator.h"
#include "core/contrastive.h"
#include "core/plan.h"

namespace infcl::binding {

class BackendLane {
 public:
  BackendLane(Napi::Env env, const BackendChoice& choice) : choice_(choice), runner_(env) {}

  // From the environment's thread or the runner's; one call at a time on the backend, the second waits.
  ContrastiveResult run(const ContrastiveRequest& request) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return contrastive(request, backend(), *communicator_);
  }

  Plan run(const PlanRequest& request) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return plan(request, backend());
  }

  CallRunner& runner() { return runner_; }

 private:
  // Made when first needed: the CPU's starts threads and may refuse an INFCL_ISA that this machine lacks, a
  // device's takes memory there and may not exist.
  Backend& backend() {
    if (!backend_)
      backend_ = choice_.kind == BackendKind::kCuda ? make_cuda_backend(choice_.device) : make_cpu_backend();
    return *backend_;
  }

  const BackendChoice choice_;
  std::mutex mutex_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Communicator> communicator_ = make_single_communicator();
  CallRunner runner_;  // last, so that it is destroyed first: its thread uses the rest
};

}  // namespace infcl::binding
