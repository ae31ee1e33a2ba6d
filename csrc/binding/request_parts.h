// Reads the parts that several requests have: element types, devices, matrices. All functions
// throw RequestError.
#pragma once

#include <cstdint>

#include "binding/request_reader.h"
#include "core/backends.h"
#include "core/types.h"

namespace infcl::binding {

constexpr int kNoDevice = -1;

DType read_dtype(const RequestReader&);
BackendChoice read_backend(const RequestReader&);
int read_device(const RequestReader&);
// Number of elements from the first to the last one of a matrix. Refuses a shape whose number overflows.
int64_t extent(int64_t rows, int64_t dim, int64_t stride);
int64_t bytes_of(int64_t elements, DType);
// `device`: the device on which the call runs. Refuses memory of another device.
MatrixView read_matrix(const RequestReader&, int device);

}  // namespace infcl::binding
