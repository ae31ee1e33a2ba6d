#include "binding/marshal_device.h"

#include "binding/failure.h"
#include "binding/request_parts.h"

namespace infcl::binding {

MarshalledTransfer read_upload(const Napi::Value& value) {
  MarshalledTransfer t;
  const RequestReader in(value, "", t.retained);
  t.device = read_device(in);
  t.features = read_matrix(in.object("matrix"), kNoDevice);
  const int64_t elements = extent(t.features.rows, t.features.dim, t.features.dim);
  t.storage = in.device_memory("memory", t.device, bytes_of(elements, t.features.dtype)).storage;
  return t;
}

MarshalledTransfer read_download(const Napi::Value& value) {
  MarshalledTransfer t;
  const RequestReader in(value, "", t.retained);
  t.device = read_device(in);
  t.features = read_matrix(in.object("matrix"), t.device);
  if (!t.features.place.on_device) throw RequestError("ERR_TYPE", "Expected a matrix of a device");
  t.storage = t.retained.storages.back();
  const napi_typedarray_type type =
      t.features.dtype == DType::kFloat32 ? napi_float32_array : napi_uint16_array;
  t.host = in.typed_array("into", type, t.features.rows * t.features.dim);
  return t;
}

MarshalledAllocation read_allocation(const Napi::Value& value) {
  Retained none;
  const RequestReader in(value, "", none);
  return {read_device(in), in.integer("bytes")};
}

int read_device_request(const Napi::Value& value) {
  Retained none;
  return read_device(RequestReader(value, "", none));
}

MarshalledAddress read_address(const Napi::Value& value) {
  Retained none;
  const RequestReader in(value, "", none);
  MarshalledAddress a;
  a.device = read_device(in);
  a.address = reinterpret_cast<void*>(in.address("pointer"));
  a.bytes = in.integer("bytes");
  a.place.on_device = true;
  a.place.shared = !in.is_null("stream");
  if (a.place.shared) a.place.stream = reinterpret_cast<void*>(in.address("stream"));
  return a;
}

Napi::Object write_device_memory(Napi::Env env, const DeviceMemoryInfo& info,
                                 const DeviceLedger::Account& used) {
  Napi::Object object = Napi::Object::New(env);
  define(object, "free", info.free);
  define(object, "total", info.total);
  define(object, "kept", info.kept);
  define(object, "allocated", used.bytes);
  define(object, "matrices", used.matrices);
  return object;
}

}  // namespace infcl::binding
