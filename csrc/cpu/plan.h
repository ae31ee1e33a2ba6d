// The plan of a call's scratch memory. In order of importance:
//   what each thread needs to work on one tile, and what each tile row needs that is worked on;
//   packed columns, for as many tile columns as fit (the rest is packed again at every visit);
//   scores kept from the forward pass for the backward pass. A fused pass keeps them from a tile row's first
//   visit to its second.
// A pure function of shape and bound, so that a call does as `plan` promises.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/auxiliary.h"
#include "cpu/kept_tiles.h"
#include "cpu/kernels/table.h"

namespace infcl::cpu {

// Floats of a search, beside those of its tiles.
struct SearchRoom {
  int64_t of_row = 0;     // of a tile row that is worked on, for each row
  int64_t of_thread = 0;  // of each thread
  int64_t gathered = 0;   // of each thread, for features that it gathers before it packs them
};

struct WorkspaceRequest {
  int64_t dim = 0;
  bool gradient = true;
  int threads = 1;             // wanted, at least 1
  int64_t bound = 0;           // bytes; 0: default_bound
  GradientRoom gradient_room;  // for scores of the first similarity
  bool fused = false;          // forward and backward in one fused pass
  bool needs_row_sums = true;  // fused: a tile's gradients wait for the sums of its tile row
  SearchRoom search;
  AuxiliaryDims auxiliary_dims{};
  std::vector<Grid> visits;  // of guests; their scores are not kept
};

struct WorkspacePlan {
  // Fewer than wanted when there are fewer tiles, or when the bound is too tight for all.
  int threads = 0;
  // Tile rows that are worked on at a time, of any similarity.
  int64_t row_slots = 0;
  // Floats of each tile row that is worked on, and of each thread.
  int64_t transposed = 0, row_values = 0;
  int64_t tile = 0, narrowed = 0, column_buffer = 0;
  int64_t search_rows = 0, search_thread = 0, gathered = 0;  // of a search: of each tile row, of each thread
  // Floats for auxiliary similarities: scores of each thread, rows of each tile row, panels of each column.
  AuxiliaryDims auxiliary_dims{};
  int64_t auxiliary_tile = 0;
  std::array<int64_t, kAuxiliaries> auxiliary_rows{}, auxiliary_panels{};
  // Floats of one packed tile column: panels, values where their layout differs, and auxiliary panels.
  int64_t packed_column = 0, column_panels = 0, column_values = 0;
  int64_t packed_tile_columns = 0;  // tile columns that stay packed
  KeptTiles kept;
  // Fused: the first tile columns whose scores an owner keeps, and the slots that it has for them. Owners are
  // the tile rows that are worked on, or the threads where a tile needs no sums of its tile row.
  int64_t kept_columns = 0, kept_slots = 0, kept_owners = 0;
  int64_t kept_tile = 0;  // floats of a kept tile in the workspace, enough for any similarity
  // Bytes
  int64_t lse_bytes = 0;      // of the engine, within the same bound
  int64_t bytes = 0;          // of the whole, lse_bytes included
  int64_t minimum_bytes = 0;  // that one thread needs

  // Where the panels of an auxiliary similarity begin in a packed tile column.
  int64_t auxiliary_panels_at(Auxiliary) const;
};

// The default bound, beside the gradients: one and a half times the packed columns, and 60 MiB. A plan adds
// what more than 16 threads need: their tiles and the tile rows that they work on. It also adds all that a
// search or an auxiliary similarity needs.
int64_t default_bound(int64_t larger_side, int64_t dim);
// From one column's scores to the next column's in a kept tile: rows are not padded to the largest tile's.
int64_t kept_stride(Range rows, const Kernels&);
// The similarities use the same memory, one after another. `bytes` above `bound` means that even one thread
// does not fit.
WorkspacePlan plan_workspace(const WorkspaceRequest&, const std::vector<Grid>& similarities, const Kernels&);

}  // namespace infcl::cpu
