// Reads one property after another of a request object, checking type and extent, and remembers every typed
// array it handed out a pointer into. Knows nothing of what the properties mean.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "binding/napi_env.h"
#include "binding/pinned_memory.h"

namespace infcl::binding {

class RequestReader {
 public:
  // `path` prefixes property names in messages ("queries.").
  RequestReader(const Napi::Value& object, std::string path, std::vector<HeldArray>& held);

  RequestReader object(const char* name) const;
  bool is_null(const char* name) const;
  bool boolean(const char* name) const;
  double number(const char* name) const;
  int64_t integer(const char* name) const;
  std::string string(const char* name) const;

  // Pointer to at least `elements` elements of a typed array of the given type. ERR_DETACHED, ERR_SHAPE,
  // ERR_TYPE.
  void* typed_array(const char* name, napi_typedarray_type type, int64_t elements) const;
  // The same, or null for a property that is null.
  void* typed_array_or_null(const char* name, napi_typedarray_type type, int64_t elements) const;
  // Number of elements of a typed array, whatever its type; 0 once detached.
  int64_t length(const char* name) const;

 private:
  Napi::Value get(const char* name) const;
  Napi::TypedArray get_typed_array(const char* name) const;
  [[noreturn]] void fail_type(const char* name, const char* expected) const;

  Napi::Object object_;
  std::string path_;
  std::vector<HeldArray>& held_;
};

}  // namespace infcl::binding
