#include "block.h"

#include <algorithm>
#include <cstring>

#include "cluster.h"

namespace infcl::emulator {
namespace {

constexpr size_t kSharedAlignment = 1024;

uint8_t* align_up(uint8_t* p, size_t to) {
  return reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(p) + to - 1) / to * to);
}

}  // namespace

Block::Block(Cluster& cluster, Launch& launch, uint32_t rank)
    : cluster_(cluster),
      launch_(launch),
      rank_(rank),
      storage_(launch.shared_bytes() + kSharedAlignment),
      shared_(align_up(storage_.data(), kSharedAlignment)) {
  if (const WarpClocks* clocks = cluster.clocks())
    shadow_ = std::make_unique<SharedShadow>(launch.shared_bytes(), *clocks);
  for (uint32_t w = 0; w < launch.warps(); w++) warps_.push_back(std::make_unique<Warp>(*this, w));
}

void Block::start(const uint32_t (&index)[3]) {
  std::copy(index, index + 3, index_);
  std::memset(shared_, 0xff, shared_bytes());
  if (shadow_) shadow_->reset();
  waiting_.assign(warps_.size(), false);
  for (Barrier& b : barriers_) b = {};
  visits_.clear();
  transaction_barriers_.reset();
  warpgroups_.assign((warps_.size() + 3) / 4, {});
  register_pool_.reset(warps_.size());
  for (auto& warp : warps_) warp->start();
}

uint32_t Block::linear_index() const {
  return index_[0] + launch_.grid[0] * (index_[1] + launch_.grid[1] * index_[2]);
}

void Block::arrive(Warp& warp) {
  const Warp::BarrierArrival& arrival = warp.arrival();
  if (arrival.id >= kBarriers)
    warp.fail(Fault::kLaunchFailed, "barrier " + std::to_string(arrival.id) + " of 16");
  if (arrival.threads % kWarpSize) warp.fail(Fault::kLaunchFailed, "barrier count is no multiple of 32");
  Barrier& barrier = barriers_[arrival.id];
  uint32_t expected = arrival.threads ? arrival.threads : static_cast<uint32_t>(warps_.size()) * kWarpSize;
  if (barrier.arrived && barrier.expected != expected)
    warp.fail(Fault::kLaunchFailed, "barrier " + std::to_string(arrival.id) + " expects " +
                                        std::to_string(barrier.expected) + " threads here and " +
                                        std::to_string(expected) + " there");
  barrier.expected = expected;
  barrier.arrived += kWarpSize;  // barriers count warps
  barrier.arrivals.push_back(&warp);
  uint32_t set = arrival.predicate & arrival.mask;
  barrier.count += static_cast<uint32_t>(__builtin_popcount(set));
  barrier.all &= set == arrival.mask;
  barrier.any |= set != 0;
  if (arrival.kind != BarrierKind::kArrive) {
    barrier.waiting.push_back(&warp);
    waiting_[warp.index()] = true;
  }
  if (barrier.arrived == expected) complete(barrier);
}

void Block::complete(Barrier& barrier) {
  if (WarpClocks* clocks = cluster_.clocks()) {
    auto indices = [](const std::vector<Warp*>& warps) {
      std::vector<size_t> out;
      for (const Warp* w : warps) out.push_back(w->index_in_cluster());
      return out;
    };
    clocks->join(indices(barrier.arrivals), indices(barrier.waiting));
  }
  for (Warp* warp : barrier.waiting) {
    waiting_[warp->index()] = false;
    BarrierKind kind = warp->arrival().kind;
    warp->finish_barrier(kind == BarrierKind::kPopc  ? barrier.count
                         : kind == BarrierKind::kAnd ? barrier.all
                                                     : barrier.any);
  }
  barrier = {};
}

bool Block::has_exited() const {
  return std::all_of(warps_.begin(), warps_.end(), [&](const auto& warp) { return exited(*warp); });
}

void Block::visit(Warp& visitor) {
  if (has_exited())
    visitor.fail(Fault::kIllegalAddress, "shared memory of block " + std::to_string(linear_index()) +
                                             " of the cluster, which has exited");
  const WarpClocks* clocks = cluster_.clocks();
  if (!clocks) return;
  visits_.resize(clocks->warps(), 0);
  visits_[visitor.index_in_cluster()] = clocks->now(visitor.index_in_cluster());
}

void Block::check_visits(const Warp& last) const {
  if (!launch_.options.race) return;
  for (size_t visitor = 0; visitor < visits_.size(); visitor++) {
    const bool known = std::any_of(warps_.begin(), warps_.end(), [&](const auto& warp) {
      return cluster_.clocks()->heard(warp->index_in_cluster(), visitor) >= visits_[visitor];
    });
    if (!known)
      last.fail(Fault::kLaunchFailed, "block exits without knowing that warp " + std::to_string(visitor) +
                                          " of the cluster is done with its shared memory");
  }
}

std::string Block::describe_waiting() const {
  std::string out;
  for (const auto& warp : warps_) {
    out += "\n  block " + std::to_string(linear_index()) + " warp " + std::to_string(warp->index()) + ": ";
    if (exited(*warp))
      out += "exited";
    else if (waits(*warp))
      out += "waits at barrier " + std::to_string(warp->arrival().id) + ", " +
             launch_.kernel.describe(warp->arrival().instruction);
    else
      out += "at " + warp->where();
  }
  return out;
}

}  // namespace infcl::emulator
