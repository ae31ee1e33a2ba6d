// The addon's exports for memory of a device, as lib/native/binding.ts lists them.
#pragma once

#include "binding/addon_state.h"
#include "binding/napi_env.h"

namespace infcl::binding {

Napi::Value allocate_device(const Napi::CallbackInfo&, AddonState&);
Napi::Value wrap_device(const Napi::CallbackInfo&, AddonState&);
Napi::Value share_device(const Napi::CallbackInfo&, AddonState&);
Napi::Value release_device(const Napi::CallbackInfo&, AddonState&);
Napi::Value device_pointer(const Napi::CallbackInfo&, AddonState&);
Napi::Value upload_device(const Napi::CallbackInfo&, AddonState&);
Napi::Value download_device(const Napi::CallbackInfo&, AddonState&);
Napi::Value device_memory(const Napi::CallbackInfo&, AddonState&);

}  // namespace infcl::binding
