#include "binding/retained_array.h"

#if defined(__unix__) || defined(__APPLE__)
#include <dlfcn.h>
#endif

namespace infcl::binding {

namespace {

// std::shared_ptr<v8::BackingStore> v8::ArrayBuffer::GetBackingStore(), as the Itanium C++ ABI calls it. Its
// owner count is all that is used of the pointer it returns.
using GetBackingStore = std::shared_ptr<void> (*)(napi_value array_buffer);

// The releases on which test/lifecycle has seen pinning work.
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
    // both pass for node, with another standard library or another engine inside
    return !versions.As<Napi::Object>().Has("electron") && !versions.As<Napi::Object>().Has("bun");
  } catch (const Napi::Error&) {  // of a `process` that is not Node's
    return false;
  }
}

GetBackingStore find_get_backing_store(napi_env env) {
#if defined(__unix__) || defined(__APPLE__)
  if (!is_known_runtime(env)) return nullptr;
  return reinterpret_cast<GetBackingStore>(dlsym(RTLD_DEFAULT, "_ZN2v811ArrayBuffer15GetBackingStoreEv"));
#else
  return nullptr;
#endif
}

// Null: nobody pins. Looked for once.
GetBackingStore get_backing_store(napi_env env) {
  static const GetBackingStore found = find_get_backing_store(env);
  return found;
}

}  // namespace

void prepare_to_retain_arrays(Napi::Env env) { get_backing_store(env); }

RetainedArray retain_array(const Napi::TypedArray& array, napi_value buffer) {
  const napi_env env = array.Env();
  const GetBackingStore backing_store_of = get_backing_store(env);
  RetainedArray held{Napi::Persistent(array.As<Napi::Object>()), nullptr};
  bool can_be_detached = false;
  if (backing_store_of && napi_is_arraybuffer(env, buffer, &can_be_detached) == napi_ok && can_be_detached)
    held.memory = backing_store_of(buffer);
  return held;
}

}  // namespace infcl::binding
