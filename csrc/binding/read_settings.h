// Reads infcl's environment variables as JavaScript sees them when it loads the addon.
#pragma once

#include "binding/napi_env.h"
#include "core/settings.h"

namespace infcl::binding {

// To be called on the environment's thread. Never throws.
Settings read_settings(Napi::Env);

}  // namespace infcl::binding
