// Tensor maps of what the sm_90 kernels load: the operands of a launch, box by box.
#pragma once

#include "cuda/driver/api.h"
#include "cuda/kernels/tensor_maps_sm90.h"

namespace infcl::cuda {

// The driver's answer to the last map that it was asked for: kSuccess, or maps are of no use.
template <class Maps>
struct EncodedMaps {
  Maps maps{};
  api::Result result = api::kSuccess;
};

EncodedMaps<ScoresMaps> encode_maps(api::EncodeTensorMap, const ScoresArgs&);
EncodedMaps<AccumulateMaps> encode_maps(api::EncodeTensorMap, const AccumulateArgs&);

}  // namespace infcl::cuda
