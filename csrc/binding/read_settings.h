// Reads infcl's environment variables as JavaScript sees them when it loads the addon.
#pragma once

#include <string>

#include "binding/napi_env.h"
#include "core/settings.h"

namespace infcl::binding {

// To be called on the environment's thread. Never throws.
Settings read_settings(Napi::Env);

// The value of a variable now; empty where it is not set. To be called on the environment's thread.
std::string read_variable(Napi::Env, const char* name);

}  // namespace infcl::binding
