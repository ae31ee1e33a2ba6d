// The CPU backend: runs the grid's tiles on a thread pool. Knows threads, memory and order; every loop
// over a whole tile is a kernel, sparse work on a tile is in tile_edits.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/backend.h"
#include "cpu/auxiliary.h"
#include "cpu/kernels/table.h"
#include "cpu/plan.h"
#include "cpu/thread_pool.h"
#include "cpu/tile_edits.h"
#include "cpu/tile_turns.h"
#include "cpu/waiter.h"
#include "cpu/workspace.h"

namespace infcl::cpu {

class CpuBackend final : public Backend {
 public:
  // `isa` and `threads` as in Settings; a wrong one is the error of each call.
  explicit CpuBackend(const std::string& isa, const std::string& threads = "")
      : wanted_isa_(isa), default_threads_(threads) {}
  // Every call uses these kernels, which must outlive the backend. For tests whose kernels are made up.
  explicit CpuBackend(const Kernels& kernels) : given_kernels_(&kernels) {}
  bool takes_guests() const override { return true; }
  BeginResult begin(const Problem&) override;
  double bring(Operand) override;
  void positive_dots(const int32_t* labels, float* out) override;
  void guide_positive_dots(const int32_t* labels, float* out) override;
  void guide_hard_negative_dots(float* out) override;
  void positive_dots_among(const MatrixView& columns, int64_t first_column, const int32_t* labels,
                           float* out) override;
  void fold(FoldArgs&) override;
  DifferentiateResult differentiate(const DifferentiateArgs&) override;
  DifferentiateResult fold_and_differentiate(FusedArgs&) override;
  void hard_negative_dots(float* dots, float* errors) override;
  void best_dots(const int32_t* offsets, const int32_t* keys, float* out) override;
  void top_k(const TopKArgs&) override;
  void count_ranks(const RanksArgs&) override;
  double differentiate_hard_negatives(const HardNegativeArgs&) override;
  BackendStats stats() const override { return stats_; }
  void end() override;

 private:
  struct ThreadMemory {
    float *tile, *narrowed, *column_buffer;
    float *search, *gathered;  // of a search
    float* auxiliary;          // scores of auxiliary similarities
  };
  // The packed rows of a tile row that is worked on. All threads on this tile row share it.
  struct RowMemory {
    float *transposed, *row_values;
    float* search;  // of a search
    std::array<float*, kAuxiliaries> auxiliary;
  };
  // One pass over the tiles of a similarity. Threads have tiles of one tile row and of one tile column at the
  // same time. `tile` returns false where the call was stopped.
  class Pass {
   public:
    virtual ~Pass() = default;
    virtual bool needs_row_values() const { return false; }
    virtual bool tile(int thread, int64_t tile_row, int64_t tile_column) = 0;
    virtual void finish() = 0;  // after the last tile
  };
  class Traversal;
  class Fold;           // the forward pass
  class Differentiate;  // the backward pass
  class TopK;           // the passes of a search
  class Ranks;
  std::unique_ptr<Pass> fold_pass(FoldArgs&);
  std::unique_ptr<Pass> differentiate_pass(const DifferentiateArgs&, DifferentiateResult&);

  WorkspacePlan plan_call(const Problem&) const;
  void claim();
  // Passes visit this similarity from now on, or its rows and a guest. Packs the columns.
  void load(int similarity, const GuestVisit* guest = nullptr);
  void traverse(Pass&);
  // f(i) for every row, dealt out among the threads.
  template <class F>
  void for_each_row(int64_t rows, F f);
  // f(pairs) for ranges of pairs, dealt out among the threads.
  template <class F>
  void for_pairs(int64_t count, F f);
  void positive_dots_of(const MatrixView& queries, const MatrixView& keys, const int32_t* labels, float* out);
  void hard_negative_dots_of(const MatrixView& queries, const MatrixView& keys, float* dots);
  double hard_negatives_refinement(const float* dots, const float* g);
  bool stopped() const { return problem_.control.aborted(); }
  void throw_if_stopped() const;
  // Forms the scores of a tile. Raises row_max[i] to the largest score of row i, unless row_max is null.
  // False: the call was stopped.
  bool make_scores(const TileOperands&, const Tile&, float* row_max) const;
  // Adds the tiles of a forward pass to the stats.
  void count_tiles();

  const ProblemMatrix& rows() const { return problem_.matrix(problem_.similarities[similarity_].rows); }
  const ProblemMatrix& columns() const {
    return guest_ ? guest_->columns : problem_.matrix(problem_.similarities[similarity_].columns);
  }
  const Grid& grid() const { return guest_ ? *guest_grid_ : grids_[static_cast<size_t>(similarity_)]; }
  // Operands of a tile. The rows must have been packed into the memory of this tile row.
  const RowMemory& row_memory(int64_t tile_row) const {
    return row_memory_[static_cast<size_t>(tile_row) % row_memory_.size()];
  }
  void pack_rows(int64_t tile_row, bool values) const;
  TileOperands operands(int thread, int64_t tile_row, int64_t tile_column) const;
  // Auxiliary similarities (auxiliary.cpp). Their operands lie beside the call's own operands of a tile.
  const MatrixView& auxiliary_view(Auxiliary, Operand) const;
  void pack_auxiliary_columns(Range, float* out) const;
  void pack_auxiliary_rows(Range, const RowMemory&) const;
  TileOperands auxiliary_operands(Auxiliary, int64_t tile_row, const TileOperands& own) const;
  // Memory of a thread for auxiliary scores of a tile. 0: a guide's, then free for other use. 1: a teacher's.
  Tile auxiliary_tile(int thread, const TilePlace&, int64_t which) const;
  // Forms the teacher's scores of a tile in auxiliary_tile 1, and masks them as the scores `masked` are.
  // Null: no mask. False: the call was stopped.
  bool make_teacher_scores(int thread, int64_t tile_row, const TileOperands&, const TilePlace&,
                           const float* masked, int64_t masked_stride) const;
  // Masks the scores of a tile as the guide asks for, and adds to `masked`. False: the call was stopped.
  bool mask_by_guide(int thread, int64_t tile_row, const TileOperands&, const Tile&, const PairMask&,
                     int64_t* masked) const;
  void pack_columns(int thread, int64_t tile_column, float* out) const;
  // Features of a tile column as neighbours, where a search visits columns in an order of its own.
  MatrixView gather_columns(int thread, Range positions) const;
  const float* packed_columns(int thread, int64_t tile_column) const;
  // Memory in which the tile's scores wait for the backward pass; null: they are made again.
  float* kept_scores(int thread, int64_t tile_row, int64_t tile_column) const;
  TilePlace place(int64_t tile_row, int64_t tile_column) const;
  // Waits until ready() is true. False: the call was stopped meanwhile.
  template <class F>
  bool wait_until(F ready) const;
  // Calls f(piece) for each piece of the tile, in its turn. False: the call was stopped.
  template <class F>
  bool in_turns(TileTurns, GridGates&, F f);
  // Calls f(range) over a range in pieces short enough to notice an abort between two of them. False: the
  // call was aborted.
  template <class F>
  bool in_slices(Range all, int64_t granule, int64_t flops_per_item, F f) const;

  const std::string wanted_isa_, default_threads_;
  const Kernels* const given_kernels_ = nullptr;
  ThreadPool pool_;
  Workspace workspace_;

  // The call in progress.
  const Kernels* kernels_ = nullptr;
  Problem problem_;
  int similarity_ = 0;                 // that passes visit
  const GuestVisit* guest_ = nullptr;  // in the place of the columns; null: none
  std::optional<Grid> guest_grid_;
  std::vector<Grid> grids_;  // of each similarity
  WorkspacePlan plan_;
  std::vector<ThreadMemory> memory_;
  std::vector<RowMemory> row_memory_;
  float* packed_columns_ = nullptr;
  float* kept_ = nullptr;  // slots for scores
  bool in_fused_pass_ = false;
  std::atomic<bool> halted_{false};  // threads that wait give up
  bool crowded_ = false;             // more threads than can run at once
  Log2Scale scale_{}, teacher_scale_{};
  float bias_ = 0;  // base 2
  BackendStats stats_;
};

template <class F>
bool CpuBackend::wait_until(F ready) const {
  for (Waiter waiter(crowded_); !ready(); waiter.wait())
    if (halted_.load(std::memory_order_relaxed)) return false;
  return true;
}

template <class F>
bool CpuBackend::in_turns(TileTurns turns, GridGates& gates, F f) {
  while (!turns.done()) {
    Piece piece{};
    if (!wait_until([&] { return turns.take(gates, &piece); })) return false;
    if (!f(piece)) return false;
    turns.leave(gates, piece);
  }
  return true;
}

template <class F>
bool CpuBackend::in_slices(Range all, int64_t granule, int64_t flops_per_item, F f) const {
  constexpr int64_t kSliceFlops = 100'000'000;  // about a millisecond with AVX-512, ten on the slowest path
  const int64_t slice = round_up(std::max<int64_t>(1, kSliceFlops / flops_per_item), granule);
  for (int64_t i = all.begin; i < all.end; i += slice) {
    if (stopped()) return false;
    f(Range{i, std::min(all.end, i + slice)});
  }
  return true;
}

}  // namespace infcl::cpu
