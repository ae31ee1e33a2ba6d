// Exports of the addon for groups of ranks.
#pragma once

#include "binding/addon_state.h"
#include "binding/napi_env.h"

namespace infcl::binding {

// { ranks } -> handles of that many ranks, threads of this process
Napi::Value thread_groups(const Napi::CallbackInfo&, AddonState&);
// { group, message, started } -> a promise
Napi::Value refuse_group_call(const Napi::CallbackInfo&, AddonState&);
Napi::Value close_group(const Napi::CallbackInfo&, AddonState&);

}  // namespace infcl::binding
