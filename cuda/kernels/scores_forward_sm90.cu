// Forward pass on sm_90: scores_forward.cu with wgmma's products.
#include "fold.cuh"
#include "scores_sm90.cuh"

namespace infcl::cuda {

template <class Kind, bool kPlain>
INFCL_DEVICE void scores_forward_sm90(const ForwardArgs& args, const ScoresMaps& maps) {
  auto& shared = shared_memory_sm90<FoldStorage<WgmmaLayout>>();
  const TilePosition tile(args.scores);
  if (tile.rows <= 0 || tile.below_diagonal) return;
  const Neighbour neighbour = neighbour_of(args.scores, tile);
  Patch<WgmmaLayout> dots;
  if (!multiply_scores_sm90<Kind>(args.scores, maps, tile, neighbour, shared.ring, dots)) return;
  fold_tile<kPlain>(args, tile, dots, shared.epilogue);
  neighbour.end();
}

extern "C" {

INFCL_KERNEL_SM90
scores_forward_plain_bf16_sm90_kernel(const __grid_constant__ ForwardArgs args,
                                      const __grid_constant__ ScoresMaps maps) {
  scores_forward_sm90<BFloat16Plane, true>(args, maps);
}

INFCL_KERNEL_SM90
scores_forward_plain_two_planes_sm90_kernel(const __grid_constant__ ForwardArgs args,
                                            const __grid_constant__ ScoresMaps maps) {
  scores_forward_sm90<TwoPlanes, true>(args, maps);
}

INFCL_KERNEL_SM90
scores_forward_plain_f16_sm90_kernel(const __grid_constant__ ForwardArgs args,
                                     const __grid_constant__ ScoresMaps maps) {
  scores_forward_sm90<Float16Plane, true>(args, maps);
}

INFCL_KERNEL_SM90
scores_forward_general_bf16_sm90_kernel(const __grid_constant__ ForwardArgs args,
                                        const __grid_constant__ ScoresMaps maps) {
  scores_forward_sm90<BFloat16Plane, false>(args, maps);
}

INFCL_KERNEL_SM90
scores_forward_general_two_planes_sm90_kernel(const __grid_constant__ ForwardArgs args,
                                              const __grid_constant__ ScoresMaps maps) {
  scores_forward_sm90<TwoPlanes, false>(args, maps);
}

INFCL_KERNEL_SM90
scores_forward_general_f16_sm90_kernel(const __grid_constant__ ForwardArgs args,
                                       const __grid_constant__ ScoresMaps maps) {
  scores_forward_sm90<Float16Plane, false>(args, maps);
}

}  // extern "C"

}  // namespace infcl::cuda
