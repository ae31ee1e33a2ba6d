// The CPU backend: runs the grid's tiles on a thread pool. Knows threads, memory and order; every loop
// over a whole tile is a kernel, sparse work on a tile is in tile_edits.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/backend.h"
#include "cpu/kernels/table.h"
#include "cpu/plan.h"
#include "cpu/thread_pool.h"
#include "cpu/tile_edits.h"
#include "cpu/workspace.h"

namespace infcl::cpu {

class CpuBackend final : public Backend {
 public:
  // `isa` as in Settings; one that this machine lacks is the error of each call.
  explicit CpuBackend(const std::string& isa) : wanted_isa_(isa) {}
  BeginResult begin(const Problem&) override;
  double bring(Operand) override;
  void positive_dots(const int32_t* labels, float* out) override;
  void fold(FoldArgs&) override;
  DifferentiateResult differentiate(const DifferentiateArgs&) override;
  DifferentiateResult fold_and_differentiate(FusedArgs&) override;
  void hard_negative_dots(float* dots, float* errors) override;
  double differentiate_hard_negatives(const HardNegativeArgs&) override;
  BackendStats stats() const override { return stats_; }
  void end() override;

 private:
  struct ThreadMemory {
    float *transposed, *row_values, *tile, *narrowed, *column_buffer;
  };
  // One pass over the tiles of a similarity, tile row by tile row. Each tile row belongs to one thread.
  // `enter` and `tile` return false where the call was stopped.
  class Pass {
   public:
    virtual ~Pass() = default;
    // Packs the rows of a tile row.
    virtual bool enter(int thread, int64_t tile_row) = 0;
    virtual bool tile(int thread, int64_t tile_row, int64_t tile_column) = 0;
    virtual void stop() = 0;    // wakes threads that wait for a tile column
    virtual void finish() = 0;  // after the last tile
  };
  class Fold;           // the forward pass
  class Differentiate;  // the backward pass
  std::unique_ptr<Pass> fold_pass(FoldArgs&);
  std::unique_ptr<Pass> differentiate_pass(const DifferentiateArgs&, DifferentiateResult&);

  WorkspacePlan plan_call(const Problem&) const;
  void claim();
  // Passes visit this similarity from now on. Packs its columns.
  void load(int similarity);
  void traverse(Pass&);
  // f(i) for every row, dealt out among the threads.
  template <class F>
  void for_each_row(int64_t rows, F f);
  // f(pairs) for ranges of pairs, dealt out among the threads.
  template <class F>
  void for_pairs(int64_t count, F f);
  double hard_negatives_refinement(const float* dots, const float* g);
  bool stopped() const { return problem_.control.aborted(); }
  void throw_if_stopped() const;

  const ProblemMatrix& rows() const { return problem_.matrix(problem_.similarities[similarity_].rows); }
  const ProblemMatrix& columns() const { return problem_.matrix(problem_.similarities[similarity_].columns); }
  const Grid& grid() const { return grids_[static_cast<size_t>(similarity_)]; }
  // Operands of a tile. The rows must have been packed into the thread's memory for this tile row.
  TileOperands operands(int thread, int64_t tile_row, int64_t tile_column) const;
  void pack_columns(int64_t tile_column, float* out) const;
  const float* packed_columns(int thread, int64_t tile_column) const;
  // Memory in which the tile's scores wait for the backward pass; null: they are made again.
  float* kept_scores(int thread, int64_t tile_row, int64_t tile_column) const;
  TilePlace place(int64_t tile_row, int64_t tile_column) const;
  // Calls f(range) over [0, total) in pieces short enough to notice an abort between two of them. False: the
  // call was aborted.
  template <class F>
  bool in_slices(int64_t total, int64_t granule, int64_t flops_per_item, F f) const;

  const std::string wanted_isa_;
  ThreadPool pool_;
  Workspace workspace_;

  // The call in progress.
  const Kernels* kernels_ = nullptr;
  Problem problem_;
  int similarity_ = 0;       // that passes visit
  std::vector<Grid> grids_;  // of each similarity
  WorkspacePlan plan_;
  std::vector<ThreadMemory> memory_;
  float* packed_columns_ = nullptr;
  float* kept_ = nullptr;  // slots for scores
  bool in_fused_pass_ = false;
  Log2Scale scale_{};
  float bias_ = 0;  // base 2
  BackendStats stats_;
};

template <class F>
bool CpuBackend::in_slices(int64_t total, int64_t granule, int64_t flops_per_item, F f) const {
  constexpr int64_t kSliceFlops = 100'000'000;  // about a millisecond with AVX-512, ten on the slowest path
  const int64_t slice = round_up(std::max<int64_t>(1, kSliceFlops / flops_per_item), granule);
  for (int64_t i = 0; i < total; i += slice) {
    if (stopped()) return false;
    f(Range{i, std::min(total, i + slice)});
  }
  return true;
}

}  // namespace infcl::cpu
