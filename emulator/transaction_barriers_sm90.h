// mbarriers of a block, and the tensor copies that arrive at them. A program sees only
// the address of a barrier in shared memory; the state is here.
//
// A copy lands as late as the program allows: when a warp waits at its barrier and nothing else is missing
// there. Until then its destination holds NaN and counts as under way. With INFCL_EMULATOR_EARLY a copy lands
// when it is issued, perhaps before an arrival announces its bytes. Warps of other blocks of the cluster may
// arrive, too, and their copies land here when they multicast.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "shared_shadow.h"

namespace infcl::emulator {

class Block;
class Warp;

// 2-dimensional, of 16-bit elements, with the 128-byte swizzle.
struct TensorBox {
  uint64_t base, row_bytes;  // of the matrix
  uint64_t width, height;    // of the matrix, in elements
  uint32_t columns, rows;    // of the box
  int64_t x, y;              // of its corner
  uint32_t shared_offset;
  size_t bytes() const { return size_t{2} * columns * rows; }
};

class TransactionBarriers {
 public:
  explicit TransactionBarriers(Block& block) : block_(block) {}
  void reset() {
    barriers_.clear();
    copies_.clear();
    fruitless_ = 0;
  }
  void initialize(Warp& warp, uint32_t offset, uint32_t arrivals);
  // Barriers that this warp initialised become visible to copies, and to warps that hear of any arrival.
  void make_visible(const Warp& warp);
  struct Arrival {
    uint32_t arrivals;
    uint64_t bytes;  // that are announced
    bool releases;   // what was done before is known to those who wait
  };
  void arrive(Warp& warp, uint32_t offset, const Arrival& arrival);
  // Whether the phase of this parity is over. If not, a copy may land, and the warp should let others run.
  bool is_over(Warp& warp, uint32_t offset, uint32_t parity);
  // To this block. The issuer counts the bytes that are read, once for all blocks.
  void copy(Warp& warp, uint32_t barrier, const TensorBox& box);
  bool idle() const { return copies_.empty(); }

 private:
  struct Barrier {
    uint32_t expected = 0, missing = 0, phase = 0;
    uint32_t owner = 0, clock = 0, instruction = 0;  // who initialised it, and when
    int64_t bytes = 0;     // announced and not yet landed; negative: landed before they are announced
    bool visible = false;  // to copies
    WarpClocks::Clock arrived,
        over;  // what the arrived warps had done: in this phase, by the end of the last
  };
  struct Copy {
    uint32_t barrier, warp;  // the warp's index in the cluster
    TensorBox box;
  };
  Barrier& at(Warp& warp, uint32_t offset);
  void touch(Warp& warp, uint32_t offset, Access access);
  void complete_if_due(const Warp& warp, uint32_t offset, Barrier& barrier);
  bool land_one(Warp& warp, uint32_t barrier);

  Block& block_;
  std::map<uint32_t, Barrier> barriers_;
  std::vector<Copy> copies_;
  uint64_t fruitless_ = 0;  // polls in a row that found nothing new
};

}  // namespace infcl::emulator
