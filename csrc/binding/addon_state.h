// Everything one Node environment (the main thread, a worker thread, a Jest file) owns: its backend, its
// communicator, its promise worker. Kept as instance data and never static, so that environments come and go
// without each other.
#pragma once

#include <memory>
#include <mutex>

#include "binding/call_runner.h"
#include "binding/napi_env.h"
#include "core/backend.h"
#include "core/communicator.h"
#include "core/contrastive.h"
#include "core/plan.h"

namespace infcl::binding {

class AddonState {
 public:
  explicit AddonState(Napi::Env env) : runner_(env, [this](const ContrastiveRequest& r) { return run(r); }) {}

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
  // made when first needed: it starts threads, and may refuse an INFCL_ISA that this machine lacks
  Backend& backend() {
    if (!backend_) backend_ = make_cpu_backend();
    return *backend_;
  }

  std::mutex mutex_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Communicator> communicator_ = make_single_communicator();
  CallRunner runner_;  // last, so that it is destroyed first: its thread uses the rest
};

}  // namespace infcl::binding
