// Tensor maps for the sm_90 kernels: they describe the operands of a launch, which the kernels load box
// by box.
#pragma once

#include "cuda/driver/api.h"
#include "cuda/kernels/tensor_maps_sm90.h"

namespace infcl::cuda {

// `result`: the driver's first failure, or kSuccess. After a failure the maps have no use.
template <class Maps>
struct EncodedMaps {
  Maps maps{};
  api::Result result = api::kSuccess;
};

EncodedMaps<ScoresMaps> encode_maps(api::EncodeTensorMap, const ScoresArgs&);
EncodedMaps<AccumulateMaps> encode_maps(api::EncodeTensorMap, const AccumulateArgs&);

}  // namespace infcl::cuda
