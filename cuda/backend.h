// The CUDA backend: features become planes of 16 bits on the device, each pass visits its similarity in
// macro-blocks of a few launches each, gradients gather in float32 on the device and go home at the end. What
// does not fit comes and goes in slabs (operand_store.h). Knows memory and order; every loop over elements is
// a kernel.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/backend.h"
#include "core/base2_logit.h"
#include "core/grid.h"
#include "cuda/driver/device.h"
#include "cuda/driver/memory_cache.h"
#include "cuda/launcher.h"
#include "cuda/operands/feature_copies.h"
#include "cuda/operands/pinned_staging.h"
#include "cuda/operands/store.h"
#include "cuda/pacer.h"
#include "cuda/pass_vectors.h"
#include "cuda/plan.h"

namespace infcl::cuda {

class CudaBackend final : public Backend {
 public:
  // `path` as in Settings::cuda_path.
  CudaBackend(int device, const std::string& path);
  ~CudaBackend() override;
  int64_t begin(const Problem&) override;
  double check_finite(const MatrixView&, const char* name) override;
  void positive_dots(const MatrixView&, const MatrixView&, const int32_t* labels, float* out) override;
  void load(const SimilarityOperands&) override;
  void fold(FoldArgs&) override;
  DifferentiateResult differentiate(const DifferentiateArgs&) override;
  void hard_negative_dots(const HardNegatives&, float* dots, float* errors) override;
  void differentiate_hard_negatives(const HardNegatives&, const float* g, float* d_queries,
                                    float* d_keys) override;
  void finish() override;
  BackendStats stats() const override;
  void end() override;

 private:
  // What lives as long as the backend.
  struct Machine {
    Machine(int device, const DeviceContext& context, int capability, const std::string& path)
        : cache(device, context), kernels(capability, path) {}
    MemoryCache cache;
    Stream stream, copies;  // work, and slabs on their way
    Kernels kernels;
    Staging staging;
    Pacer::Events events;
    Event order;  // against the streams of others
  };
  // What lives as long as a call.
  struct Call {
    explicit Call(const Problem& p) : problem(p) {}
    Problem problem;
    SimilarityOperands operands;
    Precision precision = Precision::kTwoPlanes;
    WorkspacePlan plan;
    std::unique_ptr<Transport> transport;
    std::unique_ptr<OperandStore> store;
    std::unique_ptr<PassVectors> vectors;
    DeviceBuffer row_partials, column_partials, tile_sums, g_high, g_low;
    Log2Scale scale{};
    float bias = 0;
    BackendStats stats;
    bool has_begun = false;
  };
  // A macro-block of the similarity.
  struct Block {
    Range rows, columns;
    bool diagonal;
    bool first_of_rows, first_of_columns;  // that adds to what are still garbage in their gradients' sums
  };
  // Rules and where the operands begin, for a whole similarity.
  struct SimilarityRules {
    Mask rules{};
    Mask at(const Block&) const;
  };
  class Fold;           // one pass of the forward pass
  class Differentiate;  // one pass of the backward pass

  WorkspacePlan plan_call(const Problem&) const;
  void claim(const WorkspacePlan&);

  // f(stream) for the streams on which others work with memory of this call.
  template <class F>
  void visit_other_streams(F f) const;
  void download(const void* device, int64_t rows, int64_t width, int64_t pitch, void* host) const;

  const BlockGrid& grid() const { return call_->plan.grids[static_cast<size_t>(call_->operands.similarity)]; }
  OperandStore::Pass pass(float* d_rows, float* d_columns) const;
  // f(visit) for each visit of a pass, with its operands on the device.
  template <class F>
  void visit_slabs(const OperandStore::Pass&, F f);
  // f(block) for each block of the pass in order, each a few launches; waits for all of them.
  template <class F>
  void visit_blocks(const OperandStore::Pass&, F f);
  SimilarityRules upload_rules(const Positives&, const PairMask&);
  ScoresArgs scores(const Block&, const SimilarityRules&);
  // Pairs of a visit to the rows that each query has for itself.
  template <class F>
  void visit_hard_negatives(const HardNegatives&, float* d_queries, float* d_keys, F f);
  PairArgs pairs(const Planes& rows, const Planes& partners) const;

  const int device_;
  DeviceContext context_;
  DeviceTraits traits_;
  std::unique_ptr<Machine> machine_;
  std::unique_ptr<Call> call_;
};

template <class F>
void CudaBackend::visit_other_streams(F f) const {
  const auto visit = [&](const Place& place) {
    if (place.on_device && place.shared) f(static_cast<api::Stream>(place.stream));
  };
  const Problem& p = call_->problem;
  for (const ProblemMatrix* m : {&p.queries, &p.keys, &p.hard_negatives}) {
    if (m->view.rows > 0) visit(m->view.place);
    if (m->gradient) visit(m->gradient_layout.place);
  }
}

template <class F>
void CudaBackend::visit_slabs(const OperandStore::Pass& pass, F f) {
  OperandStore& store = *call_->store;
  store.begin(pass);
  for (size_t i = 0; i < pass.visits.size(); ++i) {
    store.enter(static_cast<int64_t>(i));
    f(pass.visits[i]);
    store.leave(static_cast<int64_t>(i));
  }
}

template <class F>
void CudaBackend::visit_blocks(const OperandStore::Pass& pass, F f) {
  OperandStore& store = *call_->store;
  const bool overwrites = store.sums_begin_as_garbage();
  Pacer pacer(machine_->stream, machine_->events, call_->problem.control);
  visit_slabs(pass, [&](const SlabVisit& v) {
    const BlockGrid g = make_grid({v.rows.size(), v.columns.size(), v.triangle}, call_->plan.block);
    for (int64_t i = 0; i < g.row_blocks(); ++i)
      for (int64_t j = g.first_column_block(i); j < g.column_blocks(); ++j) {
        const Range rows = g.rows_of(i), columns = g.columns_of(j);
        const bool diagonal = g.triangle && i == j;
        // In a triangle, earlier row blocks have already added to these rows as their columns.
        f(Block{{v.rows.begin + rows.begin, v.rows.begin + rows.end},
                {v.columns.begin + columns.begin, v.columns.begin + columns.end},
                diagonal,
                overwrites && j == 0 && (!g.triangle || i == 0),
                overwrites && i == 0 && !diagonal});
        pacer.enqueued();
        store.work_ahead();
      }
  });
  pacer.drain();
}

}  // namespace infcl::cuda
