#include "warpgroup_products_sm90.h"

#include <algorithm>
#include <cstring>

#include "block.h"
#include "cluster.h"
#include "half.h"
#include "memory.h"
#include "tensor_core_sums.h"

namespace infcl::emulator {
namespace {

using Product = WarpgroupProduct;

// A matrix descriptor: the canonical layouts of the 128-byte swizzle, which are all that is modelled.
struct Descriptor {
  uint32_t start, leading, stride;  // bytes

  Descriptor(Warp& warp, uint64_t bits)
      : start(field(bits, 0)), leading(field(bits, 16)), stride(field(bits, 32)) {
    constexpr uint64_t kFields = 0x3fffull | 0x3fffull << 16 | 0x3fffull << 32, kSwizzle128 = 1ull << 62;
    if ((bits & ~kFields) != kSwizzle128)
      warp.fail(Fault::kLaunchFailed, "descriptor of a layout that is not modelled");
    if (start >> 7 & 7) warp.fail(Fault::kLaunchFailed, "matrix does not begin where its swizzle does");
  }
  // Offset of element k of row (or column) i, in the warp's own block: the 14 bits of 16 bytes that name the
  // start have no room for a rank. Along the depth: eights of 128-byte rows, `stride` apart. Along the side:
  // 64 elements in 128 bytes, 64 more `leading` on; a row for each k, eights of rows `stride` apart.
  uint32_t offset(int i, int k, bool along_side) const {
    const auto side = static_cast<uint32_t>(i), depth = static_cast<uint32_t>(k);
    const uint32_t at =
        along_side ? start + side / 64 * leading + side % 64 * 2 + depth / 8 * stride + depth % 8 * 128
                   : start + side / 8 * stride + side % 8 * 128 + depth * 2;
    return offset_in_block(at ^ (at >> 7 & 7) << 4);
  }

 private:
  static uint32_t field(uint64_t bits, int shift) {
    return static_cast<uint32_t>(bits >> shift & 0x3fff) << 4;
  }
};

// `count` rows of an operand from `first` on, as floats [k][row] or, of a, [row][k]: f(i, k, value).
template <class F>
void read_operand(Warp& warp, uint64_t bits, int first, int count, bool along_side, const Product& p, F f) {
  const Descriptor descriptor(warp, bits);
  SharedShadow* shadow = warp.block().shadow();
  for (int i = 0; i < count; i++)
    for (int k = 0; k < Product::kDepth; k++) {
      const uint32_t at = descriptor.offset(first + i, k, along_side);
      const uint8_t* element = shared_pointer(warp, at, 2, 2);
      if (shadow)
        report(warp, shadow->touch(warp.index_in_cluster(), at, 2, Access::kReadThatSettles, p.instruction));
      uint16_t value;
      std::memcpy(&value, element, sizeof value);
      f(i, k, p.bfloat ? bfloat16_to_float(value) : float16_to_float(value));
    }
}

void multiply(Warp& warp, const Product& p, float (&sums)[Product::kRows][Product::kColumns]) {
  float a[Product::kRows][Product::kDepth];
  alignas(64) float b[Product::kDepth][Product::kColumns];
  const int first = static_cast<int>(warp.index() % 4) * Product::kRows;
  read_operand(warp, p.a, first, Product::kRows, p.a_along_side, p,
               [&](int i, int k, float x) { a[i][k] = x; });
  read_operand(warp, p.b, 0, Product::kColumns, p.b_along_side, p,
               [&](int i, int k, float x) { b[k][i] = x; });
  if (!p.accumulate)
    for (auto& row : sums) std::fill(row, row + Product::kColumns, 0.f);
  if (warp.launch().options.truncate) {
    const TruncatedSums<Product::kDepth, Product::kColumns> products(
        b, tensor_core_step(warp.launch().options.sm));
    for (int i = 0; i < Product::kRows; i++) products.add(a[i], sums[i]);
  } else {
    for (int i = 0; i < Product::kRows; i++)
      for (int k = 0; k < Product::kDepth; k++)
        for (int j = 0; j < Product::kColumns; j++) sums[i][j] += a[i][k] * b[k][j];
  }
  warp.statistics().mma += Product::kColumns / 8;
}

// f(register, lane, row, column) of every accumulator.
template <class F>
void for_each_accumulator(const uint32_t* registers, F f) {
  for (int r = 0; r < Product::kAccumulators; r++)
    for (int lane = 0; lane < kWarpSize; lane++)
      f(registers[r], lane, lane / 4 + r / 2 % 2 * 8, r / 4 * 8 + lane % 4 * 2 + r % 2);
}

bool same_registers(const uint32_t* a, const uint32_t* b) {
  return std::equal(a, a + Product::kAccumulators, b);
}

}  // namespace

void WarpgroupOrder::issue(const Warp& warp, size_t count, const Product& p) {
  if (count == issued_.size()) issued_.push_back({p.instruction, p.a, p.b});
  const Issued& first = issued_[count];
  if (first.instruction != p.instruction || first.a != p.a || first.b != p.b)
    warp.fail(Fault::kLaunchFailed, "warps of a warpgroup disagree about a wgmma");
}

void WarpgroupProducts::issue(Warp& warp, const Product& product) {
  warp.block().order_of_warpgroup(warp).issue(warp, issued_++, product);
  if (registers_ && !same_registers(registers_, product.registers))
    warp.fail(Fault::kLaunchFailed, "wgmma with two sets of accumulators under way: not modelled");
  if (!registers_) {
    if (!fenced_) warp.fail(Fault::kLaunchFailed, "wgmma without wgmma.fence before it");
    registers_ = product.registers;
    for_each_accumulator(registers_, [&](uint32_t reg, int lane, int row, int column) {
      float& value = warp.lanes<float>(reg)[lane];
      sums_[row][column] = value;
      std::memset(&value, 0xff, sizeof value);
    });
  }
  pending_.push_back({product, groups_});
}

void WarpgroupProducts::wait(Warp& warp, uint64_t pending_groups) {
  size_t done = 0;
  while (done < pending_.size() && pending_[done].group + pending_groups < groups_)
    multiply(warp, pending_[done++].product, sums_);
  if (WarpClocks* clocks = warp.block().cluster().clocks(); clocks && done > 0)
    clocks->settle(warp.index_in_cluster());
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(done));
  if (registers_ && pending_.empty()) write_back(warp);
}

void WarpgroupProducts::write_back(Warp& warp) {
  for_each_accumulator(registers_, [&](uint32_t reg, int lane, int row, int column) {
    float& value = warp.lanes<float>(reg)[lane];
    const uint32_t bits = bit_cast<uint32_t>(value);
    if (bits != 0xffffffff)
      warp.fail(Fault::kLaunchFailed, "an accumulator of wgmma was written while under way");
    value = sums_[row][column];
  });
  registers_ = nullptr;
  fenced_ = false;
}

}  // namespace infcl::emulator
