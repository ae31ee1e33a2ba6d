#include "binding/request_reader.h"

#include "binding/failure.h"

namespace infcl::binding {

RequestReader::RequestReader(const Napi::Value& object, std::string path, Retained& retained)
    : path_(std::move(path)), retained_(retained) {
  if (!object.IsObject())
    throw RequestError("ERR_TYPE", "Expected object for " + (path_.empty() ? "request" : path_));
  object_ = object.As<Napi::Object>();
}

RequestReader RequestReader::object(const char* name) const {
  const Napi::Value value = get(name);
  if (!value.IsObject()) fail_type(name, "object");
  return RequestReader(value, path_ + name + ".", retained_);
}

bool RequestReader::is_null(const char* name) const { return get(name).IsNull(); }

bool RequestReader::boolean(const char* name) const {
  const Napi::Value value = get(name);
  if (!value.IsBoolean()) fail_type(name, "boolean");
  return value.As<Napi::Boolean>().Value();
}

double RequestReader::number(const char* name) const {
  const Napi::Value value = get(name);
  if (!value.IsNumber()) fail_type(name, "number");
  return value.As<Napi::Number>().DoubleValue();
}

int64_t RequestReader::integer(const char* name) const {
  const double value = number(name);
  // The largest integer of a number. Lengths of arrays stay below it.
  constexpr double kLargest = 9007199254740991.0;
  if (!(value >= 0 && value <= kLargest)) fail_type(name, "non-negative integer");
  return static_cast<int64_t>(value);
}

std::string RequestReader::string(const char* name) const {
  const Napi::Value value = get(name);
  if (!value.IsString()) fail_type(name, "string");
  return value.As<Napi::String>().Utf8Value();
}

uint64_t RequestReader::address(const char* name) const {
  const Napi::Value value = get(name);
  if (!value.IsBigInt()) fail_type(name, "bigint");
  bool lossless = false;
  const uint64_t address = value.As<Napi::BigInt>().Uint64Value(&lossless);
  if (!lossless) fail_type(name, "bigint of 64 bits");
  return address;
}

int64_t RequestReader::wide_integer(const char* name) const {
  const Napi::Value value = get(name);
  if (!value.IsBigInt()) fail_type(name, "bigint");
  bool lossless = false;  // numbers of devices and files may have 64 bits without a sign
  return value.As<Napi::BigInt>().Int64Value(&lossless);
}

void* RequestReader::typed_array(const char* name, napi_typedarray_type type, int64_t elements) const {
  const Napi::TypedArray array = get_typed_array(name);
  napi_typedarray_type actual;
  size_t length = 0;
  void* data = nullptr;
  napi_value buffer = nullptr;
  bool detached = false;
  const napi_env env = array.Env();
  if (napi_get_typedarray_info(env, array, &actual, &length, &data, &buffer, nullptr) != napi_ok ||
      napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok)
    throw Napi::Error::New(env);
  if (detached)
    throw RequestError("ERR_DETACHED", "The buffer of " + path_ + name + " was detached before the call ran");
  if (actual != type) fail_type(name, "typed array of the stated element type");
  if (elements < 0 || length < static_cast<uint64_t>(elements))
    throw RequestError("ERR_SHAPE", "Expected at least " + std::to_string(elements) + " elements for " +
                                        path_ + name + " but received " + std::to_string(length));
  retained_.arrays.push_back(retain_array(array, buffer));
  return data;
}

void* RequestReader::typed_array_or_null(const char* name, napi_typedarray_type type,
                                         int64_t elements) const {
  return is_null(name) ? nullptr : typed_array(name, type, elements);
}

DeviceHandle RequestReader::device_memory(const char* name, int device, int64_t bytes) const {
  const DeviceHandle& handle = open_handle(get(name));
  if (handle.storage->device() != device)
    throw RequestError("ERR_DEVICE", "Expected memory of device " + std::to_string(device) + " for " + path_ +
                                         name + " but received some of device " +
                                         std::to_string(handle.storage->device()));
  if (bytes > handle.bytes())
    throw RequestError("ERR_SHAPE", "Expected at least " + std::to_string(bytes) + " bytes for " + path_ +
                                        name + " but received " + std::to_string(handle.bytes()));
  retained_.storages.push_back(handle.storage);
  return handle;
}

store::Mapping& RequestReader::mapping(const char* name, int64_t bytes) const {
  const std::shared_ptr<store::Mapping>& mapping = open_mapping_handle(get(name));
  if (bytes > mapping->bytes())
    throw RequestError("ERR_SHAPE", "Expected at least " + std::to_string(bytes) + " bytes for " + path_ +
                                        name + " but received " + std::to_string(mapping->bytes()));
  retained_.mappings.push_back(mapping);
  return *mapping;
}

int64_t RequestReader::length(const char* name) const {
  return static_cast<int64_t>(get_typed_array(name).ElementLength());
}

Napi::Value RequestReader::get(const char* name) const { return object_.Get(name); }

Napi::TypedArray RequestReader::get_typed_array(const char* name) const {
  const Napi::Value value = get(name);
  if (!value.IsTypedArray()) fail_type(name, "typed array");
  return value.As<Napi::TypedArray>();
}

void RequestReader::fail_type(const char* name, const char* expected) const {
  throw RequestError("ERR_TYPE", std::string("Expected ") + expected + " for " + path_ + name);
}

}  // namespace infcl::binding
