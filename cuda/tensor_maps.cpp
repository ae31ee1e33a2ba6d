// Tensor maps of the operands of one launch, encoded by the driver.
#include "cuda/tensor_maps.h"

namespace infcl::cuda {

namespace {

// A matrix of 16-bit elements of any type.
struct Matrix {
  const uint16_t* at;
  int64_t rows, columns, stride;
};

class Encoder {
 public:
  explicit Encoder(api::EncodeTensorMap encode) : encode_(encode) {}

  void encode(const Matrix& m, TensorMap& map) {
    if (!m.at || result_ != api::kSuccess) return;
    const uint64_t sizes[] = {static_cast<uint64_t>(m.columns), static_cast<uint64_t>(m.rows)};
    const uint64_t strides[] = {static_cast<uint64_t>(m.stride) * sizeof(uint16_t)};
    const uint32_t box[] = {kBox, kBox}, element_strides[] = {1, 1};
    result_ = encode_(&map, api::kTensorUint16, 2, const_cast<uint16_t*>(m.at), sizes, strides, box,
                      element_strides, api::kTensorNotInterleaved, api::kTensorSwizzle128,
                      api::kTensorPromote256, api::kTensorFillZeros);
  }
  void encode(const Planes& p, int64_t rows, int64_t columns, int64_t stride, PlaneMaps& maps) {
    encode({p.high, rows, columns, stride}, maps.high);
    encode({p.low, rows, columns, stride}, maps.low);
  }
  api::Result result() const { return result_; }

 private:
  api::EncodeTensorMap encode_;
  api::Result result_ = api::kSuccess;
};

int64_t padded(int64_t count) { return tiles_of(count) * kTile; }

}  // namespace

EncodedMaps<ScoresMaps> encode_maps(api::EncodeTensorMap encode, const ScoresArgs& a) {
  Encoder encoder(encode);
  EncodedMaps<ScoresMaps> out;
  encoder.encode(a.rows, padded(a.row_count), a.padded_dim, a.padded_dim, out.maps.rows);
  encoder.encode(a.columns, padded(a.column_count), a.padded_dim, a.padded_dim, out.maps.columns);
  out.result = encoder.result();
  return out;
}

EncodedMaps<AccumulateMaps> encode_maps(api::EncodeTensorMap encode, const AccumulateArgs& a) {
  Encoder encoder(encode);
  EncodedMaps<AccumulateMaps> out;
  const int64_t rows = padded(a.row_count), columns = padded(a.column_count);
  encoder.encode(Planes{a.g_high, a.g_low}, rows, columns, a.g_stride, out.maps.g);
  if (a.rows.out) encoder.encode(a.rows.features, columns, a.padded_dim, a.padded_dim, out.maps.row_product);
  if (a.columns.out)
    encoder.encode(a.columns.features, rows, a.padded_dim, a.padded_dim, out.maps.column_product);
  out.result = encoder.result();
  return out;
}

}  // namespace infcl::cuda
