// Reads one property after another of a request object, checking type and extent, and remembers every typed
// array it handed out a pointer into. Knows nothing of what the properties mean.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "binding/device_handle.h"
#include "binding/napi_env.h"
#include "binding/retained_array.h"

namespace infcl::binding {

// What a request points into: held until this is destroyed, on the environment's thread.
struct Held {
  std::vector<RetainedArray> arrays;
  std::vector<std::shared_ptr<DeviceStorage>> storages;
};

class RequestReader {
 public:
  // `path` prefixes property names in messages ("queries.").
  RequestReader(const Napi::Value& object, std::string path, Held& held);

  RequestReader object(const char* name) const;
  bool is_null(const char* name) const;
  bool boolean(const char* name) const;
  double number(const char* name) const;
  int64_t integer(const char* name) const;
  std::string string(const char* name) const;
  uint64_t address(const char* name) const;  // a bigint
  bool is_typed_array(const char* name) const { return get(name).IsTypedArray(); }

  // Pointer to at least `elements` elements of a typed array of the given type. ERR_DETACHED, ERR_SHAPE,
  // ERR_TYPE.
  void* typed_array(const char* name, napi_typedarray_type type, int64_t elements) const;
  // The same, or null for a property that is null.
  void* typed_array_or_null(const char* name, napi_typedarray_type type, int64_t elements) const;
  // A share of device memory, of at least `bytes` bytes and on that device. ERR_DISPOSED, ERR_DEVICE,
  // ERR_SHAPE, ERR_TYPE.
  DeviceHandle device_memory(const char* name, int device, int64_t bytes) const;
  bool is_device_memory(const char* name) const { return is_handle(get(name)); }
  // Number of elements of a typed array, whatever its type; 0 once detached.
  int64_t length(const char* name) const;

 private:
  Napi::Value get(const char* name) const;
  Napi::TypedArray get_typed_array(const char* name) const;
  [[noreturn]] void fail_type(const char* name, const char* expected) const;

  Napi::Object object_;
  std::string path_;
  Held& held_;
};

}  // namespace infcl::binding
