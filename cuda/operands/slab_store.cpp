#include "cuda/operands/slab_store.h"

#include <algorithm>

#include "core/errors.h"

namespace infcl::cuda {

namespace {

// Done beside each macro-block: about a piece of staging memory, which the host copies while the block
// computes.
constexpr int kStepsPerBlock = 2;

bool is_same(const Range& a, const Range& b) { return a.begin == b.begin && a.end == b.end; }

}  // namespace

SlabStore::SlabStore(Transport& transport, const Stream& copies, const Stream& work, MemoryCache* cache,
                     const WorkspacePlan& plan, const std::vector<GradientTarget>& gradients)
    : transport_(transport),
      copies_(copies),
      work_(work),
      slab_rows_(plan.slabs.rows),
      padded_dim_(plan.padded_dim) {
  for (const GradientTarget& g : gradients) gradients_.push_back({g, {}});
  for (int64_t i = 0; i < plan.slots; ++i) {
    Slot& slot = slots_.emplace_back();
    slot.high = DeviceBuffer(plan.slot_plane, cache);
    slot.low = DeviceBuffer(plan.planes == 2 ? plan.slot_plane : 0, cache);
    slot.sums = DeviceBuffer(plan.slot_sums, cache);
    copies_.clear(slot.sums.as<void>(), plan.slot_sums);  // features of padding come from nowhere else
  }
}

Findings SlabStore::examine(const MatrixView& view) {
  for (const auto& [known, findings] : examined_)
    if (is_same(known, view)) return findings;
  // From the last slab to the first, where passes begin.
  std::vector<SlabVisit> visits;
  for (int64_t at = ceil_div(view.rows, slab_rows_) - 1; at >= 0; --at) {
    const Range rows{at * slab_rows_, std::min(view.rows, (at + 1) * slab_rows_)};
    visits.push_back({rows, rows, true});
  }
  begin({{view, nullptr}, {view, nullptr}, visits});
  for (size_t i = 0; i < visits.size(); ++i) {
    enter(static_cast<int64_t>(i));
    leave(static_cast<int64_t>(i));
  }
  examined_.emplace_back(view, transport_.take_findings());
  return examined_.back().second;
}

void SlabStore::begin(const Pass& pass) {
  pass_ = pass;
  visit_ = ahead_ = 0;
  for (Slot& slot : slots_) slot.needed = -1;
}

void SlabStore::enter(int64_t visit) {
  visit_ = visit;
  ahead_ = std::max(ahead_, visit);
  const SlabVisit& v = pass_.visits[static_cast<size_t>(visit)];
  for (const Slab& wanted : {slab_of(pass_.rows, v.rows), slab_of(pass_.columns, v.columns)}) {
    const Slot* slot = find(wanted);
    while (!slot || slot->filling) {
      if (steps_.empty() && !look_ahead())
        throw Error(ErrorCode::kInternal, "cuda", "no slot for a slab that is needed now");
      step();
      slot = find(wanted);
    }
  }
  for (const Slab& wanted : {slab_of(pass_.rows, v.rows), slab_of(pass_.columns, v.columns)}) {
    Slot& slot = *find(wanted);
    if (!slot.awaited) slot.filled.make_wait(work_.get());
    slot.awaited = true;
  }
}

void SlabStore::leave(int64_t visit) {
  const SlabVisit& v = pass_.visits[static_cast<size_t>(visit)];
  Slot &rows = *find(slab_of(pass_.rows, v.rows)), &columns = *find(slab_of(pass_.columns, v.columns));
  rows.left.record(work_);
  if (&columns != &rows) columns.left.record(work_);
}

void SlabStore::work_ahead() {
  for (int i = 0; i < kStepsPerBlock; ++i) {
    if (steps_.empty() && !look_ahead()) return;
    step();
  }
}

void SlabStore::step() {
  const auto next = std::move(steps_.front());
  steps_.pop_front();
  next();
}

bool SlabStore::look_ahead() {
  for (; ahead_ < static_cast<int64_t>(pass_.visits.size()); ++ahead_) {
    const SlabVisit& v = pass_.visits[static_cast<size_t>(ahead_)];
    for (const Slab& wanted : {slab_of(pass_.rows, v.rows), slab_of(pass_.columns, v.columns)}) {
      Slot* const found = find(wanted);
      Slot* const slot = found ? found : find_room(wanted);
      if (!slot) return false;
      slot->needed = ahead_;
      if (found) continue;
      fill(*slot, wanted);
      return true;
    }
  }
  return false;
}

SlabStore::Slot* SlabStore::find(const Slab& wanted) {
  for (Slot& slot : slots_)
    if (holds(slot.slab, wanted)) return &slot;
  return nullptr;
}

bool SlabStore::holds(const Slab& held, const Slab& wanted) {
  return is_same(held.rows, wanted.rows) && is_same(held.features, wanted.features) &&
         (!wanted.gradient || held.gradient == wanted.gradient);
}

// One that has the features but no sums, or else the one that was needed longest ago. What visits up to the
// one looked at need is not given away.
SlabStore::Slot* SlabStore::find_room(const Slab& wanted) {
  Slab features = wanted;
  features.gradient = nullptr;
  Slot* oldest = nullptr;
  for (Slot& slot : slots_) {
    if (holds(slot.slab, features) && !slot.slab.gradient) return &slot;
    if (slot.needed < visit_ && (!oldest || slot.needed < oldest->needed)) oldest = &slot;
  }
  return oldest;
}

void SlabStore::fill(Slot& slot, const Slab& wanted) {
  slot.filling = true;
  slot.awaited = false;
  steps_.push_back([this, &slot] { slot.left.make_wait(copies_.get()); });
  send_sums(slot);
  Slab features = wanted;
  features.gradient = nullptr;
  if (!holds(slot.slab, features))
    transport_.bring_features(wanted.features, wanted.rows,
                              {slot.high.as<uint16_t>(), slot.low.as<uint16_t>()}, steps_);
  slot.slab = wanted;
  if (Gradient* const g = wanted.gradient) {
    const Range rows{wanted.rows.begin, std::min(wanted.rows.end, g->target.rows)};
    if (g->sent.count(rows.begin))
      transport_.bring_sums(g->target, rows, slot.sums.as<float>(), steps_);
    else
      steps_.push_back([this, &slot] { copies_.clear(slot.sums.as<void>(), slot.sums.bytes()); });
  }
  steps_.push_back([this, &slot] {
    slot.filled.record(copies_);
    slot.filling = false;
  });
}

void SlabStore::send_sums(Slot& slot) {
  Gradient* const g = slot.slab.gradient;
  if (!g) return;
  const Range rows{slot.slab.rows.begin, std::min(slot.slab.rows.end, g->target.rows)};
  transport_.take_sums(g->target, rows, slot.sums.as<float>(), steps_);
  g->sent.insert(rows.begin);
}

void SlabStore::hand_over() {
  for (Slot& slot : slots_) {
    steps_.push_back([this, &slot] { slot.left.make_wait(copies_.get()); });
    send_sums(slot);
    slot.slab = {};
  }
  while (!steps_.empty()) step();
  transport_.land();
}

Planes SlabStore::planes(const MatrixView& view, int64_t row) {
  const Slot& slot = current(&view, nullptr, row);
  const int64_t offset = (row - slot.slab.rows.begin) * padded_dim_;
  uint16_t* const low = slot.low.as<uint16_t>();
  return {slot.high.as<uint16_t>() + offset, low ? low + offset : nullptr};
}

float* SlabStore::sums(const float* gradient, int64_t row) {
  if (!gradient) return nullptr;
  const Slot& slot = current(nullptr, find(gradient), row);
  return slot.sums.as<float>() + (row - slot.slab.rows.begin) * padded_dim_;
}

// Of the slots of the visit that is being enqueued.
SlabStore::Slot& SlabStore::current(const MatrixView* view, const Gradient* gradient, int64_t row) {
  const SlabVisit& v = pass_.visits[static_cast<size_t>(visit_)];
  for (const Slab& wanted : {slab_of(pass_.rows, v.rows), slab_of(pass_.columns, v.columns)}) {
    if (!wanted.rows.contains(row) || (view && !is_same(wanted.features, *view)) ||
        (gradient && wanted.gradient != gradient))
      continue;
    if (Slot* const slot = find(wanted)) return *slot;
  }
  throw Error(ErrorCode::kInternal, "cuda", "rows that the visit did not name");
}

SlabStore::Gradient* SlabStore::find(const float* gradient) {
  for (Gradient& g : gradients_)
    if (g.target.data == gradient) return &g;
  throw Error(ErrorCode::kInternal, "cuda", "a gradient that the problem did not name");
}

SlabStore::Slab SlabStore::slab_of(const Side& side, Range rows) {
  Gradient* const g = side.gradient ? find(side.gradient) : nullptr;
  return {side.features, rows, g && rows.begin < g->target.rows ? g : nullptr};
}

}  // namespace infcl::cuda
