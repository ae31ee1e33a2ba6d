#include "binding/retained_array.h"

#include "binding/process_symbol.h"

namespace infcl::binding {

namespace {

// std::shared_ptr<v8::BackingStore> v8::ArrayBuffer::GetBackingStore(), under the Itanium C++ ABI. The code
// here uses only the owner count of the returned pointer.
using GetBackingStore = std::shared_ptr<void> (*)(napi_value array_buffer);

// The releases of Node on which test/lifecycle has shown that memory is retained.
constexpr uint32_t kOldestNode = 20, kNewestNode = 26;

bool is_known_runtime(napi_env env) {
  const napi_node_version* version = nullptr;
  if (napi_get_node_version(env, &version) != napi_ok) return false;
  if (version->major < kOldestNode || version->major > kNewestNode) return false;
  try {
    const Napi::Value process = Napi::Env(env).Global().Get("process");
    if (!process.IsObject()) return false;
    const Napi::Value versions = process.As<Napi::Object>().Get("versions");
    if (!versions.IsObject()) return false;
    // Electron and Bun look like Node here, but have another standard library or another engine inside.
    return !versions.As<Napi::Object>().Has("electron") && !versions.As<Napi::Object>().Has("bun");
  } catch (const Napi::Error&) {  // the getters of Node's own `process` do not throw
    return false;
  }
}

GetBackingStore find_get_backing_store(napi_env env) {
  if (!is_known_runtime(env)) return nullptr;
  return reinterpret_cast<GetBackingStore>(find_process_symbol("_ZN2v811ArrayBuffer15GetBackingStoreEv"));
}

// Null: memory cannot be retained here. The search runs once.
GetBackingStore get_backing_store(napi_env env) {
  static const GetBackingStore found = find_get_backing_store(env);
  return found;
}

}  // namespace

void prepare_to_retain_arrays(Napi::Env env) { get_backing_store(env); }

RetainedArray retain_array(const Napi::TypedArray& array, napi_value buffer) {
  const napi_env env = array.Env();
  const GetBackingStore backing_store_of = get_backing_store(env);
  RetainedArray retained{Napi::Persistent(array.As<Napi::Object>()), nullptr};
  bool can_be_detached = false;
  if (backing_store_of && napi_is_arraybuffer(env, buffer, &can_be_detached) == napi_ok && can_be_detached)
    retained.memory = backing_store_of(buffer);
  return retained;
}

}  // namespace infcl::binding
