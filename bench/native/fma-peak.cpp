// The ceiling: how many float32 multiply-adds the cores of this machine do, measured and not looked up.
// Enough independent accumulators hide the latency, and nothing touches memory. Exit status 3: the processor
// lacks the instruction set.
//
//   fma-peak avx512|avx2 threads
//       prints the GFLOP/s of all threads together, the best of several short rounds
//   fma-peak avx512|avx2 threads gflop
//       prints "ready" once; then, for each line read from stdin, does that much work and prints the seconds.
//       This shows the speed that the cores sustain beside another job.
#include <immintrin.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "multiply_adds.h"

namespace {

constexpr long kSteps = 1500000;     // about 20 ms a round
constexpr long kPieceSteps = 30000;  // sustained work that a thread takes at a time: about 0.4 ms
constexpr int kRounds = 25;

constexpr int kChains256 = 12;  // with two operands, these fill the 16 registers of AVX2

__attribute__((target("avx512f"))) float chains_avx512(long steps) {
  __m512 sum[kChains512];
  for (__m512& s : sum) s = _mm512_setzero_ps();
  multiply_add(sum, steps);
  for (int c = 1; c < kChains512; ++c) sum[0] = _mm512_add_ps(sum[0], sum[c]);
  float lanes[16];
  _mm512_storeu_ps(lanes, sum[0]);
  return lanes[0] + lanes[15];
}

__attribute__((target("avx2,fma"))) float chains_avx2(long steps) {
  __m256 sum[kChains256], x = _mm256_set1_ps(1e-3f), y = _mm256_set1_ps(1e-3f);
  for (__m256& s : sum) s = _mm256_setzero_ps();
  for (long step = 0; step < 2 * steps; ++step) {
    asm volatile("" : "+x"(x), "+x"(y));
#pragma GCC unroll 12
    for (int c = 0; c < kChains256; ++c) sum[c] = _mm256_fmadd_ps(x, y, sum[c]);
  }
  for (int c = 1; c < kChains256; ++c) sum[0] = _mm256_add_ps(sum[0], sum[c]);
  float lanes[8];
  _mm256_storeu_ps(lanes, sum[0]);
  return lanes[0] + lanes[7];
}

struct Probe {
  float (*chains)(long steps);
  double flops;  // of one step
};

// GFLOP/s of all threads, which start together.
double one_round(const Probe& probe, int threads) {
  using Clock = std::chrono::steady_clock;
  std::atomic<int> ready{0};
  std::vector<double> seconds(threads);
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t)
    pool.emplace_back([&, t] {
      ready.fetch_add(1);
      while (ready.load() < threads) {
      }
      const auto start = Clock::now();
      volatile float sink = probe.chains(kSteps);
      (void)sink;
      seconds[t] = std::chrono::duration<double>(Clock::now() - start).count();
    });
  for (std::thread& t : pool) t.join();
  double rate = 0;
  for (double s : seconds) rate += probe.flops * kSteps / s;
  return rate / 1e9;
}

// Threads take pieces of work until none is left, so an interrupted thread does not delay the others.
double sustained_seconds(const Probe& probe, int threads, double gflop) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  std::atomic<long> left{static_cast<long>(gflop * 1e9 / (probe.flops * kPieceSteps))};
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t)
    pool.emplace_back([&] {
      while (left.fetch_sub(1) > 0) {
        volatile float sink = probe.chains(kPieceSteps);
        (void)sink;
      }
    });
  for (std::thread& t : pool) t.join();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::fprintf(stderr, "usage: fma-peak avx512|avx2 threads [gflop]\n");
    return 2;
  }
  Probe probe;
  if (!std::strcmp(argv[1], "avx512") && __builtin_cpu_supports("avx512f")) {
    probe = {chains_avx512, 2. * 16 * kChains512};
  } else if (!std::strcmp(argv[1], "avx2") && __builtin_cpu_supports("avx2") &&
             __builtin_cpu_supports("fma")) {
    probe = {chains_avx2, 2. * 8 * kChains256 * 2};
  } else {
    return 3;
  }
  const int threads = std::max(1, std::atoi(argv[2]));
  if (argc == 4) {
    std::printf("ready\n");
    std::fflush(stdout);
    for (int c = std::getchar(); c != EOF; c = std::getchar()) {
      if (c != '\n') continue;
      std::printf("%.9f\n", sustained_seconds(probe, threads, std::atof(argv[3])));
      std::fflush(stdout);
    }
    return 0;
  }
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const double rate = one_round(probe, threads);
    best = rate > best ? rate : best;
  }
  std::printf("%.2f\n", best);
  return 0;
}
