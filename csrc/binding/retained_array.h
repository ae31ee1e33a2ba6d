// Retains the memory of an ArrayBuffer while native code uses it. A transfer (structuredClone, postMessage)
// may move the memory to another buffer, and the collector may free that buffer during a call. Node-API has
// no function against this: its reference keeps only the object, which a transfer empties. V8 has one, which
// node exports with the same signature since Node 14. The addon looks it up by name, so that the addon loads
// without it too.
//
// Refuses runtimes on which it was not tested: other releases of Node, Electron, Bun. There, only the rule of
// the docs protects a call: arrays must stay as they are until the promise settles.
#pragma once

#include <memory>

#include "binding/napi_env.h"

namespace infcl::binding {

// A typed array to whose elements native code has a pointer.
struct RetainedArray {
  Napi::ObjectReference array;
  // Null for a shared buffer, which cannot be detached, and on runtimes where memory cannot be retained.
  std::shared_ptr<void> memory;
};

// Finds out which runtime this is, once for the process. To be called when the addon loads: later, other code
// may have replaced the globals that tell the runtime.
void prepare_to_retain_arrays(Napi::Env);

// `buffer` is the ArrayBuffer or SharedArrayBuffer of `array`.
RetainedArray retain_array(const Napi::TypedArray& array, napi_value buffer);

}  // namespace infcl::binding
