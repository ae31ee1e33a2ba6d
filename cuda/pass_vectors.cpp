// Bytes of a pass's vectors, and the allocation that hands them out.
#include "cuda/pass_vectors.h"

#include <algorithm>
#include <initializer_list>

#include "core/errors.h"
#include "core/grid.h"
#include "cuda/kernels/kernel_args.h"

namespace infcl::cuda {

namespace {

constexpr int64_t kAlignment = 256;  // kernels may read a vector with loads of any width

constexpr int64_t kInt = sizeof(int32_t), kFloat = sizeof(float), kDouble = sizeof(double),
                  kGathered = sizeof(Gathered);

int64_t bytes_of(int64_t count, std::initializer_list<int64_t> elements) {
  int64_t bytes = 0;
  for (const int64_t element : elements) bytes += round_up(count * element, kAlignment);
  return bytes;
}

}  // namespace

int64_t pass_vector_bytes(const SimilarityShape& p, bool gradient) {
  // labels, classes, ids, limits, positive dots and the gathered sums
  const int64_t forward = bytes_of(p.rows, {kInt, kInt, kInt, kFloat, kFloat, kGathered}) +
                          bytes_of(p.columns, {kInt, kInt, kFloat, kGathered});
  // the same without gathered sums; factors, shifts, uniform terms, class weights, gradients of positives
  const int64_t backward =
      bytes_of(p.rows, {kInt, kInt, kInt, kFloat, kFloat, kFloat, kFloat, kFloat, kFloat, kDouble}) +
      bytes_of(p.columns, {kInt, kInt, kFloat, kFloat, kFloat, kFloat, kFloat});
  return (gradient ? std::max(forward, backward) : forward) + bytes_of(1, {sizeof(TileSums)});
}

int64_t pair_vector_bytes(int64_t pairs) { return bytes_of(pairs, {kFloat, kFloat}); }

void* PassVectors::take_bytes(int64_t bytes) {
  const int64_t size = round_up(bytes, kAlignment);
  if (used_ + size > memory_.bytes()) throw Error(ErrorCode::kInternal, "cuda", "vectors exceed their plan");
  char* const at = memory_.as<char>() + used_;
  used_ += size;
  return at;
}

}  // namespace infcl::cuda
