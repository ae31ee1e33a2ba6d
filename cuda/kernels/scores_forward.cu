// Forward pass: each block computes a tile of dots and writes the partial sums along its rows and columns.
#include "fold.cuh"
#include "scores.cuh"

namespace infcl::cuda {

template <class Kind, bool kPlain>
INFCL_DEVICE void scores_forward(const ForwardArgs& args) {
  union Storage {
    Stage ring[kStages];
    FoldStorage<MmaLayout> fold;
  };
  Storage& shared = shared_memory<Storage>();
  const TilePosition tile(args.scores);
  if (tile.below_diagonal) return;
  Patch<MmaLayout> dots;
  multiply_scores<Kind>(args.scores, tile, shared.ring, dots);
  fold_tile<kPlain>(args, tile, dots, shared.fold);
}

extern "C" {

__global__ void __launch_bounds__(kThreads, 2)
    scores_forward_plain_bf16_kernel(const __grid_constant__ ForwardArgs args) {
  scores_forward<BFloat16Plane, true>(args);
}

__global__ void __launch_bounds__(kThreads, 2)
    scores_forward_plain_two_planes_kernel(const __grid_constant__ ForwardArgs args) {
  scores_forward<TwoPlanes, true>(args);
}

__global__ void __launch_bounds__(kThreads, 2)
    scores_forward_plain_f16_kernel(const __grid_constant__ ForwardArgs args) {
  scores_forward<Float16Plane, true>(args);
}

__global__ void __launch_bounds__(kThreads)
    scores_forward_general_bf16_kernel(const __grid_constant__ ForwardArgs args) {
  scores_forward<BFloat16Plane, false>(args);
}

__global__ void __launch_bounds__(kThreads)
    scores_forward_general_two_planes_kernel(const __grid_constant__ ForwardArgs args) {
  scores_forward<TwoPlanes, false>(args);
}

__global__ void __launch_bounds__(kThreads)
    scores_forward_general_f16_kernel(const __grid_constant__ ForwardArgs args) {
  scores_forward<Float16Plane, false>(args);
}

}  // extern "C"

}  // namespace infcl::cuda
