// The CUDA backend: features become planes of 16 bits on the device once per call, each lap visits its pass
// in macro-blocks of a few launches each, gradients gather in float32 on the device and go home at the end.
// Knows memory and order; every loop over elements is a kernel.
#pragma once

#include <memory>
#include <vector>

#include "core/backend.h"
#include "core/schedule.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "cuda/lap_vectors.h"
#include "cuda/pacer.h"
#include "cuda/planner.h"
#include "cuda/staging.h"

namespace infcl::cuda {

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(int device);
  ~CudaBackend() override;
  Plan plan(const PlanRequest&) override;
  int64_t begin(const Problem&) override;
  double check_finite(const MatrixView&, const char* name) override;
  void positive_dots(const MatrixView&, const MatrixView&, const int32_t* labels, float* out) override;
  void load(const PassOperands&) override;
  void fold(FoldArgs&) override;
  DifferentiateResult differentiate(const DifferentiateArgs&) override;
  void private_dots(const PrivateKeys&, double* dots) override;
  void differentiate_private(const PrivateKeys&, const float* g, float* d_queries, float* d_keys) override;
  void finish() override;
  BackendStats stats() const override;
  void end() override;

 private:
  // What lives as long as the backend.
  struct Machine {
    explicit Machine(int capability) : kernels(capability) {}
    Stream stream;
    Kernels kernels;
    Staging staging;
    Pacer::Events events;
    Event order;  // against the streams of others
  };
  struct Matrix {
    MatrixView view;
    DeviceBuffer high, low;
    bool uploaded = false;
  };
  struct Gradient {
    float* target;  // the caller's; in passes it also says which gradient is meant
    int64_t rows;
    GradientLayout layout;
    DeviceBuffer sums;  // [rows padded][padded_dim]
  };
  // What lives as long as a call.
  struct Call {
    explicit Call(const Problem& p) : problem(p) {}
    Problem problem;
    PassOperands operands;
    Precision precision = Precision::kBFloat16x3;
    WorkspacePlan plan;
    std::vector<Matrix> matrices;
    std::vector<Gradient> gradients;
    std::unique_ptr<LapVectors> vectors;
    DeviceBuffer staging, not_finite, row_partials, column_partials, tile_sums, g_high, g_low;
    float scale_high = 0, scale_low = 0, bias = 0;
    BackendStats stats;
  };
  // A macro-block of the pass.
  struct Block {
    int64_t row, column;  // among the blocks
    Range rows, columns;
    bool diagonal;
  };
  // Rules and where the operands begin, for a whole pass.
  struct PassRules {
    Rules rules{};
    Rules at(const Block&) const;
  };
  class Fold;           // one lap of the forward pass
  class Differentiate;  // one lap of the backward pass

  WorkspacePlan plan_call(const Problem&) const;
  void claim(const WorkspacePlan&);
  double measure_gflops();

  Matrix& matrix(const MatrixView&);
  // Planes of a matrix from one of its rows on, uploaded on first use.
  Planes planes(const MatrixView&, int64_t row = 0);
  void upload(Matrix&);
  void upload_from_host(const Matrix&);
  // Makes planes of rows that lie on the device, from `row` of the matrix on.
  void split(const Matrix&, const void* rows, int64_t stride, int64_t row, int64_t count);
  float* gradient_sums(const float* target) const;
  void hand_over(const Gradient&) const;
  // f(stream) for the streams on which others work with memory of this call.
  template <class F>
  void visit_other_streams(F f) const;
  void download(const void* device, int64_t rows, int64_t width, int64_t pitch, void* host) const;
  PairArgs pairs(const PrivateKeys&);

  const BlockGrid& grid() const { return call_->plan.grids[static_cast<size_t>(call_->operands.pass)]; }
  // f(block) for each block of the pass in order, each a few launches; waits for all of them.
  template <class F>
  void visit_blocks(F f);
  PassRules upload_rules(const PassPositives&, const PairMask&);
  ScoresArgs scores(const Block&, const PassRules&);

  DeviceContext context_;
  DeviceTraits traits_;
  std::unique_ptr<Machine> machine_;
  std::unique_ptr<Call> call_;
  double measured_gflops_ = 0;
};

template <class F>
void CudaBackend::visit_other_streams(F f) const {
  const auto visit = [&](const Place& place) {
    if (place.on_device && place.shared) f(static_cast<api::Stream>(place.stream));
  };
  const Problem& p = call_->problem;
  for (const ProblemMatrix* m : {&p.queries, &p.keys, &p.private_keys}) {
    if (m->view.rows > 0) visit(m->view.place);
    if (m->gradient) visit(m->gradient_layout.place);
  }
}

template <class F>
void CudaBackend::visit_blocks(F f) {
  const BlockGrid& g = grid();
  Pacer pacer(machine_->stream, machine_->events, call_->problem.control);
  for (int64_t i = 0; i < g.row_blocks(); ++i)
    for (int64_t j = g.first_column_block(i); j < g.column_blocks(); ++j) {
      const Range rows{i * g.block_rows, std::min(g.rows, (i + 1) * g.block_rows)};
      const Range columns{j * g.block_columns, std::min(g.columns, (j + 1) * g.block_columns)};
      f(Block{i, j, rows, columns, g.triangle && i == j});
      pacer.enqueued();
    }
  pacer.drain();
}

}  // namespace infcl::cuda
