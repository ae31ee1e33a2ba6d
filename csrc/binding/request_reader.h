// Reads the properties of a request object and checks their types and lengths. Retains the memory of every
// typed array and handle whose address it returns. Knows nothing of the meaning of a property.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "binding/device_handle.h"
#include "binding/mapping_handle.h"
#include "binding/napi_env.h"
#include "binding/retained_array.h"

namespace infcl::binding {

// The memory that a request points into: retained until this struct is destroyed, on the
// environment's thread.
struct Retained {
  std::vector<RetainedArray> arrays;
  std::vector<std::shared_ptr<DeviceStorage>> storages;
  std::vector<std::shared_ptr<store::Mapping>> mappings;
};

class RequestReader {
 public:
  // `path` prefixes property names in messages ("queries.").
  RequestReader(const Napi::Value& object, std::string path, Retained& retained);

  RequestReader object(const char* name) const;
  bool is_null(const char* name) const;
  bool boolean(const char* name) const;
  double number(const char* name) const;
  int64_t integer(const char* name) const;
  std::string string(const char* name) const;
  Napi::Value value(const char* name) const { return get(name); }  // of any type
  uint64_t address(const char* name) const;                        // a bigint
  int64_t wide_integer(const char* name) const;                    // a bigint, as 64 bits
  bool is_typed_array(const char* name) const { return get(name).IsTypedArray(); }

  // Pointer to at least `elements` elements of a typed array of the given type. Errors: ERR_DETACHED,
  // ERR_SHAPE, ERR_TYPE.
  void* typed_array(const char* name, napi_typedarray_type type, int64_t elements) const;
  // The same, or null for a property that is null.
  void* typed_array_or_null(const char* name, napi_typedarray_type type, int64_t elements) const;
  // A handle of at least `bytes` bytes of that device. Errors: ERR_DISPOSED, ERR_DEVICE, ERR_SHAPE, ERR_TYPE.
  DeviceHandle device_memory(const char* name, int device, int64_t bytes) const;
  bool is_device_memory(const char* name) const { return is_handle(get(name)); }
  // A mapping of a file of at least `bytes` bytes. Errors: ERR_DISPOSED, ERR_SHAPE, ERR_TYPE.
  store::Mapping& mapping(const char* name, int64_t bytes) const;
  bool is_mapping(const char* name) const { return is_mapping_handle(get(name)); }
  // Number of elements of a typed array of any type; 0 after its buffer was detached.
  int64_t length(const char* name) const;

 private:
  Napi::Value get(const char* name) const;
  Napi::TypedArray get_typed_array(const char* name) const;
  [[noreturn]] void fail_type(const char* name, const char* expected) const;

  Napi::Object object_;
  std::string path_;
  Retained& retained_;
};

}  // namespace infcl::binding
