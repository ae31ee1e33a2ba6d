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

ShardStore::ShardStore(Transport& transport, const Stream& copies, const Stream& work, MemoryCache* cache,
                       const WorkspacePlan& plan, const std::vector<GradientTarget>& gradients)
    : transport_(transport),
      copies_(copies),
      work_(work),
      shard_rows_(plan.shards.rows),
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

Findings ShardStore::examine(const MatrixView& view) {
  for (const auto& [known, findings] : examined_)
    if (is_same(known, view)) return findings;
  // From the last shard to the first, where laps begin.
  std::vector<ShardVisit> visits;
  for (int64_t at = ceil_div(view.rows, shard_rows_) - 1; at >= 0; --at) {
    const Range rows{at * shard_rows_, std::min(view.rows, (at + 1) * shard_rows_)};
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

void ShardStore::begin(const Lap& lap) {
  lap_ = lap;
  visit_ = ahead_ = 0;
  for (Slot& slot : slots_) slot.needed = -1;
}

void ShardStore::enter(int64_t visit) {
  visit_ = visit;
  ahead_ = std::max(ahead_, visit);
  const ShardVisit& v = lap_.visits[static_cast<size_t>(visit)];
  for (const Shard& wanted : {shard_of(lap_.rows, v.rows), shard_of(lap_.columns, v.columns)}) {
    const Slot* slot = find(wanted);
    while (!slot || slot->filling) {
      if (steps_.empty() && !look_ahead())
        throw Error(ErrorCode::kInternal, "cuda", "no slot for a shard that is needed now");
      step();
      slot = find(wanted);
    }
  }
  for (const Shard& wanted : {shard_of(lap_.rows, v.rows), shard_of(lap_.columns, v.columns)}) {
    Slot& slot = *find(wanted);
    if (!slot.awaited) slot.filled.hold(work_.get());
    slot.awaited = true;
  }
}

void ShardStore::leave(int64_t visit) {
  const ShardVisit& v = lap_.visits[static_cast<size_t>(visit)];
  Slot &rows = *find(shard_of(lap_.rows, v.rows)), &columns = *find(shard_of(lap_.columns, v.columns));
  rows.left.record(work_);
  if (&columns != &rows) columns.left.record(work_);
}

void ShardStore::work_ahead() {
  for (int i = 0; i < kStepsPerBlock; ++i) {
    if (steps_.empty() && !look_ahead()) return;
    step();
  }
}

void ShardStore::step() {
  const auto next = std::move(steps_.front());
  steps_.pop_front();
  next();
}

bool ShardStore::look_ahead() {
  for (; ahead_ < static_cast<int64_t>(lap_.visits.size()); ++ahead_) {
    const ShardVisit& v = lap_.visits[static_cast<size_t>(ahead_)];
    for (const Shard& wanted : {shard_of(lap_.rows, v.rows), shard_of(lap_.columns, v.columns)}) {
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

ShardStore::Slot* ShardStore::find(const Shard& wanted) {
  for (Slot& slot : slots_)
    if (holds(slot.shard, wanted)) return &slot;
  return nullptr;
}

bool ShardStore::holds(const Shard& held, const Shard& wanted) {
  return is_same(held.rows, wanted.rows) && is_same(held.features, wanted.features) &&
         (!wanted.gradient || held.gradient == wanted.gradient);
}

// One that has the features but no sums, or else the one that was needed longest ago. What visits up to the
// one looked at need is not given away.
ShardStore::Slot* ShardStore::find_room(const Shard& wanted) {
  Shard features = wanted;
  features.gradient = nullptr;
  Slot* oldest = nullptr;
  for (Slot& slot : slots_) {
    if (holds(slot.shard, features) && !slot.shard.gradient) return &slot;
    if (slot.needed < visit_ && (!oldest || slot.needed < oldest->needed)) oldest = &slot;
  }
  return oldest;
}

void ShardStore::fill(Slot& slot, const Shard& wanted) {
  slot.filling = true;
  slot.awaited = false;
  steps_.push_back([this, &slot] { slot.left.hold(copies_.get()); });
  send_sums(slot);
  Shard features = wanted;
  features.gradient = nullptr;
  if (!holds(slot.shard, features))
    transport_.bring_features(wanted.features, wanted.rows,
                              {slot.high.as<uint16_t>(), slot.low.as<uint16_t>()}, steps_);
  slot.shard = wanted;
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

void ShardStore::send_sums(Slot& slot) {
  Gradient* const g = slot.shard.gradient;
  if (!g) return;
  const Range rows{slot.shard.rows.begin, std::min(slot.shard.rows.end, g->target.rows)};
  transport_.take_sums(g->target, rows, slot.sums.as<float>(), steps_);
  g->sent.insert(rows.begin);
}

void ShardStore::hand_over() {
  for (Slot& slot : slots_) {
    steps_.push_back([this, &slot] { slot.left.hold(copies_.get()); });
    send_sums(slot);
    slot.shard = {};
  }
  while (!steps_.empty()) step();
  transport_.land();
}

Planes ShardStore::planes(const MatrixView& view, int64_t row) {
  const Slot& slot = current(&view, nullptr, row);
  const int64_t offset = (row - slot.shard.rows.begin) * padded_dim_;
  uint16_t* const low = slot.low.as<uint16_t>();
  return {slot.high.as<uint16_t>() + offset, low ? low + offset : nullptr};
}

float* ShardStore::sums(const float* gradient, int64_t row) {
  if (!gradient) return nullptr;
  const Slot& slot = current(nullptr, find(gradient), row);
  return slot.sums.as<float>() + (row - slot.shard.rows.begin) * padded_dim_;
}

// Of the slots of the visit that is being enqueued.
ShardStore::Slot& ShardStore::current(const MatrixView* view, const Gradient* gradient, int64_t row) {
  const ShardVisit& v = lap_.visits[static_cast<size_t>(visit_)];
  for (const Shard& wanted : {shard_of(lap_.rows, v.rows), shard_of(lap_.columns, v.columns)}) {
    if (!wanted.rows.contains(row) || (view && !is_same(wanted.features, *view)) ||
        (gradient && wanted.gradient != gradient))
      continue;
    if (Slot* const slot = find(wanted)) return *slot;
  }
  throw Error(ErrorCode::kInternal, "cuda", "rows that the visit did not name");
}

ShardStore::Gradient* ShardStore::find(const float* gradient) {
  for (Gradient& g : gradients_)
    if (g.target.data == gradient) return &g;
  throw Error(ErrorCode::kInternal, "cuda", "a gradient that the problem did not name");
}

ShardStore::Shard ShardStore::shard_of(const Side& side, Range rows) {
  Gradient* const g = side.gradient ? find(side.gradient) : nullptr;
  return {side.features, rows, g && rows.begin < g->target.rows ? g : nullptr};
}

}  // namespace infcl::cuda
