// A warp: 32 lanes in lockstep over one register file. Where lanes diverge, the lanes with the smallest
// program counter go first, which brings structured code back together. Shuffles, matrix products and
// barriers need several lanes at once: they make early lanes wait. Lanes that can never meet are an error.
#pragma once

#include <cstring>
#include <memory>

#include "async_copies.h"
#include "kernel.h"
#include "launch.h"
#include "recycled_bytes.h"
#include "warpgroup_products_sm90.h"

namespace infcl::emulator {

class Block;

class Warp {
 public:
  enum class Stop { kExited, kBarrier, kSliceEnd };

  Warp(Block& block, uint32_t index);
  void start();
  Stop run(uint64_t budget);

  Block& block() const { return block_; }
  Launch& launch() const { return launch_; }
  LaunchStatistics& statistics() const { return launch_.statistics; }
  uint32_t index() const { return index_; }
  uint32_t index_in_cluster() const;
  AsyncCopies& copies() { return copies_; }
  WarpgroupProducts& products() { return products_; }
  uint32_t alive() const { return alive_; }

  // Registers, by an offset in Instruction::operands.
  template <class T>
  T* lanes(uint32_t offset) const {
    return reinterpret_cast<T*>(registers_ + offset);
  }
  uint32_t& predicate(uint32_t offset) const { return *lanes<uint32_t>(offset); }

  // For handlers.
  uint32_t& carry() { return carry_; }                 // of add.cc and its like, one bit a lane
  uint32_t instruction() const { return executing_; }  // under way
  void yield() { yield_ = true; }                      // after this instruction, let others run
  void retry() { retry_ = true; }                      // and then execute it again
  uint8_t* local(uint32_t lane) { return local_.data() + size_t{lane} * launch_.kernel.local_bytes; }
  [[noreturn]] void fail(Fault fault, const std::string& what) const { throw EmulatorError(fault, what); }

  // Arrival at the barrier where this warp waits.
  struct BarrierArrival {
    uint32_t id, threads;  // threads 0: all of the block
    BarrierKind kind;
    uint32_t predicate;  // lanes, of a reducing barrier
    uint32_t result;     // register
    uint32_t mask;       // lanes that arrived
    uint32_t instruction;
  };
  const BarrierArrival& arrival() const { return arrival_; }
  void finish_barrier(uint32_t reduced);  // its result, for a reducing barrier

  std::string where() const;  // instruction and lanes, for messages

 private:
  void fill_specials();
  void select();
  void advance(uint32_t lanes, uint32_t to);
  void branch(uint32_t taken, uint32_t to);
  bool meet(const Instruction& in, uint32_t& mask);
  void exit_lanes(uint32_t mask);
  void call(const Instruction& in, uint32_t mask);
  void return_lanes(uint32_t mask);
  void copy_parameters(const std::vector<ParameterCopy>& copies, uint32_t lane);
  bool arrive_at_barrier(const Instruction& in, uint32_t mask);
  bool step();  // false: stop_ says why
  void step_control(const Instruction& in, uint32_t mask);
  [[noreturn]] void fail_diverged() const;

  Block& block_;
  Launch& launch_;
  const Kernel& kernel_;
  uint32_t index_;
  RecycledBytes storage_;
  uint8_t* registers_;
  std::vector<uint8_t> local_;
  AsyncCopies copies_;
  WarpgroupProducts products_;

  uint32_t alive_ = 0, parked_ = 0, active_ = 0;
  uint32_t pc_ = 0;                   // of the active lanes
  uint32_t executing_ = 0;            // instruction under way, while pc_ already moves on
  bool converged_ = true;             // all living lanes are at pc_
  bool second_look_ = false;          // every lane waits: look once more whether some may go on
  uint32_t lane_pc_[kWarpSize] = {};  // valid unless converged
  std::vector<std::pair<uint32_t, uint32_t>> returns_[kWarpSize];  // call instruction, its return copies
  uint32_t carry_ = 0;
  bool yield_ = false, retry_ = false;
  Stop stop_ = Stop::kExited;
  BarrierArrival arrival_{};
};

// f(lane) for every lane of the mask; lanes are independent, so the full warp is one vector loop.
template <class F>
inline __attribute__((always_inline)) void for_each_lane(uint32_t mask, F f) {
  if (mask == kFullMask) {
#pragma GCC ivdep
    for (int lane = 0; lane < kWarpSize; lane++) f(lane);
  } else {
    for (uint32_t m = mask; m; m &= m - 1) f(__builtin_ctz(m));
  }
}

}  // namespace infcl::emulator
