#include "cuda/operands/slab_store.h"

#include <algorithm>

#include "core/errors.h"

namespace infcl::cuda {

namespace {

// Steps beside each macro-block: about a piece of staging memory, which the host copies while the
// macro-block computes.
constexpr int kStepsPerBlock = 2;

bool is_same(const Range& a, const Range& b) { return a.begin == b.begin && a.end == b.end; }

}  // namespace

SlabStore::SlabStore(FeatureCopies& copies, const Stream& copy_stream, const Stream& work, MemoryCache* cache,
                     const WorkspacePlan& plan, const Problem& problem)
    : copies_(copies),
      copy_stream_(copy_stream),
      work_(work),
      problem_(problem),
      index_(problem),
      slab_rows_(plan.slabs.rows),
      padded_dim_(plan.padded_dim),
      findings_(index_.views.size()) {
  for (const Operand o : kOperands) gradient(o).target = &problem.matrix(o);
  for (int64_t i = 0; i < plan.slots; ++i) {
    Slot& slot = slots_.emplace_back();
    slot.high = DeviceBuffer(plan.slot_plane, cache);
    slot.low = DeviceBuffer(plan.planes == 2 ? plan.slot_plane : 0, cache);
    slot.sums = DeviceBuffer(plan.slot_sums, cache);
    copy_stream_.clear(slot.sums.as<void>(), plan.slot_sums);  // nothing else writes the sums of padding
  }
}

Findings SlabStore::bring(Operand operand) {
  std::optional<Findings>& findings = findings_[static_cast<size_t>(index_.of(operand))];
  if (findings) return *findings;
  // The last slab comes first and the first slab last: passes begin with it.
  const int64_t count = problem_.matrix(operand).view.rows;
  std::vector<SlabVisit> visits;
  for (int64_t at = ceil_div(count, slab_rows_) - 1; at >= 0; --at) {
    const Range rows{at * slab_rows_, std::min(count, (at + 1) * slab_rows_)};
    visits.push_back({rows, rows, true});
  }
  begin({{operand, false}, {operand, false}, visits});
  for (size_t i = 0; i < visits.size(); ++i) {
    enter(static_cast<int64_t>(i));
    leave(static_cast<int64_t>(i));
  }
  findings = copies_.take_findings();
  return *findings;
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

bool SlabStore::has_features(const Slab& held, const Slab& wanted) const {
  return is_same(held.rows, wanted.rows) && index_.of(held.operand) == index_.of(wanted.operand);
}

bool SlabStore::holds(const Slab& held, const Slab& wanted) const {
  return has_features(held, wanted) && (!wanted.gradient || held.gradient == wanted.gradient);
}

// A slot that has the features but no sums, or else the slot that was needed longest ago. Slots that visits
// up to the one looked at need are not given away.
SlabStore::Slot* SlabStore::find_room(const Slab& wanted) {
  Slot* oldest = nullptr;
  for (Slot& slot : slots_) {
    if (has_features(slot.slab, wanted) && !slot.slab.gradient) return &slot;
    if (slot.needed < visit_ && (!oldest || slot.needed < oldest->needed)) oldest = &slot;
  }
  return oldest;
}

void SlabStore::fill(Slot& slot, const Slab& wanted) {
  slot.filling = true;
  slot.awaited = false;
  steps_.push_back([this, &slot] { slot.left.make_wait(copy_stream_.get()); });
  send_sums(slot);
  if (!has_features(slot.slab, wanted))
    copies_.bring_features(problem_.matrix(wanted.operand).view, wanted.rows,
                           {slot.high.as<uint16_t>(), slot.low.as<uint16_t>()}, steps_);
  slot.slab = wanted;
  if (Gradient* const g = wanted.gradient) {
    const Range rows{wanted.rows.begin, std::min(wanted.rows.end, g->target->gradient_rows)};
    if (g->sent.count(rows.begin))
      copies_.bring_sums(*g->target, rows, slot.sums.as<float>(), steps_);
    else
      steps_.push_back([this, &slot] { copy_stream_.clear(slot.sums.as<void>(), slot.sums.bytes()); });
  }
  steps_.push_back([this, &slot] {
    slot.filled.record(copy_stream_);
    slot.filling = false;
  });
}

void SlabStore::send_sums(Slot& slot) {
  Gradient* const g = slot.slab.gradient;
  if (!g) return;
  const Range rows{slot.slab.rows.begin, std::min(slot.slab.rows.end, g->target->gradient_rows)};
  copies_.take_sums(*g->target, rows, slot.sums.as<float>(), steps_);
  g->sent.insert(rows.begin);
}

void SlabStore::hand_over() {
  for (Slot& slot : slots_) {
    steps_.push_back([this, &slot] { slot.left.make_wait(copy_stream_.get()); });
    send_sums(slot);
    slot.slab = {};
  }
  while (!steps_.empty()) step();
  copies_.land();
}

Planes SlabStore::planes(Operand operand, int64_t row) {
  const Slot& slot = current(operand, row, false);
  const int64_t offset = (row - slot.slab.rows.begin) * padded_dim_;
  uint16_t* const low = slot.low.as<uint16_t>();
  return {slot.high.as<uint16_t>() + offset, low ? low + offset : nullptr};
}

float* SlabStore::sums(Operand operand, int64_t row) {
  const Slot& slot = current(operand, row, true);
  return slot.sums.as<float>() + (row - slot.slab.rows.begin) * padded_dim_;
}

SlabStore::Slot& SlabStore::current(Operand operand, int64_t row, bool with_gradient) {
  const SlabVisit& v = pass_.visits[static_cast<size_t>(visit_)];
  for (const Slab& wanted : {slab_of(pass_.rows, v.rows), slab_of(pass_.columns, v.columns)}) {
    if (!wanted.rows.contains(row)) continue;
    if (with_gradient ? wanted.gradient != &gradient(operand)
                      : index_.of(wanted.operand) != index_.of(operand))
      continue;
    if (Slot* const slot = find(wanted)) return *slot;
  }
  throw Error(ErrorCode::kInternal, "cuda", "rows that the visit did not name");
}

SlabStore::Slab SlabStore::slab_of(const Side& side, Range rows) {
  Gradient& g = gradient(side.operand);
  const bool has_sums = side.gradient && rows.begin < g.target->gradient_rows;
  return {side.operand, rows, has_sums ? &g : nullptr};
}

}  // namespace infcl::cuda
