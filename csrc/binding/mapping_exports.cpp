#include "binding/mapping_exports.h"

#include <utility>

#include "binding/failure.h"
#include "binding/mapping_handle.h"
#include "binding/request_parts.h"
#include "binding/request_reader.h"

namespace infcl::binding {

namespace {

store::FileFacts read_facts(const RequestReader& in) {
  store::FileFacts facts;
  facts.device = static_cast<uint64_t>(in.wide_integer("dev"));
  facts.index = static_cast<uint64_t>(in.wide_integer("ino"));
  facts.bytes = in.wide_integer("size");
  facts.modified_ns = in.wide_integer("mtimeNs");
  return facts;
}

}  // namespace

Napi::Value open_mapping(const Napi::CallbackInfo& info, AddonState&) {
  Retained none;
  const RequestReader in(info[0], "", none);
  store::MappingRequest request;
  request.path = in.string("path");
  if (request.path.find('\0') != std::string::npos)
    throw RequestError("ERR_STORE", "Expected a path without null bytes");
  request.offset = in.integer("offset");
  request.bytes = in.integer("bytes");
  request.writable = in.boolean("writable");
  if (!in.is_null("expected")) request.expected = read_facts(in.object("expected"));
  return make_mapping_handle(info.Env(), std::make_shared<store::Mapping>(request));
}

Napi::Value share_mapping(const Napi::CallbackInfo& info, AddonState&) {
  return make_mapping_handle(info.Env(), open_mapping_handle(info[0]));
}

Napi::Value release_mapping(const Napi::CallbackInfo& info, AddonState&) {
  release_mapping_handle(info[0]);
  return info.Env().Undefined();
}

Napi::Value read_mapping(const Napi::CallbackInfo& info, AddonState&) {
  Retained retained;
  const RequestReader in(info[0], "", retained);
  const DType dtype = read_dtype(in);
  const int64_t elements = in.integer("elements");
  const int64_t bytes = bytes_of(elements, dtype);
  const napi_typedarray_type type = dtype == DType::kFloat32 ? napi_float32_array : napi_uint16_array;
  void* const into = in.typed_array("into", type, elements);
  in.mapping("mapping", 0).read(in.integer("offset"), bytes, into);
  return info.Env().Undefined();
}

}  // namespace infcl::binding
