// One backend of a Node environment, and the thread of its asynchronous calls. Calls on one lane run one
// after another, calls on different lanes at the same time. A plan does not wait for a call.
#pragma once

#include <memory>
#include <mutex>

#include "binding/call_runner.h"
#include "binding/napi_env.h"
#include "core/backend.h"
#include "core/backends.h"
#include "core/engine.h"
#include "core/plan.h"
#include "core/search.h"

namespace infcl::binding {

class BackendLane {
 public:
  BackendLane(Napi::Env env, const BackendChoice& choice, const Settings& settings)
      : choice_(choice), settings_(settings), runner_(env) {}

  // May be called on the environment's thread and on the runner's. A second call waits for the first.
  ContrastiveResult run(const ContrastiveRequest& request) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return contrastive(request, backend());
  }

  // One rank's call of several. `met` as in the engine.
  ContrastiveResult run(const ContrastiveRequest& request, Communicator& ring, bool* met) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return contrastive(request, backend(), ring, met);
  }

  Stats run(const SearchRequest& request) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return search(request, backend());
  }

  // To be called on the environment's thread, which must not wait for a running call. So this function takes
  // no lock, and no call uses the planner.
  Plan run(const PlanRequest& request) { return plan(request, planner()); }

  CallRunner& runner() { return runner_; }

 private:
  // Makes the backend when a call first needs it. The CPU's backend starts threads. A device's backend takes
  // device memory, and fails where there is no device.
  Backend& backend() {
    if (!backend_) backend_ = make_backend(choice_, settings_);
    return *backend_;
  }

  Planner& planner() {
    if (!planner_) planner_ = make_planner(choice_, settings_);
    return *planner_;
  }

  const BackendChoice choice_;
  const Settings settings_;
  std::unique_ptr<Planner> planner_;  // used by the environment's thread alone

  std::mutex mutex_;  // guards the backend
  std::unique_ptr<Backend> backend_;
  CallRunner runner_;  // the last member, so that it is destroyed first: its thread uses the others
};

}  // namespace infcl::binding
