#include "cluster.h"

#include <algorithm>

namespace infcl::emulator {
namespace {

constexpr uint64_t kUnseededSlice = 1 << 20;  // lets a warp that polls see what others do
constexpr uint64_t kLongestSlice = 512;       // of a seeded run
constexpr uint64_t kHopeless = 1 << 20;       // polls

}  // namespace

void ClusterBarrier::reset(size_t warps) {
  *this = {};
  here_.assign(warps, false);
  phase_.assign(warps, 0);
}

void ClusterBarrier::arrive(Warp& warp, bool releases) {
  uint64_t& phase = phase_[warp.index_in_cluster()];
  if (phase != 0) warp.fail(Fault::kLaunchFailed, "barrier.cluster.arrive again, without a wait between");
  phase = now_;
  here_[warp.index_in_cluster()] = true;
  Cluster& cluster = warp.block().cluster();
  if (WarpClocks* clocks = cluster.clocks()) {
    if (releases)
      clocks->release(warp.index_in_cluster(), arrived_);
    else
      clocks->release_settled(warp.index_in_cluster(), arrived_);
  }
  fruitless_ = 0;
  complete_if_due(cluster);
}

void ClusterBarrier::complete_if_due(Cluster& cluster) {
  for (auto& block : cluster.blocks())
    for (auto& warp : block->warps())
      if (!block->exited(*warp) && !here_[warp->index_in_cluster()]) return;
  here_.assign(here_.size(), false);
  over_ = std::move(arrived_);
  arrived_.clear();
  now_++;
}

bool ClusterBarrier::is_over(Warp& warp) {
  uint64_t& phase = phase_[warp.index_in_cluster()];
  if (phase == 0) warp.fail(Fault::kLaunchFailed, "barrier.cluster.wait without an arrival");
  Cluster& cluster = warp.block().cluster();
  if (phase == now_) complete_if_due(cluster);  // someone may have exited
  if (phase == now_) {
    if (++fruitless_ > kHopeless)
      warp.fail(Fault::kLaunchFailed, "deadlock: barrier.cluster" + cluster.describe_waiting());
    return false;
  }
  if (WarpClocks* clocks = cluster.clocks()) clocks->acquire(warp.index_in_cluster(), over_);
  phase = fruitless_ = 0;
  return true;
}

Cluster::Cluster(Launch& launch) : launch_(launch), random_(launch.options.seed) {
  const uint32_t(&c)[3] = launch.kernel.cluster;
  const uint32_t blocks = c[0] * c[1] * c[2];
  if (launch.options.race || launch.options.check)
    clocks_ = std::make_unique<WarpClocks>(size_t{blocks} * launch.warps());
  for (uint32_t rank = 0; rank < blocks; rank++)
    blocks_.push_back(std::make_unique<Block>(*this, launch, rank));
}

void Cluster::start(uint32_t cluster_index) {
  if (clocks_) clocks_->reset();
  barrier_.reset(blocks_.size() * launch_.warps());
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
  start(cluster_index);
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

std::string Cluster::describe_waiting() const {
  std::string out;
  for (auto& block : blocks_) out += block->describe_waiting();
  return out;
}

void Cluster::fail_deadlock() const {
  throw EmulatorError(Fault::kLaunchFailed,
                      "barrier deadlock in kernel " + launch_.kernel.name + ":" + describe_waiting());
}

uint32_t cluster_address(Warp& warp, uint32_t address, uint32_t rank) {
  const size_t blocks = warp.block().cluster().blocks().size();
  if (rank >= blocks)
    warp.fail(Fault::kIllegalAddress,
              "address in block " + std::to_string(rank) + " of a cluster of " + std::to_string(blocks));
  return shared_window(rank) + offset_in_block(address);
}

Block& block_of(Warp& warp, uint32_t address) {
  auto& blocks = warp.block().cluster().blocks();
  if (rank_of(address) >= blocks.size())
    warp.fail(Fault::kIllegalAddress,
              "address " + std::to_string(address) + " is in no block of the cluster");
  Block& block = *blocks[rank_of(address)];
  if (&block != &warp.block()) block.visit(warp);
  return block;
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
