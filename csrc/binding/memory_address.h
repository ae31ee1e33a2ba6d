// Where the memory of a typed array lies, so that JavaScript can tell whether two arrays share some. Refuses
// what is no typed array; reads nothing.
#pragma once

#include "binding/addon_state.h"
#include "binding/napi_env.h"

namespace infcl::binding {

Napi::Value memory_address(const Napi::CallbackInfo&, AddonState&);

}  // namespace infcl::binding
