// The plan of a call's device memory, and of the size of a macro-block. A pure function of shape, device and
// bound, so that a call does as `plan` promises.
//
// Features and gradients are resident where they fit: they are as large as the caller's own. The rest of the
// memory goes to a macro-block, whose G `scores` writes and `accumulate` reads. The larger the macro-block,
// the more often each visit uses its features and gradients. But a number of tiles just above a multiple of
// the multiprocessors leaves most of them idle at the end of each launch.
//
// Operands that do not fit come in slabs (slabs.h), in slots that take most of the memory. With more slots,
// more slabs stay while others pass by, and fewer bytes travel.
#pragma once

#include <cstdint>
#include <vector>

#include "core/grid.h"
#include "core/objective.h"
#include "cuda/kernels/kernel_args.h"
#include "cuda/operands/slabs.h"

namespace infcl::cuda {

struct MacroBlockSize {
  int64_t rows = 0, columns = 0;
};

struct DeviceLimits {
  int multiprocessors = 1;
  int64_t l2_bytes = 0;
  int64_t free_bytes = 0;
};

struct WorkspaceRequest {
  std::vector<SimilarityShape> similarities;
  std::vector<int64_t> matrices;   // rows of each distinct one
  std::vector<int64_t> gradients;  // rows of each one that is wanted
  int64_t dim = 0;
  int64_t pairs = 0;  // of a query with a hard negative
  int planes = 1;
  bool gradient = true;
  int64_t bound = 0;  // bytes; 0: all that the device has free
};

struct WorkspacePlan {
  std::vector<Grid> grids;     // of each similarity, in macro-blocks
  MacroBlockSize macro_block;  // no macro-block is larger
  int64_t padded_dim = 0;
  int planes = 1;
  SlabCut slabs;           // none where all operands are resident
  int64_t slab_count = 1;  // of the longest matrix
  int64_t slots = 0;       // for a slab each
  // Bytes
  std::vector<int64_t> plane_bytes;       // resident: of each plane of each matrix
  std::vector<int64_t> gradient_bytes;    // resident: of each gradient
  int64_t slot_plane = 0, slot_sums = 0;  // of each slot: of a plane, of a gradient's sums
  int64_t vectors = 0;                    // along rows and columns, of the most demanding pass
  int64_t staging = 0;                    // features on their way to planes
  int64_t findings = sizeof(Findings);    // about features
  int64_t g_plane = 0, row_partials = 0, column_partials = 0, tile_sums = 0;  // of a macro-block
  int64_t total = 0;
  int64_t minimum = 0;  // with macro-blocks of one tile, and with slabs of one tile where that is less
  int64_t resident_minimum = 0;  // without slabs
};

// `total` above the bound, or above the free bytes, means that even `minimum` does not fit.
WorkspacePlan plan_workspace(const WorkspaceRequest&, const DeviceLimits&);

// A similarity, or a visit of it, in macro-blocks of at most this size. All but the last along a side are
// equally large, in multiples of kTile. In a triangle they are square.
Grid make_grid(const SimilarityShape&, MacroBlockSize largest);
// The size of a grid's macro-blocks, in whole tiles: a lone macro-block may be larger than its similarity.
MacroBlockSize macro_block_of(const Grid&);
// Macro-blocks of a pass over the similarity.
int64_t count_macro_blocks(const SimilarityShape&, const WorkspacePlan&);
// Tiles and pairs of which a pass makes scores.
int64_t tile_count(const SimilarityShape&);
double pair_count(const SimilarityShape&);

// Fraction of the multiprocessors' time that a launch of `tiles` equal tiles uses.
double wave_efficiency(int64_t tiles, int multiprocessors);

}  // namespace infcl::cuda
