// The addon's exports for mappings of files, as lib/native/binding.ts lists them.
#pragma once

#include "binding/addon_state.h"
#include "binding/napi_env.h"

namespace infcl::binding {

Napi::Value open_mapping(const Napi::CallbackInfo&, AddonState&);
Napi::Value share_mapping(const Napi::CallbackInfo&, AddonState&);
Napi::Value release_mapping(const Napi::CallbackInfo&, AddonState&);
Napi::Value read_mapping(const Napi::CallbackInfo&, AddonState&);

}  // namespace infcl::binding
