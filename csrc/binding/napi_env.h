// Includes napi.h with the switches that this addon needs. Every file of the binding includes this header, so
// that all files have the same switches.
#pragma once

// While worker.terminate() ends an environment, Node-API refuses to throw. node-addon-api then ends the whole
// process, unless this switch is set.
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS

#include <napi.h>

namespace infcl::binding {

// Gives an object a property of its own: a number, a string or a JavaScript value. `Set` would assign, and a
// setter of Object.prototype could take the assignment.
template <typename T>
void define(Napi::Object& object, const char* name, const T& value) {
  object.DefineProperty(
      Napi::PropertyDescriptor::Value(name, Napi::Value::From(object.Env(), value), napi_default_jsproperty));
}

}  // namespace infcl::binding
