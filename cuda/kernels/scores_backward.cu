// Backward pass: each block computes a tile of dots again and turns the dots into logit gradients.
#include "gradient.cuh"
#include "scores.cuh"

namespace infcl::cuda {

template <class Kind, bool kPlain>
INFCL_DEVICE void scores_backward(const BackwardArgs& args) {
  union Storage {
    Stage ring[kStages];
    GradientStorage gradient;
  };
  Storage& shared = shared_memory<Storage>();
  const TilePosition tile(args.scores);
  if (tile.below_diagonal) return;
  Patch<MmaLayout> dots;
  multiply_scores<Kind>(args.scores, tile, shared.ring, dots);
  differentiate<Kind, kPlain>(args, tile, dots, shared.gradient);
}

extern "C" {

__global__ void __launch_bounds__(kThreads, 2)
    scores_backward_plain_bf16_kernel(const __grid_constant__ BackwardArgs args) {
  scores_backward<BFloat16Plane, true>(args);
}

__global__ void __launch_bounds__(kThreads, 2)
    scores_backward_plain_two_planes_kernel(const __grid_constant__ BackwardArgs args) {
  scores_backward<TwoPlanes, true>(args);
}

__global__ void __launch_bounds__(kThreads, 2)
    scores_backward_plain_f16_kernel(const __grid_constant__ BackwardArgs args) {
  scores_backward<Float16Plane, true>(args);
}

__global__ void __launch_bounds__(kThreads)
    scores_backward_general_bf16_kernel(const __grid_constant__ BackwardArgs args) {
  scores_backward<BFloat16Plane, false>(args);
}

__global__ void __launch_bounds__(kThreads)
    scores_backward_general_two_planes_kernel(const __grid_constant__ BackwardArgs args) {
  scores_backward<TwoPlanes, false>(args);
}

__global__ void __launch_bounds__(kThreads)
    scores_backward_general_f16_kernel(const __grid_constant__ BackwardArgs args) {
  scores_backward<Float16Plane, false>(args);
}

}  // extern "C"

}  // namespace infcl::cuda
