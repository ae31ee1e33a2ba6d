// The environment variables that infcl obeys, as JavaScript sees them when the addon is loaded.
#pragma once

#include "binding/napi_env.h"
#include "core/settings.h"

namespace infcl::binding {

// On the environment's thread. Never throws.
Settings read_settings(Napi::Env);

}  // namespace infcl::binding
