// The addon's exports for groups of ranks, as lib/native/group.ts lists them.
#pragma once

#include "binding/addon_state.h"
#include "binding/napi_env.h"

namespace infcl::binding {

Napi::Value thread_groups(const Napi::CallbackInfo&, AddonState&);
Napi::Value open_group(const Napi::CallbackInfo&, AddonState&);
Napi::Value call_group(const Napi::CallbackInfo&, AddonState&);
Napi::Value refuse_group_call(const Napi::CallbackInfo&, AddonState&);
Napi::Value close_group(const Napi::CallbackInfo&, AddonState&);
Napi::Value fail_group(const Napi::CallbackInfo&, AddonState&);
Napi::Value leave_group(const Napi::CallbackInfo&, AddonState&);
Napi::Value find_mpi(const Napi::CallbackInfo&, AddonState&);

}  // namespace infcl::binding
