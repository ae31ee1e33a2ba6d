// Backward pass on sm_90: scores_backward.cu with wgmma's products.
#include "gradient.cuh"
#include "scores_sm90.cuh"

namespace infcl::cuda {

template <class Kind, bool kPlain>
INFCL_DEVICE void scores_backward_sm90(const BackwardArgs& args, const ScoresMaps& maps) {
  auto& shared = shared_memory_sm90<GradientStorage>();
  const TilePosition tile(args.scores);
  if (tile.rows <= 0 || tile.below_diagonal) return;
  const Neighbour neighbour = neighbour_of(args.scores, tile);
  Patch<WgmmaLayout> dots;
  if (!multiply_scores_sm90<Kind>(args.scores, maps, tile, neighbour, shared.ring, dots)) return;
  differentiate<Kind, kPlain>(args, tile, dots, shared.epilogue);
  neighbour.end();
}

extern "C" {

INFCL_KERNEL_SM90
scores_backward_plain_bf16_sm90_kernel(const __grid_constant__ BackwardArgs args,
                                       const __grid_constant__ ScoresMaps maps) {
  scores_backward_sm90<BFloat16Plane, true>(args, maps);
}

INFCL_KERNEL_SM90
scores_backward_plain_two_planes_sm90_kernel(const __grid_constant__ BackwardArgs args,
                                             const __grid_constant__ ScoresMaps maps) {
  scores_backward_sm90<TwoPlanes, true>(args, maps);
}

INFCL_KERNEL_SM90
scores_backward_plain_f16_sm90_kernel(const __grid_constant__ BackwardArgs args,
                                      const __grid_constant__ ScoresMaps maps) {
  scores_backward_sm90<Float16Plane, true>(args, maps);
}

INFCL_KERNEL_SM90
scores_backward_general_bf16_sm90_kernel(const __grid_constant__ BackwardArgs args,
                                         const __grid_constant__ ScoresMaps maps) {
  scores_backward_sm90<BFloat16Plane, false>(args, maps);
}

INFCL_KERNEL_SM90
scores_backward_general_two_planes_sm90_kernel(const __grid_constant__ BackwardArgs args,
                                               const __grid_constant__ ScoresMaps maps) {
  scores_backward_sm90<TwoPlanes, false>(args, maps);
}

INFCL_KERNEL_SM90
scores_backward_general_f16_sm90_kernel(const __grid_constant__ BackwardArgs args,
                                        const __grid_constant__ ScoresMaps maps) {
  scores_backward_sm90<Float16Plane, false>(args, maps);
}

}  // extern "C"

}  // namespace infcl::cuda
