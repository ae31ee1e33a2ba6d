// The floor: the four matrix products of a loss with gradients, and nothing else, by cuBLAS: logits twice
// (once for each pass), and G times the features of either side. cuBLAS is looked for when the program runs;
// what machine lacks it loses only this column. Large batches go through a block of logits of bounded size,
// as any program without the whole matrix must.
#pragma once

#include <memory>
#include <string>

#include "core/types.h"
#include "cuda/driver/memory.h"
#include "library.h"

namespace infcl::bench {

enum class Arithmetic { kBFloat16, kFloat32, kTensorFloat32 };
const char* arithmetic_name(Arithmetic);

class Cublas {
 public:
  // Needs a current context. Where there is none: `missing` says why, and nothing else may be called.
  Cublas();
  ~Cublas();
  Cublas(const Cublas&) = delete;
  Cublas& operator=(const Cublas&) = delete;

  explicit operator bool() const { return handle_ != nullptr; }
  const std::string& missing() const { return missing_; }
  std::string version() const;

  struct Operand {
    const void* data;
    bool transposed;
    bool float32;
    int64_t stride;
  };
  // Column-major out[m x n] = a[m x k] b[k x n], added to what is there or not.
  void multiply(const cuda::Stream&, Arithmetic, int64_t m, int64_t n, int64_t k, const Operand& a,
                const Operand& b, void* out, bool out_float32, int64_t out_stride, bool add) const;

 private:
  Library library_;
  void* handle_ = nullptr;
  std::string missing_;
};

class FourProducts {
 public:
  struct Milliseconds {
    double logits = 0, again = 0, d_rows = 0, d_columns = 0;
    double total() const { return logits + again + d_rows + d_columns; }
  };

  // Uploads the features; claims device memory for outputs and one block of logits.
  FourProducts(const Cublas&, Arithmetic, const MatrixView& rows, const MatrixView& columns);
  // One visit to all blocks, timed by events. `flush` runs before each timed stretch. `swapped`: with the
  // sides exchanged, so that no two visits in a row read the same operand in the same place; square problems
  // only.
  template <class Flush>
  Milliseconds run(bool swapped, const Flush& flush);
  // For the check against products on the host: of the last run.
  void read(float* d_rows, float* d_columns);

 private:
  static constexpr int64_t kBlock = 16384;
  enum Product { kLogits, kDRows, kDColumns };
  void enqueue(Product, bool swapped);
  void multiply_block(Product, bool swapped, int64_t row, int64_t column);

  const Cublas& cublas_;
  Arithmetic arithmetic_;
  int64_t rows_, columns_, dim_;
  size_t element_;
  cuda::Stream stream_;
  cuda::DeviceBuffer row_features_, column_features_, block_, d_rows_, d_columns_;
};

// Milliseconds between two points of a stream.
class EventTimer {
 public:
  EventTimer();
  ~EventTimer();
  EventTimer(const EventTimer&) = delete;
  EventTimer& operator=(const EventTimer&) = delete;
  template <class F>
  double time(const cuda::Stream& stream, F f) {
    record(begin_, stream);
    f();
    record(end_, stream);
    return elapsed();
  }

 private:
  static void record(cuda::api::Event, const cuda::Stream&);
  double elapsed() const;
  Library driver_ = Library::cuda_driver();
  cuda::api::Event begin_ = nullptr, end_ = nullptr;
};

template <class Flush>
FourProducts::Milliseconds FourProducts::run(bool swapped, const Flush& flush) {
  EventTimer timer;
  const auto time = [&](Product product) {
    flush(stream_);
    return timer.time(stream_, [&] { enqueue(product, swapped); });
  };
  Milliseconds ms;
  ms.logits = time(kLogits);
  ms.again = time(kLogits);
  ms.d_rows = time(kDRows);
  ms.d_columns = time(kDColumns);
  return ms;
}

}  // namespace infcl::bench
