// How a call's scratch memory is spent. In order: what each thread needs to work on one tile; packed keys,
// for as many tile columns as fit (the rest is packed again at every visit); logits kept from the forward
// pass for the backward one, or where both go through the rows together, from a tile row's first visit to
// its second. A pure function of shape and bound, so that `plan` can promise what `begin` will
// do.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/kept_tiles.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {

struct WorkspaceRequest {
  int64_t dim = 0;
  bool gradient = true;
  bool keep_scores = true;  // allowed to
  int threads = 1;          // wanted, at least 1
  int64_t bound = 0;        // bytes; 0: default_bound
  // Rows of gradients that may hold logits of the first similarity until they are written.
  int64_t lent_rows = 0, lent_columns = 0;
  // Both passes go through the rows together. A sigmoid's need not even wait for a tile row to be complete.
  bool fused = false, sigmoid = false;
};

struct WorkspacePlan {
  // Fewer than wanted when there are fewer tile rows, or when the bound is too tight for all.
  int threads = 0;
  // Floats of each thread, of the packed keys of one tile column, and what the rest of the bound is spent
  // on.
  int64_t transposed = 0, row_values = 0, tile = 0, narrowed = 0, column_buffer = 0;
  int64_t packed_column = 0, column_panels = 0,
          column_values = 0;        // block = panels, then values where they differ
  int64_t packed_tile_columns = 0;  // tile columns that stay packed
  KeptTiles kept;
  // Rows together: the first tile columns of a tile row, whose logits its thread keeps, in so many slots of
  // its own.
  int64_t kept_columns = 0, kept_slots = 0;
  int64_t kept_tile = 0;  // floats of each in the workspace, enough for any similarity
  // Bytes
  int64_t lse_bytes = 0;      // held by the engine, within the same bound
  int64_t bytes = 0;          // of the whole, lse_bytes included
  int64_t minimum_bytes = 0;  // that one thread needs
};

// Gradients apart, a call may by default spend what packed keys and half as much again take, and a fixed 60
// MiB.
int64_t default_bound(int64_t larger_side, int64_t dim);
// From one key's logits to the next's in a kept tile: rows are not padded to the largest tile's.
int64_t kept_stride(Range rows, const Kernels&);
// For similarities one after another in the same memory. `bytes` above `bound` means that even one thread
// does not fit.
WorkspacePlan plan_workspace(const WorkspaceRequest&, const std::vector<Grid>& similarities, const Kernels&);

}  // namespace infcl::cpu
