#include "block.h"

#include <algorithm>
#include <cstring>

namespace infcl::emulator {
namespace {

constexpr size_t kSharedAlignment = 1024;
constexpr uint64_t kUnseededSlice = 1 << 20;  // lets a warp that polls see what others do
constexpr uint64_t kLongestSlice = 512;       // of a seeded run

uint8_t* align_up(uint8_t* p, size_t to) {
  return reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(p) + to - 1) / to * to);
}

}  // namespace

Block::Block(Launch& launch, uint32_t rank)
    : launch_(launch),
      rank_(rank),
      storage_(new uint8_t[launch.shared_bytes() + kSharedAlignment]),
      shared_(align_up(storage_.get(), kSharedAlignment)) {
  const uint32_t warps = (launch.threads() + kWarpSize - 1) / kWarpSize;
  if (launch.options.race || launch.options.check)
    shadow_ = std::make_unique<SharedShadow>(launch.shared_bytes(), warps);
  for (uint32_t w = 0; w < warps; w++) warps_.push_back(std::make_unique<Warp>(*this, w));
}

void Block::start(const uint32_t (&index)[3]) {
  std::copy(index, index + 3, index_);
  std::memset(shared_, 0xff, shared_bytes());
  if (shadow_) shadow_->reset();
  waiting_.assign(warps_.size(), false);
  for (Barrier& b : barriers_) b = {};
  transaction_barriers_.reset();
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
  if (shadow_) {
    auto indices = [](const std::vector<Warp*>& warps) {
      std::vector<size_t> out;
      for (const Warp* w : warps) out.push_back(w->index());
      return out;
    };
    shadow_->join(indices(barrier.arrivals), indices(barrier.waiting));
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

Cluster::Cluster(Launch& launch) : launch_(launch), random_(launch.options.seed) {
  const uint32_t(&c)[3] = launch.kernel.cluster;
  for (uint32_t rank = 0; rank < c[0] * c[1] * c[2]; rank++)
    blocks_.push_back(std::make_unique<Block>(launch, rank));
}

void Cluster::pick_blocks(uint32_t cluster_index) {
  const uint32_t(&c)[3] = launch_.kernel.cluster;
  uint32_t across[3], first[3];
  for (int d = 0; d < 3; d++) across[d] = launch_.grid[d] / c[d];
  first[0] = cluster_index % across[0] * c[0];
  first[1] = cluster_index / across[0] % across[1] * c[1];
  first[2] = cluster_index / across[0] / across[1] * c[2];
  for (uint32_t rank = 0; rank < blocks_.size(); rank++) {
    const uint32_t index[3] = {first[0] + rank % c[0], first[1] + rank / c[0] % c[1],
                               first[2] + rank / c[0] / c[1]};
    blocks_[rank]->start(index);
  }
}

Warp* Cluster::next_warp() {
  std::vector<Warp*> ready;
  for (auto& block : blocks_)
    for (auto& warp : block->warps())
      if (!block->exited(*warp) && !block->waits(*warp)) ready.push_back(warp.get());
  if (ready.empty()) return nullptr;
  return ready[launch_.options.seed ? random_() % ready.size() : turn_++ % ready.size()];
}

void Cluster::run(uint32_t cluster_index) {
  pick_blocks(cluster_index);
  while (Warp* warp = next_warp()) {
    uint64_t slice = launch_.options.seed ? 1 + random_() % kLongestSlice : kUnseededSlice;
    warp->run(slice);
  }
  for (auto& block : blocks_) {
    for (auto& warp : block->warps())
      if (!block->exited(*warp)) fail_deadlock();
    if (!block->transaction_barriers().idle())
      throw EmulatorError(Fault::kLaunchFailed,
                          "block of " + launch_.kernel.name + " ends while tensor copies are under way");
  }
}

void Cluster::fail_deadlock() const {
  std::string what = "barrier deadlock in kernel " + launch_.kernel.name + ":";
  for (auto& block : blocks_) what += block->describe_waiting();
  throw EmulatorError(Fault::kLaunchFailed, what);
}

void run_launch(Launch& launch) {
  Cluster cluster(launch);
  const uint32_t(&c)[3] = launch.kernel.cluster;
  uint64_t clusters = 1;
  for (int d = 0; d < 3; d++) clusters *= launch.grid[d] / c[d];
  const uint64_t first = launch.options.first_block / (uint64_t{c[0]} * c[1] * c[2]);
  for (uint64_t i = first; i < clusters; i++) cluster.run(static_cast<uint32_t>(i));
}

}  // namespace infcl::emulator
