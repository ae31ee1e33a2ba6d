// Parts that requests have in common: element types, devices, matrices. All throw RequestError.
#pragma once

#include <cstdint>

#include "binding/request_reader.h"
#include "core/types.h"

namespace infcl::binding {

constexpr int kNoDevice = -1;

DType read_dtype(const RequestReader&);
int read_device(const RequestReader&);
// Elements that `rows` rows of `dim` span, the last one without its padding. Refuses what overflows.
int64_t extent(int64_t rows, int64_t dim, int64_t stride);
int64_t bytes_of(int64_t elements, DType);
// `device`: where the call runs; memory of another one is refused.
MatrixView read_matrix(const RequestReader&, int device);

}  // namespace infcl::binding
