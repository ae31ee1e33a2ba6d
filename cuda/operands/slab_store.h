// Operands that do not all fit: the device holds some slabs at a time, in slots of equal size. While the
// enqueued visits compute, a stream of its own fills the slot that is needed soonest. The slot waits for the
// last visit that used it, and the visits that need it wait for the slot. Sums of a gradient leave with their
// slot, for the caller's memory, and come back when a later visit adds to them.
//
// The host enqueues both, so it enqueues the next copies bit by bit, between the launches of a visit. The
// order of visits alone decides which slot holds which slab, never the time at which work is done.
#pragma once

#include <deque>
#include <optional>
#include <set>
#include <vector>

#include "cuda/operands/feature_copies.h"
#include "cuda/operands/store.h"

namespace infcl::cuda {

class SlabStore final : public OperandStore {
 public:
  // `copies` is on a stream of its own; `work` is the stream of the visits.
  SlabStore(FeatureCopies& copies, const Stream& copy_stream, const Stream& work, MemoryCache*,
            const WorkspacePlan&, const Problem&);
  Findings bring(Operand) override;
  void begin(const Pass&) override;
  void enter(int64_t visit) override;
  void leave(int64_t visit) override;
  void work_ahead() override;
  Planes planes(Operand, int64_t row) override;
  float* sums(Operand, int64_t row) override;
  bool sums_begin_as_garbage() const override { return false; }
  void hand_over() override;

 private:
  struct Gradient {
    const ProblemMatrix* target = nullptr;
    std::set<int64_t> sent;  // first rows of the slabs whose sums the caller has, or has had
  };
  // A slab of a side, as a visit needs it.
  struct Slab {
    Operand operand = Operand::kQueries;
    Range rows;
    Gradient* gradient = nullptr;
  };
  struct Slot {
    Slab slab;  // no rows: empty
    DeviceBuffer high, low, sums;
    Event filled, left;
    int64_t needed = -1;   // the last visit, of those looked at, that needs it
    bool filling = false;  // some of its steps are still to do
    bool awaited = true;   // the stream of visits waits until it is filled
  };

  Gradient& gradient(Operand o) { return gradients_[static_cast<int>(o)]; }
  Slab slab_of(const Side&, Range rows);
  bool has_features(const Slab& held, const Slab& wanted) const;
  bool holds(const Slab& held, const Slab& wanted) const;
  Slot* find(const Slab&);
  Slot* find_room(const Slab&);
  // Chooses what to bring next, if there is room, and makes its steps. False: nothing to do yet.
  bool look_ahead();
  void fill(Slot&, const Slab&);
  void send_sums(Slot&);
  void step();
  // The slot of the visit being enqueued that has the row of an operand, and of its gradient where asked.
  Slot& current(Operand, int64_t row, bool with_gradient);

  FeatureCopies& copies_;
  const Stream &copy_stream_, &work_;
  const Problem& problem_;
  const Matrices index_;
  const int64_t slab_rows_, padded_dim_;
  Gradient gradients_[kOperandCount];
  std::deque<Slot> slots_;
  std::vector<std::optional<Findings>> findings_;  // of each matrix, once it was brought
  Pass pass_;
  int64_t visit_ = 0, ahead_ = 0;  // being enqueued; being looked at
  FeatureCopies::Steps steps_;     // of the slot being filled
};

}  // namespace infcl::cuda
