// Everything one Node environment (the main thread, a worker thread, a Jest file) owns: a lane for each
// backend it has used. Kept as instance data and never static, so that environments come and go without each
// other.
#pragma once

#include <map>
#include <memory>

#include "binding/backend_lane.h"
#include "binding/device_handle.h"
#include "binding/napi_env.h"

namespace infcl::binding {

class AddonState {
 public:
  explicit AddonState(Napi::Env env) : env_(env) {}

  // On the environment's thread.
  BackendLane& lane(const BackendChoice& choice) {
    std::unique_ptr<BackendLane>& lane = lanes_[{choice.kind, choice.device}];
    if (!lane) lane = std::make_unique<BackendLane>(env_, choice);
    return *lane;
  }

  const std::shared_ptr<DeviceLedger>& ledger() const { return ledger_; }

 private:
  const Napi::Env env_;
  // shared with the handles, which may be finalised after this
  const std::shared_ptr<DeviceLedger> ledger_ = std::make_shared<DeviceLedger>();
  std::map<std::pair<BackendKind, int>, std::unique_ptr<BackendLane>> lanes_;
};

}  // namespace infcl::binding
