// How a call's device memory is spent, and how large a macro-block of logits is. A pure function of shape,
// device and bound, so that `plan` can promise what `begin` will do.
//
// Features and gradients are resident where they fit: they are as large as the caller's own. What is left
// buys the block, of which `scores` leaves G and `accumulate` reads it. The larger the block, the more often
// features and gradients are used per visit; but a number of tiles just above a multiple of the
// multiprocessors leaves most idle at the end of each launch.
//
// Where they do not fit they come in slabs (slabs.h), in slots that take most of the memory: the more of
// them, the more slabs are held while others pass by, and the less travels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/backend.h"
#include "cuda/kernels/kernel_args.h"
#include "cuda/operands/slabs.h"

namespace infcl::cuda {

// A similarity in macro-blocks. All but the last along a side are equally large, in multiples of kTile; those
// of a triangle are square, and only blocks on and right of its diagonal exist.
struct BlockGrid {
  int64_t rows = 0, columns = 0, block_rows = 0, block_columns = 0;
  bool triangle = false;

  int64_t row_blocks() const;
  int64_t column_blocks() const;
  int64_t blocks() const;
  int64_t tiles() const;  // of logits that are computed
  double pairs() const;   // likewise
  int64_t first_column_block(int64_t row_block) const { return triangle ? row_block : 0; }
  Range rows_of(int64_t row_block) const {
    return {row_block * block_rows, std::min(rows, (row_block + 1) * block_rows)};
  }
  Range columns_of(int64_t column_block) const {
    return {column_block * block_columns, std::min(columns, (column_block + 1) * block_columns)};
  }
};

struct BlockSize {
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
  int64_t pairs = 0;  // of a query with a key of its own
  int planes = 1;
  bool gradient = true;
  int64_t bound = 0;  // bytes; 0: what the device has
};

struct WorkspacePlan {
  std::vector<BlockGrid> grids;  // of each similarity
  BlockSize block;               // no block is larger
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
  int64_t g_plane = 0, row_partials = 0, column_partials = 0, tile_sums = 0;  // of a block
  int64_t total = 0;
  int64_t minimum = 0;           // with blocks of one tile, and with slabs of one where that is less
  int64_t resident_minimum = 0;  // without slabs
};

// `total` above the bound, or above what is free, means that even `minimum` does not fit.
WorkspacePlan plan_workspace(const WorkspaceRequest&, const DeviceLimits&);

// Of a similarity, or of a visit of it, in blocks of at most this size.
BlockGrid make_grid(const SimilarityShape&, BlockSize largest);
// Of a pass over the similarity.
int64_t count_blocks(const SimilarityShape&, const WorkspacePlan&);

// Share of the multiprocessors' time that a launch of `tiles` equal tiles uses.
double wave_efficiency(int64_t tiles, int multiprocessors);

}  // namespace infcl::cuda
