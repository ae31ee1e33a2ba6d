// A thread block: shared memory, warps and named barriers.
#pragma once

#include <memory>
#include <vector>

#include "launch.h"
#include "recycled_bytes.h"
#include "register_pool_sm90.h"
#include "shared_shadow.h"
#include "transaction_barriers_sm90.h"
#include "warp.h"

namespace infcl::emulator {

class Cluster;

class Block {
 public:
  Block(Cluster& cluster, Launch& launch, uint32_t rank_in_cluster);
  void start(const uint32_t (&index)[3]);

  Cluster& cluster() { return cluster_; }
  Launch& launch() { return launch_; }
  const uint32_t (&index() const)[3] { return index_; }
  uint32_t linear_index() const;
  uint32_t rank_in_cluster() const { return rank_; }
  uint8_t* shared() { return shared_; }
  size_t shared_bytes() const { return launch_.shared_bytes(); }
  SharedShadow* shadow() { return shadow_.get(); }  // null unless checking
  std::vector<std::unique_ptr<Warp>>& warps() { return warps_; }
  TransactionBarriers& transaction_barriers() { return transaction_barriers_; }
  WarpgroupOrder& order_of_warpgroup(const Warp& warp) { return warpgroups_[warp.index() / 4]; }
  RegisterPool& register_pool() { return register_pool_; }

  // A warp has come to a barrier: bar.arrive goes on, others wait until it is complete.
  void arrive(Warp& warp);
  bool waits(const Warp& warp) const { return waiting_[warp.index()]; }
  bool exited(const Warp& warp) const { return warp.alive() == 0; }
  bool has_exited() const;  // all of it
  // Another block's warp uses this block's shared memory, which must still exist: the last warp to exit must
  // have heard that the other block is done.
  void visit(Warp& visitor);
  void check_visits(const Warp& last) const;
  std::string describe_waiting() const;

 private:
  static constexpr size_t kBarriers = 16;
  struct Barrier {
    uint32_t expected = 0, arrived = 0;  // threads
    std::vector<Warp*> waiting, arrivals;
    uint32_t count = 0, all = 1, any = 0;
  };
  void complete(Barrier& barrier);

  Cluster& cluster_;
  Launch& launch_;
  uint32_t rank_;
  uint32_t index_[3] = {0, 0, 0};
  RecycledBytes storage_;
  uint8_t* shared_;
  std::unique_ptr<SharedShadow> shadow_;
  std::vector<std::unique_ptr<Warp>> warps_;
  std::vector<bool> waiting_;
  WarpClocks::Clock visits_;  // of each warp of the cluster, its latest
  Barrier barriers_[kBarriers];
  TransactionBarriers transaction_barriers_{*this};
  std::vector<WarpgroupOrder> warpgroups_;
  RegisterPool register_pool_;
};

}  // namespace infcl::emulator
