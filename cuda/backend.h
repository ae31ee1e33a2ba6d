// The CUDA backend. Features become planes of 16 bits on the device. Each pass visits its similarity in
// macro-blocks of a few launches each. Gradients gather in float32 on the device and go home at the end.
// Operands that do not fit come and go in slabs (operands/store.h). Knows memory and order; every loop over
// elements is a kernel.
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
  BeginResult begin(const Problem&) override;
  double bring(Operand) override;
  void positive_dots(const int32_t* labels, float* out) override;
  void fold(FoldArgs&) override;
  DifferentiateResult differentiate(const DifferentiateArgs&) override;
  void hard_negative_dots(float* dots, float* errors) override;
  double differentiate_hard_negatives(const HardNegativeArgs&) override;
  void finish() override;
  BackendStats stats() const override;
  void end() override;

 private:
  // Lives as long as the backend.
  struct Machine {
    Machine(int device, const DeviceContext& context, int capability, const std::string& path)
        : cache(device, context), kernels(capability, path) {}
    MemoryCache cache;
    Stream stream, copies;  // for work, and for slabs on their way
    Kernels kernels;
    Staging staging;
    Pacer::Events events;
    Event order;  // between our streams and those of others
  };
  // Lives as long as a call.
  struct Call {
    explicit Call(const Problem& p) : problem(p) {}
    Problem problem;
    int similarity = 0;  // of the pass in progress
    Precision precision = Precision::kTwoPlanes;
    WorkspacePlan plan;
    std::unique_ptr<FeatureCopies> copies;
    std::unique_ptr<OperandStore> store;
    std::unique_ptr<PassVectors> vectors;
    DeviceBuffer row_partials, column_partials, tile_sums, g_high, g_low;
    Log2Scale scale{};
    float bias = 0;
    BackendStats stats;
    bool has_begun = false;
  };
  struct MacroBlock {
    Range rows, columns;  // of the similarity
    bool diagonal;
    bool overwrite_rows, overwrite_columns;  // the first to write these gradient rows, which are garbage yet
  };
  // Positives and masks on the device, for a whole similarity.
  struct SimilarityMask {
    Mask mask{};
    Mask at(const MacroBlock&) const;
  };
  class Fold;           // the forward pass over a similarity
  class Differentiate;  // the backward pass over it

  WorkspacePlan plan_call(const Problem&) const;
  void claim(const WorkspacePlan&);

  // f(stream) for the streams on which others work with memory of this call.
  template <class F>
  void visit_other_streams(F f) const;
  void download(const void* device, int64_t rows, int64_t width, int64_t pitch, void* host) const;

  const ProblemSimilarity& similarity() const { return call_->problem.similarities[call_->similarity]; }
  OperandStore::Pass pass(bool gradients) const;
  // f(visit) for each visit of a pass, with its operands on the device.
  template <class F>
  void visit_slabs(const OperandStore::Pass&, F f);
  // f(macro_block) for each macro-block of the pass in order, each a few launches; waits for all of them.
  template <class F>
  void visit_macro_blocks(const OperandStore::Pass&, F f);
  SimilarityMask upload_mask(const Positives&, const PairMask&);
  ScoresArgs scores(const MacroBlock&, const SimilarityMask&);
  // f(pairs, first pair) for the queries of each visit and their hard negatives.
  template <class F>
  void visit_hard_negatives(bool gradients, F f);
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
  for (const ProblemMatrix& m : call_->problem.matrices) {
    if (m.view.rows > 0) visit(m.view.place);
    if (m.gradient) visit(m.gradient_layout.place);
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
void CudaBackend::visit_macro_blocks(const OperandStore::Pass& pass, F f) {
  OperandStore& store = *call_->store;
  const bool garbage = store.sums_begin_as_garbage();
  Pacer pacer(machine_->stream, machine_->events, call_->problem.control);
  const auto within = [](const Range& visit, const Range& r) {
    return Range{visit.begin + r.begin, visit.begin + r.end};
  };
  visit_slabs(pass, [&](const SlabVisit& v) {
    const Grid g = make_grid({v.rows.size(), v.columns.size(), v.triangle}, call_->plan.macro_block);
    for (int64_t i = 0; i < g.tile_rows(); ++i)
      for (int64_t j = g.first_tile_column(i); j < g.tile_columns(); ++j) {
        MacroBlock b{};
        b.rows = within(v.rows, g.rows(i));
        b.columns = within(v.columns, g.columns(j));
        b.diagonal = g.triangle() && i == j;
        // In a triangle, earlier rows of macro-blocks have already added to these rows as their columns.
        b.overwrite_rows = garbage && j == 0 && (!g.triangle() || i == 0);
        b.overwrite_columns = garbage && i == 0 && !b.diagonal;
        f(b);
        pacer.enqueued();
        store.work_ahead();
      }
  });
  pacer.drain();
}

}  // namespace infcl::cuda
