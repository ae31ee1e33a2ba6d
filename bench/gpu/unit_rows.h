// Features for the GPU check and bench: unit rows of any element type, made in parallel, the same for the
// same seed. Row i of any two matrices has a cosine of about 0.7, as in a model that has learnt something, so
// that positives are neither lost among a large batch nor all there is.
#pragma once

#include <cstdint>
#include <memory>

#include "core/types.h"

namespace infcl::bench {

class Features {
 public:
  Features(int64_t rows, int64_t dim, DType dtype, uint64_t seed);
  MatrixView view() const { return {data_.get(), dtype_, rows_, dim_, dim_, {}}; }
  int64_t bytes() const { return rows_ * dim_ * static_cast<int64_t>(dtype_size(dtype_)); }

 private:
  void fill(int64_t begin, int64_t end, uint64_t seed);

  int64_t rows_, dim_;
  DType dtype_;
  std::unique_ptr<char[]> data_;
};

const char* dtype_name(DType);

// To the nearest, ties to even. Finite values below the type's largest only.
uint16_t to_bfloat16(float);
uint16_t to_float16(float);
float from_bfloat16(uint16_t);

}  // namespace infcl::bench
