#include "four_products.h"

#include <algorithm>
#include <cstdlib>

#include "core/errors.h"

namespace infcl::bench {

namespace {

using cuda::DeviceBuffer;

// cublas_api.h, library_types.h
constexpr int kReal32F = 0, kReal16BF = 14;
constexpr int kCompute32F = 68, kComputeTensorFloat32 = 77;
constexpr int kNotTransposed = 0, kTransposed = 1, kDefaultAlgorithm = -1;

Library find_cublas() {
  if (const char* named = std::getenv("INFCL_CUBLAS_LIBRARY"); named && *named) return Library({named});
  return Library({"libcublas.so.13", "libcublas.so.12", "libcublas.so.11"});
}

void expect_success(int status, const char* what) {
  if (status != 0)
    throw Error(ErrorCode::kDevice, "cublas",
                std::string(what) + " failed with status " + std::to_string(status));
}

int64_t bytes_of(const MatrixView& m) { return m.rows * m.dim * static_cast<int64_t>(dtype_size(m.dtype)); }

char* at(const DeviceBuffer& buffer, int64_t elements, size_t element) {
  return buffer.as<char>() + elements * static_cast<int64_t>(element);
}

}  // namespace

const char* arithmetic_name(Arithmetic a) {
  switch (a) {
    case Arithmetic::kBFloat16:
      return "bfloat16";
    case Arithmetic::kTensorFloat32:
      return "tf32";
    case Arithmetic::kFloat32:
      break;
  }
  return "float32";
}

Cublas::Cublas() : library_(find_cublas()) {
  // The real one talks to the real driver, so it is of no use beside a stand-in.
  if (std::getenv("INFCL_CUDA_LIBRARY") && !std::getenv("INFCL_CUBLAS_LIBRARY")) {
    missing_ = "the driver is the one that INFCL_CUDA_LIBRARY names";
  } else if (!library_) {
    missing_ = "libcublas.so.13, .12 and .11 are not on this machine";
  } else {
    for (const char* symbol : {"cublasCreate_v2", "cublasDestroy_v2", "cublasSetStream_v2", "cublasGemmEx"})
      if (!library_.has(symbol)) missing_ = library_.name() + " has no " + symbol;
    if (missing_.empty() && library_.call("cublasCreate_v2", &handle_) != 0) {
      handle_ = nullptr;
      missing_ = library_.name() + " does not start on this device";
    }
  }
}

Cublas::~Cublas() {
  if (handle_) library_.call("cublasDestroy_v2", handle_);
}

std::string Cublas::version() const {
  int version = 0;
  if (!library_.has("cublasGetVersion_v2") || library_.call("cublasGetVersion_v2", handle_, &version) != 0)
    return library_.name();
  return library_.name() + " " + std::to_string(version);
}

void Cublas::multiply(const cuda::Stream& stream, Arithmetic arithmetic, int64_t m, int64_t n, int64_t k,
                      const Operand& a, const Operand& b, void* out, bool out_float32, int64_t out_stride,
                      bool add) const {
  const float alpha = 1, beta = add ? 1 : 0;
  const auto type = [](bool float32) { return float32 ? kReal32F : kReal16BF; };
  const auto operation = [](const Operand& o) { return o.transposed ? kTransposed : kNotTransposed; };
  const int compute = arithmetic == Arithmetic::kTensorFloat32 ? kComputeTensorFloat32 : kCompute32F;
  expect_success(library_.call("cublasSetStream_v2", handle_, stream.get()), "cublasSetStream");
  expect_success(library_.call("cublasGemmEx", handle_, operation(a), operation(b), static_cast<int>(m),
                               static_cast<int>(n), static_cast<int>(k), static_cast<const void*>(&alpha),
                               a.data, type(a.float32), static_cast<int>(a.stride), b.data, type(b.float32),
                               static_cast<int>(b.stride), static_cast<const void*>(&beta), out,
                               type(out_float32), static_cast<int>(out_stride), compute, kDefaultAlgorithm),
                 "cublasGemmEx");
}

FourProducts::FourProducts(const Cublas& cublas, Arithmetic arithmetic, const MatrixView& rows,
                           const MatrixView& columns)
    : cublas_(cublas),
      arithmetic_(arithmetic),
      rows_(rows.rows),
      columns_(columns.rows),
      dim_(rows.dim),
      element_(dtype_size(rows.dtype)),
      row_features_(bytes_of(rows)),
      column_features_(bytes_of(columns)),
      block_(std::min(rows.rows, kBlock) * std::min(columns.rows, kBlock) * static_cast<int64_t>(element_)),
      d_rows_(rows.rows * rows.dim * static_cast<int64_t>(sizeof(float))),
      d_columns_(columns.rows * columns.dim * static_cast<int64_t>(sizeof(float))) {
  stream_.to_device(row_features_.as<void>(), rows.data, bytes_of(rows));
  stream_.to_device(column_features_.as<void>(), columns.data, bytes_of(columns));
  stream_.synchronise();
}

void FourProducts::enqueue(Product product, bool swapped) {
  const int64_t rows = swapped ? columns_ : rows_, columns = swapped ? rows_ : columns_;
  for (int64_t row = 0; row < rows; row += kBlock)
    for (int64_t column = 0; column < columns; column += kBlock)
      multiply_block(product, swapped, row, column);
}

// A row-major matrix is a column-major one transposed, so with Q [D x M], K [D x N] and G [N x M] in cuBLAS's
// eyes:
//   G = K^T Q,  dQ = K G,  dK = Q G^T
void FourProducts::multiply_block(Product product, bool swapped, int64_t row, int64_t column) {
  const bool float32 = element_ == sizeof(float);
  const DeviceBuffer &q = swapped ? column_features_ : row_features_,
                     &k = swapped ? row_features_ : column_features_;
  const DeviceBuffer &dq = swapped ? d_columns_ : d_rows_, &dk = swapped ? d_rows_ : d_columns_;
  const int64_t m = std::min(kBlock, (swapped ? columns_ : rows_) - row),
                n = std::min(kBlock, (swapped ? rows_ : columns_) - column);
  const auto features = [&](const DeviceBuffer& buffer, int64_t first, bool transposed) {
    return Cublas::Operand{at(buffer, first * dim_, element_), transposed, float32, dim_};
  };
  const auto g = [&](bool transposed) { return Cublas::Operand{block_.as<void>(), transposed, float32, n}; };
  switch (product) {
    case kLogits:
      cublas_.multiply(stream_, arithmetic_, n, m, dim_, features(k, column, true), features(q, row, false),
                       block_.as<void>(), float32, n, false);
      break;
    case kDRows:
      cublas_.multiply(stream_, arithmetic_, dim_, m, n, features(k, column, false), g(false),
                       at(dq, row * dim_, sizeof(float)), true, dim_, column > 0);
      break;
    case kDColumns:
      cublas_.multiply(stream_, arithmetic_, dim_, n, m, features(q, row, false), g(true),
                       at(dk, column * dim_, sizeof(float)), true, dim_, row > 0);
      break;
  }
}

void FourProducts::read(float* d_rows, float* d_columns) {
  stream_.to_host(d_rows, d_rows_.as<void>(), d_rows_.bytes());
  stream_.to_host(d_columns, d_columns_.as<void>(), d_columns_.bytes());
  stream_.synchronise();
}

EventTimer::EventTimer() {
  if (!driver_.has("cuEventElapsedTime"))
    throw Error(ErrorCode::kDevice, "bench", "the CUDA driver has no cuEventElapsedTime");
  cuda::check(cuda::driver().EventCreate(&begin_, 0), "cuEventCreate");
  cuda::check(cuda::driver().EventCreate(&end_, 0), "cuEventCreate");
}

EventTimer::~EventTimer() {
  cuda::driver().EventDestroy(begin_);
  cuda::driver().EventDestroy(end_);
}

void EventTimer::record(cuda::api::Event event, const cuda::Stream& stream) {
  cuda::check(cuda::driver().EventRecord(event, stream.get()), "cuEventRecord");
}

double EventTimer::elapsed() const {
  cuda::check(cuda::driver().EventSynchronize(end_), "device work");
  float milliseconds = 0;
  cuda::check(driver_.call("cuEventElapsedTime", &milliseconds, begin_, end_), "cuEventElapsedTime");
  return milliseconds;
}

}  // namespace infcl::bench
