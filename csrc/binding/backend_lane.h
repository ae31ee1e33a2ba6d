// One backend of a Node environment, and the thread its asynchronous calls run on. Calls on one lane take
// turns; lanes run beside each other. Plans wait for no call.
#pragma once

#include <memory>
#include <mutex>

#include "binding/call_runner.h"
#include "binding/napi_env.h"
#include "core/backend.h"
#include "core/backends.h"
#include "core/engine.h"
#include "core/plan.h"

namespace infcl::binding {

class BackendLane {
 public:
  BackendLane(Napi::Env env, const BackendChoice& choice, const Settings& settings)
      : choice_(choice), settings_(settings), runner_(env) {}

  // From the environment's thread or the runner's; one call at a time on the backend, the second waits.
  ContrastiveResult run(const ContrastiveRequest& request) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return contrastive(request, backend());
  }

  // From the environment's thread, which must not wait for a call: without the lock, and on a planner that
  // has no part in calls.
  Plan run(const PlanRequest& request) { return plan(request, planner()); }

  CallRunner& runner() { return runner_; }

 private:
  bool is_cuda() const { return choice_.kind == BackendKind::kCuda; }

  // Made when first needed: the CPU's starts threads, a device's takes memory there and may not exist.
  Backend& backend() {
    if (!backend_)
      backend_ = is_cuda() ? make_cuda_backend(choice_.device, settings_) : make_cpu_backend(settings_);
    return *backend_;
  }

  Planner& planner() {
    if (!planner_)
      planner_ = is_cuda() ? make_cuda_planner(choice_.device, settings_) : make_cpu_planner(settings_);
    return *planner_;
  }

  const BackendChoice choice_;
  const Settings settings_;
  std::unique_ptr<Planner> planner_;  // the environment's thread alone

  std::mutex mutex_;  // guards the backend
  std::unique_ptr<Backend> backend_;
  CallRunner runner_;  // last, so that it is destroyed first: its thread uses the rest
};

}  // namespace infcl::binding
