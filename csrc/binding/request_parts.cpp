#include "binding/request_parts.h"

#include <algorithm>
#include <optional>

#include "binding/failure.h"

namespace infcl::binding {

DType read_dtype(const RequestReader& in) {
  const std::string name = in.string("dtype");
  if (name == "float32") return DType::kFloat32;
  if (name == "float16") return DType::kFloat16;
  if (name == "bfloat16") return DType::kBFloat16;
  throw RequestError("ERR_TYPE", "Unknown dtype " + name);
}

BackendChoice read_backend(const RequestReader& in) {
  const std::string name = in.string("backend");
  const std::optional<BackendKind> kind = backend_kind(name);
  if (!kind) throw RequestError("ERR_TYPE", "Unknown backend " + name);
  return {*kind, has_devices(*kind) ? read_device(in) : 0};
}

// The backend refuses an index that no device has. No machine has more devices than an int can count.
int read_device(const RequestReader& in) {
  return static_cast<int>(std::min<int64_t>(in.integer("device"), INT32_MAX));
}

int64_t extent(int64_t rows, int64_t dim, int64_t stride) {
  if (rows < 1 || dim < 1 || stride < dim)
    throw RequestError("ERR_SHAPE", "Expected rows and dim of at least 1 and rowStride of at least dim");
  int64_t elements = 0;
  if (__builtin_mul_overflow(rows - 1, stride, &elements) || __builtin_add_overflow(elements, dim, &elements))
    throw RequestError("ERR_SHAPE", "The stated shape has more elements than memory has addresses");
  return elements;
}

int64_t bytes_of(int64_t elements, DType dtype) {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(elements, static_cast<int64_t>(dtype_size(dtype)), &bytes))
    throw RequestError("ERR_SHAPE", "The stated shape has more bytes than memory has addresses");
  return bytes;
}

MatrixView read_matrix(const RequestReader& in, int device) {
  MatrixView matrix;
  matrix.dtype = read_dtype(in);
  matrix.rows = in.integer("rows");
  matrix.dim = in.integer("dim");
  matrix.stride = in.integer("rowStride");
  const int64_t elements = extent(matrix.rows, matrix.dim, matrix.stride);
  if (in.is_device_memory("data")) {
    if (device == kNoDevice)
      throw RequestError("ERR_DEVICE", "Expected features in the memory of the host but received a device's");
    const DeviceHandle memory = in.device_memory("data", device, bytes_of(elements, matrix.dtype));
    matrix.data = memory.data();
    matrix.place = memory.storage->place();
    return matrix;
  }
  if (in.is_mapping("data")) {
    matrix.data = in.mapping("data", bytes_of(elements, matrix.dtype)).data();
    if (reinterpret_cast<uintptr_t>(matrix.data) % dtype_size(matrix.dtype) != 0)
      throw RequestError("ERR_STORE", "Expected data at a multiple of the element's size in the file");
    return matrix;
  }
  const napi_typedarray_type type = matrix.dtype == DType::kFloat32 ? napi_float32_array : napi_uint16_array;
  matrix.data = in.typed_array("data", type, elements);
  return matrix;
}

}  // namespace infcl::binding
