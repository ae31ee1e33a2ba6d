// The one door to Node-API: every binding file includes it in place of napi.h, so that all agree on the
// switches.
#pragma once

// While worker.terminate() tears an environment down, Node-API refuses to throw. node-addon-api then ends the
// process unless told that this is expected.
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS

#include <napi.h>

namespace infcl::binding {

// Gives an object a property of its own. `Set` would assign, and a property of Object.prototype could swallow
// the assignment.
template <typename T>
void define(Napi::Object& object, const char* name, const T& value) {
  object.DefineProperty(
      Napi::PropertyDescriptor::Value(name, Napi::Value::From(object.Env(), value), napi_default_jsproperty));
}

}  // namespace infcl::binding
