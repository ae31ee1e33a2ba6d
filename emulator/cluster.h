// A cluster of thread blocks, one unless the kernel says otherwise: runs their warps, and is what blocks know
// of each other: shared memory by rank, and the cluster's own barrier.
#pragma once

#include <memory>
#include <random>
#include <vector>

#include "block.h"
#include "launch.h"
#include "shared_window.h"
#include "warp_clocks.h"

namespace infcl::emulator {

// barrier.cluster: complete when every warp that has not exited has arrived.
class ClusterBarrier {
 public:
  void reset(size_t warps);
  void arrive(Warp& warp, bool releases);
  bool is_over(Warp& warp);  // the phase that the warp arrived in; false: others should run

 private:
  void complete_if_due(Cluster& cluster);

  std::vector<bool> here_;       // of each warp: arrived in this phase
  std::vector<uint64_t> phase_;  // of each warp: that it arrived in, 0: none that it has not left
  uint64_t now_ = 1, fruitless_ = 0;
  WarpClocks::Clock arrived_, over_;
};

class Cluster {
 public:
  explicit Cluster(Launch& launch);
  void run(uint32_t cluster_index);  // its blocks to their end, warp by warp in a seeded order

  std::vector<std::unique_ptr<Block>>& blocks() { return blocks_; }
  ClusterBarrier& barrier() { return barrier_; }
  WarpClocks* clocks() { return clocks_.get(); }  // null unless checking
  std::string describe_waiting() const;

 private:
  void start(uint32_t cluster_index);
  Warp* next_warp();
  [[noreturn]] void fail_deadlock() const;

  Launch& launch_;
  std::unique_ptr<WarpClocks> clocks_;
  std::vector<std::unique_ptr<Block>> blocks_;
  ClusterBarrier barrier_;
  std::mt19937_64 random_;
  size_t turn_ = 0;
};

// mapa: the same place in the shared memory of another block.
uint32_t cluster_address(Warp& warp, uint32_t address, uint32_t rank);
// The block that a shared::cluster address lies in: perhaps the warp's own. The block must not have exited.
Block& block_of(Warp& warp, uint32_t cluster_address);

}  // namespace infcl::emulator
