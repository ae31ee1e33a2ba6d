// The CPU backend: runs the schedule's cells on a thread pool. Knows threads, memory and order; every loop
// over a whole cell is a kernel, sparse work on a cell is in cell_edits.
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

namespace infcl {

class CpuBackend final : public Backend {
 public:
  // `isa` as in Settings; one that this machine lacks is the error of each call.
  explicit CpuBackend(const std::string& isa) : wanted_isa_(isa) {}
  int64_t begin(const Problem&) override;
  double check_finite(const MatrixView&, const char* name) override;
  void positive_dots(const MatrixView&, const MatrixView&, const int32_t* labels, float* out) override;
  void load(const PassOperands&) override;
  void fold(FoldArgs&) override;
  DifferentiateResult differentiate(const DifferentiateArgs&) override;
  bool takes_rows_together() const override { return true; }
  DifferentiateResult fold_and_differentiate(FoldArgs&, const DifferentiateArgs&,
                                             const std::function<void(Range)>& close) override;
  void private_dots(const PrivateKeys&, float* dots, float* errors) override;
  bool refines_loss() const override { return true; }
  double private_dots_error(const PrivateKeys&, const float* dots, const float* g) override;
  void differentiate_private(const PrivateKeys&, const float* g, float* d_queries, float* d_keys) override;
  BackendStats stats() const override { return stats_; }
  void end() override;

 private:
  struct ThreadMemory {
    float *transposed, *query_values, *cell, *narrowed, *key_buffer;
  };
  // One lap over the cells of a pass, row block by row block; each block belongs to one thread. False:
  // stopped.
  class Lap {
   public:
    virtual ~Lap() = default;
    // Makes ready what the block's cells read.
    virtual bool enter(int thread, int64_t row_block) = 0;
    virtual bool cell(int thread, int64_t row_block, int64_t column_block) = 0;
    virtual void stop() = 0;    // lets go whoever waits
    virtual void finish() = 0;  // after the last cell
  };
  class Fold;           // the forward lap
  class Differentiate;  // the backward lap
  std::unique_ptr<Lap> fold_lap(FoldArgs&);
  std::unique_ptr<Lap> differentiate_lap(const DifferentiateArgs&, DifferentiateResult&);

  void claim();
  void go_round(Lap&);
  // f(i) for every row, shared out among the threads.
  template <class F>
  void for_each_row(int64_t rows, F f);
  template <class F>
  void for_pairs(int64_t count, int64_t dim, F f);
  bool stopped() const { return problem_.control.aborted(); }
  void throw_if_stopped() const;

  const Schedule& schedule() const { return schedules_[operands_.pass]; }
  // Operands of a cell. The rows must have been packed into the thread's memory for this row block.
  CellOperands operands(int thread, int64_t row_block, int64_t column_block) const;
  void pack_keys(int64_t column_block, float* out) const;
  const float* packed_keys(int thread, int64_t column_block) const;
  // Where the cell's logits stay until the backward lap; null: they do not.
  float* kept_logits(int thread, int64_t row_block, int64_t column_block) const;
  Cell cell(int64_t row_block, int64_t column_block, float* data, int64_t stride) const;
  // Calls f(range) over [0, total) in pieces short enough to notice an abort between them; false once
  // aborted.
  template <class F>
  bool in_slices(int64_t total, int64_t granule, int64_t flops_per_item, F f) const;

  const std::string wanted_isa_;
  ThreadPool pool_;
  Workspace workspace_;

  // Of the call in progress.
  const Kernels* kernels_ = nullptr;
  Problem problem_;
  PassOperands operands_;
  std::vector<Schedule> schedules_;  // of each pass
  Layout layout_;
  std::vector<ThreadMemory> memory_;
  float* packed_keys_ = nullptr;
  float* kept_ = nullptr;
  bool together_ = false;  // in fold_and_differentiate
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

}  // namespace infcl
