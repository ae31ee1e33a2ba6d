// Whole programs: what nvcc makes of C++ against the same C++ compiled for the host; warps and blocks that
// talk.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "check.h"
#include "kernels/both.h"
#include "test_device.h"

using namespace emulator_test;

namespace {

std::vector<uint32_t> random_words(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<uint32_t> out(n);
  for (uint32_t& x : out) x = random();
  return out;
}

struct Arguments {  // as in kernels/program.cu
  CUdeviceptr x, y;
  int count;
  float scale[3];
};

struct Results {
  uint64_t integers;
  int64_t indexed;
  double doubles, library_doubles;
  float floats, library_floats;
  uint32_t dispatched, collatz;
};

bool near(double a, double b, double tolerance) { return std::fabs(a - b) <= tolerance * (1 + std::fabs(b)); }

void check_compute() {
  constexpr int kCount = 1000;
  constexpr uint32_t kTable[] = {2, 3, 5, 7, 11};
  Device device;
  device.load(read_ptx("program"));
  std::vector<uint32_t> x = random_words(kCount, 1), halves = random_words(2 * kCount, 2);
  for (size_t i = 0; i < kCount; i++) x[i] >>= x[i] % 24;
  std::vector<uint64_t> y(kCount);
  std::memcpy(y.data(), halves.data(), kCount * 8);
  Arguments in{device.upload(x), device.upload(y), kCount, {0.37f, -1.7f, 0.01f}};
  CUdeviceptr out = device.buffer<Results>(kCount);
  std::string why = device.launch("compute_kernel", {(kCount + 127) / 128, 128}, {&in, &out});
  CHECK(why.empty(), "%s", why.c_str());
  if (!why.empty()) return;
  std::vector<Results> results = device.download<Results>(out, kCount);
  for (int i = 0; i < kCount; i++) {
    const Results& r = results[static_cast<size_t>(i)];
    const uint32_t u = x[static_cast<size_t>(i)];
    const float a = in.scale[u % 3] * (static_cast<float>(u % 1000) - 500.0f),
                b = static_cast<float>(i % 97) - 40.0f;
    CHECK(r.integers == integers(u, y[static_cast<size_t>(i)]), "integers %d", i);
    CHECK(r.indexed == indexed(u), "indexed %d", i);
    // nvcc contracts a * b + c where the host compiler is told not to
    CHECK(near(r.doubles, exact_doubles(a, b), 1e-12), "doubles %d: %g, not %g", i, r.doubles,
          exact_doubles(a, b));
    CHECK(near(r.floats, exact_floats(a, b), 1e-5), "floats %d: %g, not %g", i, r.floats, exact_floats(a, b));
    CHECK(near(r.library_doubles, library_doubles(a * 1e-2), 1e-13), "library doubles %d", i);
    CHECK(near(r.library_floats, library_floats(a * 1e-2f), 3e-6), "library floats %d: %g, not %g", i,
          r.library_floats, library_floats(a * 1e-2f));
    CHECK(r.dispatched == dispatched(u % 9, u) + kTable[u % 5], "dispatched %d", i);
    CHECK(r.collatz == collatz_steps(u % 1000 + 1, 60), "collatz %d", i);
  }
  CHECK(last_statistic("divergentInstructions") > 0, "no divergence");
  CHECK(last_statistic("localRequests") > 0, "no local memory");
}

// The values that warp_kernel must write for a lane of a warp with these inputs.
std::vector<uint32_t> expected_of_lane(const uint32_t* v, int lane) {
  auto collatz = [](uint32_t n) {
    uint32_t steps = 0;
    for (; n != 1; steps++) n = n % 2 ? 3 * n + 1 : n / 2;
    return steps;
  };
  uint32_t ballot = 0, sum = 0, largest = 0, same = 0, hundreds = 0, any = 0, all = 1;
  for (int l = 0; l < 32; l++) {
    ballot |= uint32_t{v[l] % 3 == 0} << l;
    same |= uint32_t{v[l] % 4 == v[lane] % 4} << l;
    any |= v[l] == 77;
    all &= v[l] < 1000000;
    sum += v[l];
    largest = std::max(largest, v[l]);
    hundreds += v[l] % 100;
  }
  uint32_t talk = 0;
  if (lane % 2)
    for (int d = 16; d > 1; d /= 2) talk += v[lane ^ d];
  else
    for (int d = 8; d > 1; d /= 2) talk ^= v[lane ^ d];
  if (lane % 2 == 0) talk += 0x55555555u;
  const uint32_t x = v[lane];
  const int segment = lane / 8 * 8;
  return {v[lane ^ 5],
          v[lane >= 3 ? lane - 3 : lane],
          v[lane + 7 < 32 ? lane + 7 : lane],
          v[lane * 3 % 32],
          v[lane ^ 2],
          v[lane + 3 < segment + 8 ? lane + 3 : lane],
          ballot,
          any + 2 * all,
          sum + largest,
          same,
          talk,
          collatz(v[(lane + 1) % 32] % 30 + 1),
          hundreds,
          static_cast<uint32_t>(__builtin_popcount(x) + __builtin_clz(x) + __builtin_ctz(x) + 1) +
              (~x >> 8 & 0xff)};
}

void check_warps() {
  constexpr int kWarps = 4;
  Device device;
  device.load(read_ptx("program"));
  std::vector<uint32_t> v = random_words(32 * kWarps, 3);
  for (uint32_t& x : v) x = x % 999 + 1;
  v[40] = 77;
  CUdeviceptr in = device.upload(v), out = device.buffer<uint32_t>(32 * kWarps * 14);
  std::string why = device.launch("warp_kernel", {1, 32 * kWarps}, {&in, &out});
  CHECK(why.empty(), "%s", why.c_str());
  if (!why.empty()) return;
  std::vector<uint32_t> got = device.download<uint32_t>(out, 32 * kWarps * 14);
  for (int w = 0; w < kWarps; w++)
    for (int lane = 0; lane < 32; lane++) {
      std::vector<uint32_t> expected = expected_of_lane(v.data() + w * 32, lane);
      for (int mode = 0; mode < 14; mode++) {
        uint32_t value = got[static_cast<size_t>((w * 14 + mode) * 32 + lane)];
        CHECK(value == expected[static_cast<size_t>(mode)], "mode %d warp %d lane %d: %x, not %x", mode, w,
              lane, value, expected[static_cast<size_t>(mode)]);
      }
    }
}

struct BlockResult {
  uint32_t count, all, any, minimum, sum;
  float float_sum;
  double double_sum;
  uint64_t smallest, large_sum;
  uint32_t swapped, counter, clock_moves;
};

void check_blocks() {
  constexpr uint32_t kBlocks = 3, kThreads = 256;
  Device device;
  device.load(read_ptx("program"));
  std::vector<uint32_t> v = random_words(kBlocks * kThreads, 4);
  for (uint32_t& x : v) x %= 1001;
  std::vector<BlockResult> zero(kBlocks);
  for (BlockResult& r : zero) r.smallest = ~uint64_t{0};
  CUdeviceptr in = device.upload(v), out = device.upload(zero), reversed = device.buffer<uint32_t>(v.size());
  std::string why = device.launch("block_kernel", {kBlocks, kThreads, kThreads * 4}, {&in, &out, &reversed});
  CHECK(why.empty(), "%s", why.c_str());
  if (!why.empty()) return;
  std::vector<BlockResult> results = device.download<BlockResult>(out, kBlocks);
  std::vector<uint32_t> back = device.download<uint32_t>(reversed, v.size());
  for (uint32_t b = 0; b < kBlocks; b++) {
    const uint32_t* x = v.data() + b * kThreads;
    BlockResult e{};
    e.all = 1, e.minimum = ~0u, e.smallest = ~uint64_t{0};
    for (uint32_t t = 0; t < kThreads; t++) {
      e.count += x[t] % 2, e.all &= x[t] < 1000, e.any |= x[t] == v[0], e.sum += x[t];
      e.minimum = std::min(e.minimum, x[t]), e.float_sum += static_cast<float>(x[t] % 16);
      e.smallest = std::min(e.smallest, uint64_t{x[t]} << 20), e.large_sum += uint64_t{x[t]} << 20;
      CHECK(back[b * kThreads + t] == x[kThreads - 1 - t], "reversed %u", t);
    }
    const BlockResult& r = results[b];
    CHECK(r.count == e.count && r.all == e.all && r.any == e.any, "reducing barriers of block %u", b);
    CHECK(r.sum == e.sum && r.minimum == e.minimum, "shared memory of block %u", b);
    CHECK(r.float_sum == e.float_sum && r.double_sum == 0.5 * e.float_sum, "sums of block %u", b);
    CHECK(r.smallest == e.smallest && r.large_sum == e.large_sum, "64-bit atomics of block %u", b);
    CHECK(r.swapped > 0 && r.swapped <= kThreads, "compare and swap: %u", r.swapped);
    CHECK(r.counter == 7 && r.clock_moves == 1, "globals and the clock");
  }
  CHECK(last_statistic("barriers") == kBlocks * (8 * 4 + 2), "%g barriers", last_statistic("barriers"));
}

}  // namespace

int main() {
  check_compute();
  check_warps();
  check_blocks();
  for (const char* mode : {"INFCL_EMULATOR_RACE", "INFCL_EMULATOR_CHECK"}) {
    Setting setting(mode, "1");
    check_warps();
    check_blocks();
  }
  return check::summary();
}
