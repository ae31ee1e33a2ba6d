#include "binding/memory_address.h"

#include <cstdint>

#include "binding/failure.h"
#include "binding/mapping_handle.h"

namespace infcl::binding {

// A number holds every address: user space ends below 2^53 on every platform of Node.
Napi::Value memory_address(const Napi::CallbackInfo& info, AddonState&) {
  void* data = nullptr;
  if (is_mapping_handle(info[0])) {
    data = open_mapping_handle(info[0])->data();
    return Napi::Number::New(info.Env(), static_cast<double>(reinterpret_cast<uintptr_t>(data)));
  }
  const bool is_array =
      info[0].IsTypedArray() &&
      napi_get_typedarray_info(info.Env(), info[0], nullptr, nullptr, &data, nullptr, nullptr) == napi_ok;
  if (!is_array) throw RequestError("ERR_TYPE", "Expected typed array or file for memoryAddress");
  return Napi::Number::New(info.Env(), static_cast<double>(reinterpret_cast<uintptr_t>(data)));
}

}  // namespace infcl::binding
