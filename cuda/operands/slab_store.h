// Operands of which the device holds some slabs at a time, in slots of equal size. While the visits enqueued
// compute, the slot that is needed soonest is filled on a stream of its own: it waits for the last visit that
// used the slot, and the visits that need it wait for it. Sums of a gradient leave with their slot, for the
// caller's own memory, and come back when a later visit adds to them.
//
// The host does both, so what is copied next is enqueued bit by bit between the launches of a visit. Which
// slot holds what depends on the order of visits alone, never on what is done when.
#pragma once

#include <deque>
#include <set>
#include <utility>
#include <vector>

#include "cuda/operands/feature_copies.h"
#include "cuda/operands/store.h"

namespace infcl::cuda {

class SlabStore final : public OperandStore {
 public:
  // `copies` is the transport's stream, `work` that of the visits.
  SlabStore(Transport&, const Stream& copies, const Stream& work, MemoryCache*, const WorkspacePlan&,
            const std::vector<GradientTarget>&);
  Findings examine(const MatrixView&) override;
  void begin(const Pass&) override;
  void enter(int64_t visit) override;
  void leave(int64_t visit) override;
  void work_ahead() override;
  Planes planes(const MatrixView&, int64_t row) override;
  float* sums(const float* gradient, int64_t row) override;
  bool sums_begin_as_garbage() const override { return false; }
  void hand_over() override;

 private:
  struct Gradient {
    GradientTarget target;
    std::set<int64_t> sent;  // first rows of the slabs whose sums the caller has, or has had
  };
  // A slab of a side, as a visit needs it.
  struct Slab {
    MatrixView features;
    Range rows;
    Gradient* gradient = nullptr;
  };
  struct Slot {
    Slab slab;  // no rows: empty
    DeviceBuffer high, low, sums;
    Event filled, left;
    int64_t needed = -1;   // the last visit, of those looked at, that needs it
    bool filling = false;  // steps of it are still to do
    bool awaited = true;   // the stream of visits is held until it is filled
  };

  Gradient* find(const float* gradient);
  Slab slab_of(const Side&, Range rows);
  static bool holds(const Slab& held, const Slab& wanted);
  Slot* find(const Slab&);
  Slot* find_room(const Slab&);
  // Chooses what to bring next, if there is room, and makes its steps. False: nothing to do yet.
  bool look_ahead();
  void fill(Slot&, const Slab&);
  void send_sums(Slot&);
  void step();
  Slot& current(const MatrixView*, const Gradient*, int64_t row);

  Transport& transport_;
  const Stream &copies_, &work_;
  const int64_t slab_rows_, padded_dim_;
  std::vector<Gradient> gradients_;
  std::deque<Slot> slots_;
  std::vector<std::pair<MatrixView, Findings>> examined_;
  Pass pass_;
  int64_t visit_ = 0, ahead_ = 0;  // being enqueued; being looked at
  Transport::Steps steps_;         // of the slot being filled
};

}  // namespace infcl::cuda
