// Keeps the memory of an ArrayBuffer while native code uses it, even if the buffer is transferred away
// meanwhile (structuredClone, postMessage) and the receiver is collected. Node-API cannot: a reference holds
// the object, which a transfer empties. V8 can, and node exports the one function it takes, which has kept
// its signature since Node 14. Looked up by name, so that the addon still loads where it is missing.
//
// Refuses runtimes it was not tried on (other releases of Node, Electron, Bun): there the rule of the docs,
// that arrays stay as they are until the promise settles, is all there is.
#pragma once

#include <memory>

#include "binding/napi_env.h"

namespace infcl::binding {

// A typed array that native code has a pointer into.
struct RetainedArray {
  Napi::ObjectReference array;
  std::shared_ptr<void> memory;  // null for shared buffers, which cannot be detached, and where nobody pins
};

// Looks at the runtime, once for the process. When the addon loads, since later anybody may have replaced
// the globals that tell which runtime this is.
void prepare_to_retain_arrays(Napi::Env);

// `buffer` is the ArrayBuffer or SharedArrayBuffer that `array` is on.
RetainedArray retain_array(const Napi::TypedArray& array, napi_value buffer);

}  // namespace infcl::binding
