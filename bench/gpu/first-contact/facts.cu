// Facts of a chip that the kernels, their tests' bounds and the emulator assume: where shared memory lies in
// a cluster, how tensor cores add, and what signals between blocks cost. Prints one line a fact. A program of
// its own, so that a fault here is no fault of the library.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

void require(cudaError_t result, const char* what) {
  if (result == cudaSuccess) return;
  std::printf("facts: %s: %s\n", what, cudaGetErrorString(result));
  std::exit(1);
}

// ---- how tensor cores add

// Row 0 of A: `count` elements, each `value` at column `k`; B is all ones, so element (0, 0) of the product
// is their sum.
struct Row {
  float accumulator;
  int count;
  int k[3];
  float value[3];
};

__device__ uint32_t bfloat16_bits(float x) { return __float_as_uint(x) >> 16; }

// The two elements of A that a lane holds at `first` and `first + 1` of row `lane / 4`.
__device__ uint32_t pair_of(const Row& row, int first) {
  uint32_t pair = 0;
  if (threadIdx.x / 4 == 0)
    for (int i = 0; i < row.count; ++i)
      if (row.k[i] / 2 * 2 == first) pair |= bfloat16_bits(row.value[i]) << (row.k[i] % 2 * 16);
  return pair;
}

constexpr uint32_t kOnes = 0x3f803f80;  // two ones in bfloat16

__global__ void add_by_mma(Row row, float* sum) {
  const int first = threadIdx.x % 4 * 2;
  const uint32_t low = pair_of(row, first), high = pair_of(row, first + 8), zero = 0;
  float d[4] = {row.accumulator, row.accumulator, row.accumulator, row.accumulator};
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %8}, "
      "{%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(low), "r"(zero), "r"(high), "r"(zero), "r"(kOnes));
  if (threadIdx.x == 0) *sum = d[0];
}

// The same by the instructions of Hopper. Shared memory is all ones, so any layout of B gives ones.
__global__ void add_by_wgmma(Row row, float* sum) {
#if __CUDA_ARCH_FEAT_SM90_ALL
  __shared__ alignas(1024) uint32_t ones[1024];
  for (int i = threadIdx.x; i < 1024; i += blockDim.x) ones[i] = kOnes;
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  __syncthreads();
  const uint64_t start = (static_cast<uint32_t>(__cvta_generic_to_shared(ones)) & 0x3ffff) >> 4;
  const uint64_t descriptor = start | uint64_t{128 >> 4} << 16 | uint64_t{256 >> 4} << 32;
  const int first = threadIdx.x % 4 * 2;
  const uint32_t low = pair_of(row, first), high = pair_of(row, first + 8), zero = 0;
  float d[4] = {row.accumulator, row.accumulator, row.accumulator, row.accumulator};
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
  asm volatile(
      "{.reg .pred add;\nsetp.eq.u32 add, 0, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%0, %1, %2, %3}, {%4, %5, %6, %7}, %8, add, 1, "
      "1, 0;}"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(low), "r"(zero), "r"(high), "r"(zero), "l"(descriptor));
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
  asm volatile("wgmma.wait_group.sync.aligned 0;" : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])::"memory");
  if (threadIdx.x == 0) *sum = d[0];
#endif
}

struct Adder {
  const char* name;
  void (*kernel)(Row, float*);
  int threads;

  float operator()(const Row& row) const {
    static float* sum = nullptr;
    if (!sum) require(cudaMalloc(&sum, sizeof *sum), "cudaMalloc");
    kernel<<<1, threads>>>(row, sum);
    float result = 0;
    require(cudaMemcpy(&result, sum, sizeof result, cudaMemcpyDeviceToHost), name);
    return result;
  }
};

constexpr int kMostBits = 60;
float power(int exponent) { return std::ldexp(1.0f, exponent); }

// The sum (one + small) - one keeps `small` only where the adder keeps its bit while the numbers are aligned.
template <class MakeRow>
int last_bit_kept(const Adder& add, MakeRow row) {
  int bit = 0;
  while (bit < kMostBits && add(row(power(-bit - 1))) != 0) ++bit;
  return bit;
}

void print_adder(const Adder& add) {
  const float ulp = power(-23);
  const float up = add({1, 1, {0}, {1.5f * power(-24)}}), down = add({-1, 1, {0}, {-1.5f * power(-24)}});
  const char* rule = up == 1 && down == -1           ? "truncates towards zero"
                     : up == 1 + ulp && down == -up  ? "rounds to nearest"
                     : up == 1 && down == -(1 + ulp) ? "rounds down"
                                                     : "rounds in some other way";
  std::printf("fact: %s: a sum %s (1 + 1.5 * 2^-24 gives %.9g, the negative %.9g)\n", add.name, rule, up,
              down);
  const int product = last_bit_kept(add, [](float x) { return Row{0, 3, {0, 1, 2}, {1, -1, x}}; });
  const int accumulator = last_bit_kept(add, [](float x) { return Row{1, 2, {0, 1}, {-1, x}}; });
  std::printf(
      "fact: %s: below a product of 1 bits down to 2^-%d count, below an accumulator of 1 down to 2^-%d (%d, "
      "%d extra)\n",
      add.name, product, accumulator, product - 23, accumulator - 23);
  int step = 2;  // a product of another step is not aligned with the ones, which are gone by then
  while (step < 16 && add({0, 3, {0, 1, step}, {1, -1, power(-kMostBits)}}) == 0) ++step;
  std::printf("fact: %s: adds %s%d products at a time\n", add.name, step == 16 ? "at least " : "", step);
}

// ---- clusters

[[maybe_unused]] constexpr int kBatch = 64, kBatches = 8;
constexpr int kWarps = 8;
enum Signal { kNothing, kFence, kReleaseArrive, kPlainArrive, kSignals };
constexpr const char* kSignalNames[] = {"empty loop", "fence.acq_rel.gpu", "remote arrive .release.cluster",
                                        "remote arrive, plain"};

struct ClusterFacts {
  uint32_t start[2];  // of a block's dynamic shared memory
  uint32_t peer[2];   // the same place of the other block, by mapa
  long long clocks[kSignals][kWarps];
};

template <int kSignal>
__device__ void signal(uint32_t barrier) {
#if __CUDA_ARCH__ >= 900
  if (kSignal == kFence) asm volatile("fence.acq_rel.gpu;" ::: "memory");
  if (kSignal == kReleaseArrive)
    asm volatile("mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%0];" ::"r"(barrier) : "memory");
  if (kSignal == kPlainArrive)
    asm volatile("mbarrier.arrive.shared::cluster.b64 _, [%0];" ::"r"(barrier) : "memory");
#endif
}

// Clocks of one signal, of the fastest batch. One lane of every warp signals, as in the main loop of Hopper's
// kernels.
template <int kSignal>
__device__ long long clocks_of(uint32_t barrier) {
  long long best = 1ll << 40;
  for (int batch = 0; batch < kBatches; ++batch) {
    const long long begun = clock64();
    for (int i = 0; i < kBatch; ++i) signal<kSignal>(barrier);
    best = min(best, clock64() - begun);
  }
  return best / kBatch;
}

[[maybe_unused]] __device__ void cluster_barrier() {
#if __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
#endif
}

__global__ void ask_cluster(ClusterFacts* facts) {
#if __CUDA_ARCH__ >= 900
  extern __shared__ uint64_t dynamic[];  // the first is what is asked for its address, the second a barrier
  const uint32_t start = static_cast<uint32_t>(__cvta_generic_to_shared(dynamic));
  const uint32_t own = static_cast<uint32_t>(__cvta_generic_to_shared(dynamic + 1));
  uint32_t rank, peer, theirs;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(peer) : "r"(start), "r"(rank ^ 1));
  asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(theirs) : "r"(own), "r"(rank ^ 1));
  if (threadIdx.x == 0) {
    facts->start[rank] = start;
    facts->peer[rank] = peer;
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(own),
                 "r"(1 << 19));  // more arrivals than ever come
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  __syncthreads();
  cluster_barrier();
  if (threadIdx.x % 32 == 0) {
    const int warp = threadIdx.x / 32;
    const long long clocks[kSignals] = {clocks_of<kNothing>(theirs), clocks_of<kFence>(theirs),
                                        clocks_of<kReleaseArrive>(theirs), clocks_of<kPlainArrive>(theirs)};
    if (rank == 0)
      for (int s = 0; s < kSignals; ++s) facts->clocks[s][warp] = clocks[s];
  }
  __syncwarp();
  cluster_barrier();  // no block leaves while the other signals it
#endif
}

void print_cluster() {
  ClusterFacts* on_device = nullptr;
  require(cudaMalloc(&on_device, sizeof *on_device), "cudaMalloc");
  cudaLaunchAttribute pair{};
  pair.id = cudaLaunchAttributeClusterDimension;
  pair.val.clusterDim.x = 2;
  pair.val.clusterDim.y = pair.val.clusterDim.z = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = 2;
  config.blockDim = 32 * kWarps;
  config.dynamicSmemBytes = 4096;
  config.attrs = &pair;
  config.numAttrs = 1;
  require(cudaLaunchKernelEx(&config, ask_cluster, on_device), "a cluster of two");
  ClusterFacts facts{};
  require(cudaMemcpy(&facts, on_device, sizeof facts, cudaMemcpyDeviceToHost), "a cluster of two");
  for (int rank = 0; rank < 2; ++rank)
    std::printf("fact: shared memory of rank %d: rank byte %u, offset 0x%06x; mapa of the other: 0x%08x\n",
                rank, facts.start[rank] >> 24, facts.start[rank] & 0xffffff, facts.peer[rank]);
  for (int s = 0; s < kSignals; ++s) {
    const auto [least, most] = std::minmax_element(facts.clocks[s], facts.clocks[s] + kWarps);
    std::printf("fact: %-32s %lld to %lld clocks each, %d warps at once\n", kSignalNames[s], *least, *most,
                kWarps);
  }
}

}  // namespace

int main() {
  cudaDeviceProp card{};
  require(cudaGetDeviceProperties(&card, 0), "no device");
  std::printf(
      "fact: %s, capability %d.%d, %d multiprocessors, %zu MiB, L2 %d MiB, shared memory of a block %zu "
      "KiB\n",
      card.name, card.major, card.minor, card.multiProcessorCount, card.totalGlobalMem >> 20,
      card.l2CacheSize >> 20, card.sharedMemPerBlockOptin >> 10);
  print_adder({"mma", add_by_mma, 32});
  if (card.major == 9) print_adder({"wgmma", add_by_wgmma, 128});
  if (card.major >= 9) print_cluster();
  require(cudaDeviceSynchronize(), "at the end");
  return 0;
}
