// The addon's exports for groups of ranks, as lib/native/binding.ts lists them.
#pragma once

#include "binding/addon_state.h"
#include "binding/napi_env.h"

namespace infcl::binding {

Napi::Value open_group(const Napi::CallbackInfo&, AddonState&);
Napi::Value call_group(const Napi::CallbackInfo&, AddonState&);
Napi::Value close_group(const Napi::CallbackInfo&, AddonState&);
Napi::Value fail_group(const Napi::CallbackInfo&, AddonState&);
Napi::Value leave_group(const Napi::CallbackInfo&, AddonState&);
Napi::Value find_mpi(const Napi::CallbackInfo&, AddonState&);

}  // namespace infcl::binding
