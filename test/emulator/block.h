// A thread block: shared memory, warps and named barriers; and the scheduler of the blocks of a cluster.
#pragma once

#include <memory>
#include <random>
#include <vector>

#include "launch.h"
#include "register_pool_sm90.h"
#include "shared_shadow.h"
#include "transaction_barriers_sm90.h"
#include "warp.h"

namespace infcl::emulator {

class Block {
 public:
  Block(Launch& launch, uint32_t rank_in_cluster);
  void start(const uint32_t (&index)[3]);

  Launch& launch() { return launch_; }
  const uint32_t (&index() const)[3] { return index_; }
  uint32_t linear_index() const;
  uint32_t rank_in_cluster() const { return rank_; }
  uint8_t* shared() { return shared_; }
  size_t shared_bytes() const { return launch_.shared_bytes(); }
  SharedShadow* shadow() { return shadow_.get(); }  // null unless checking
  std::vector<std::unique_ptr<Warp>>& warps() { return warps_; }
  TransactionBarriers& transaction_barriers() { return transaction_barriers_; }
  RegisterPool& register_pool() { return register_pool_; }

  // A warp has come to a barrier: bar.arrive goes on, others wait until it is complete.
  void arrive(Warp& warp);
  bool waits(const Warp& warp) const { return waiting_[warp.index()]; }
  bool exited(const Warp& warp) const { return warp.alive() == 0; }
  std::string describe_waiting() const;

 private:
  static constexpr size_t kBarriers = 16;
  struct Barrier {
    uint32_t expected = 0, arrived = 0;  // threads
    std::vector<Warp*> waiting, arrivals;
    uint32_t count = 0, all = 1, any = 0;
  };
  void complete(Barrier& barrier);

  Launch& launch_;
  uint32_t rank_;
  uint32_t index_[3] = {0, 0, 0};
  std::unique_ptr<uint8_t[]> storage_;
  uint8_t* shared_;
  std::unique_ptr<SharedShadow> shadow_;
  std::vector<std::unique_ptr<Warp>> warps_;
  std::vector<bool> waiting_;
  Barrier barriers_[kBarriers];
  TransactionBarriers transaction_barriers_;
  RegisterPool register_pool_;
};

// Runs its blocks to their end, warp by warp in a seeded order.
class Cluster {
 public:
  explicit Cluster(Launch& launch);
  void run(uint32_t cluster_index);

 private:
  void pick_blocks(uint32_t cluster_index);
  Warp* next_warp();
  [[noreturn]] void fail_deadlock() const;

  Launch& launch_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::mt19937_64 random_;
  size_t turn_ = 0;
};

}  // namespace infcl::emulator
