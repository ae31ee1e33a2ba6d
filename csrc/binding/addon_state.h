// The state of one Node environment (the main thread, a worker thread, a Jest file): a lane for each backend
// that it has used, and one for its group of ranks. Node keeps it as instance data. It is never static, so
// that one environment may end while another goes on.
#pragma once

#include <map>
#include <memory>

#include "binding/backend_lane.h"
#include "binding/device_handle.h"
#include "binding/group_lane.h"
#include "binding/napi_env.h"
#include "binding/read_settings.h"

namespace infcl::binding {

class AddonState {
 public:
  explicit AddonState(Napi::Env env) : env_(env), settings_(read_settings(env)) {
    use_cuda_library(settings_.cuda_library);
  }

  // To be called on the environment's thread.
  BackendLane& lane(const BackendChoice& choice) {
    std::unique_ptr<BackendLane>& lane = lanes_[{choice.kind, choice.device}];
    if (!lane) lane = std::make_unique<BackendLane>(env_, choice, settings_);
    return *lane;
  }

  // To be called on the environment's thread.
  GroupLane& group_lane() {
    if (!group_lane_) group_lane_ = std::make_unique<GroupLane>(env_);
    return *group_lane_;
  }

  const Settings& settings() const { return settings_; }
  const std::shared_ptr<DeviceLedger>& ledger() const { return ledger_; }

 private:
  const Napi::Env env_;
  const Settings settings_;
  // Handles own the ledger too, since Node may finalise them after this object.
  const std::shared_ptr<DeviceLedger> ledger_ = std::make_shared<DeviceLedger>();
  std::map<std::pair<BackendKind, int>, std::unique_ptr<BackendLane>> lanes_;
  std::unique_ptr<GroupLane> group_lane_;
};

}  // namespace infcl::binding
