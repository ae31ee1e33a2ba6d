// The address of a typed array's memory, so that JavaScript can tell whether two arrays overlap. Refuses any
// other value, and reads no element.
#pragma once

#include "binding/addon_state.h"
#include "binding/napi_env.h"

namespace infcl::binding {

Napi::Value memory_address(const Napi::CallbackInfo&, AddonState&);

}  // namespace infcl::binding
