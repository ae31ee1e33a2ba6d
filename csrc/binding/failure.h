// A failure as plain data. `describe` makes it from a C++ exception on any thread, and `to_js_error` turns it
// into a JavaScript Error on the environment's thread. No other code translates errors.
#pragma once

#include <exception>

#include "binding/napi_env.h"
#include "binding/request_error.h"

namespace infcl::binding {

Failure describe(const std::exception_ptr&);

// An Error with `code` and `message`.
Napi::Error to_js_error(Napi::Env, const Failure&);

}  // namespace infcl::binding
