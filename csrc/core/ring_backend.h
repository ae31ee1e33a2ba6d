// A backend whose columns are spread over the ranks of a ring. Each pass visits the rank's own columns first,
// then the guests that come by, and sends them on. The engine asks it as it asks any backend, and gets the
// sums of all ranks.
//
// Every rank makes the same calls. An error on one rank ends them on all, after the same visit.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/backend.h"
#include "core/guest.h"
#include "core/ranks.h"
#include "core/ring.h"
#include "core/ring_steps.h"

namespace infcl {

class RingBackend final : public Backend {
 public:
  RingBackend(Backend& backend, Ranks& ranks, const Shards& shards)
      : backend_(backend), ranks_(ranks), shards_(shards) {}

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

  // What the passes so far took, visit by visit.
  const std::vector<RingStep>& steps() const { return steps_; }

 private:
  // A guest that a rank has at present.
  struct Visit {
    int64_t rows;          // of the rank, that it meets
    int64_t first_column;  // index in the whole batch
    GuestVisit guest;
  };
  // What one round of the guests does.
  struct Round {
    RingStep::Phase phase;
    Similarity similarity;
    GuestParts parts;  // without their numbers of rows
    std::function<void(Guest&, const GuestParts&, Range piece)> pack;
    std::function<void()> visit_own;
    std::function<void(Guest&, const Visit&)> visit;
    std::function<void(Guest&, Range piece)> welcome;  // at home; none: guests do not come home
  };
  class RoundRun;
  void run(const Round&);

  Similarity similarity(int index) const;
  const ProblemMatrix& columns(int similarity) const {
    return problem_.matrix(problem_.similarities[similarity].columns);
  }
  template <class Args>
  Args own_args(const Args&) const;
  template <class Args>
  Args guest_args(const Args&, const Visit&) const;
  // The part of a similarity that some rows and columns are, of its rows or of its columns, whichever is
  // less.
  double fraction(const Similarity&, int64_t rows, int64_t columns) const;

  Backend& backend_;
  Ranks& ranks_;
  const Shards& shards_;
  Problem problem_;
  std::vector<Guest> slots_;
  int64_t slot_bytes_ = 0;  // of all slots
  std::vector<RingStep> steps_;
};

}  // namespace infcl
