// Programs of many threads: what the compiler makes of plain C++, and warps that talk.
#include "both.h"

struct Arguments {
  const uint32_t* x;
  const uint64_t* y;
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

__constant__ uint32_t table[5] = {2, 3, 5, 7, 11};
__device__ uint32_t counter = 7;

extern "C" __global__ void compute_kernel(Arguments in, Results* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= in.count) return;
  const uint32_t x = in.x[i];
  const float a = in.scale[x % 3] * (static_cast<float>(x % 1000) - 500.0f),
              b = static_cast<float>(i % 97) - 40.0f;
  Results r;
  r.integers = integers(x, in.y[i]);
  r.indexed = indexed(x);
  r.doubles = exact_doubles(a, b);
  r.library_doubles = library_doubles(a * 1e-2);
  r.floats = exact_floats(a, b);
  r.library_floats = library_floats(a * 1e-2f);
  r.dispatched = dispatched(x % 9, x) + table[x % 5];
  r.collatz = collatz_steps(x % 1000 + 1, 60);
  out[i] = r;
}

// For each warp and mode, what the lanes say to each other.
extern "C" __global__ void warp_kernel(const uint32_t* in, uint32_t* out) {
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  uint32_t* row = out + warp * 32 * 14 + lane;
  const uint32_t v = in[threadIdx.x];
  row[0 * 32] = __shfl_xor_sync(~0u, v, 5);
  row[1 * 32] = __shfl_up_sync(~0u, v, 3);
  row[2 * 32] = __shfl_down_sync(~0u, v, 7);
  row[3 * 32] = __shfl_sync(~0u, v, lane * 3);
  row[4 * 32] = __shfl_xor_sync(~0u, v, 2, 4);
  row[5 * 32] = __shfl_down_sync(~0u, v, 3, 8);
  row[6 * 32] = __ballot_sync(~0u, v % 3 == 0);
  row[7 * 32] = __any_sync(~0u, v == 77) + 2 * __all_sync(~0u, v < 1000000);
  row[8 * 32] = __reduce_add_sync(~0u, v) + __reduce_max_sync(~0u, v);
  row[9 * 32] = __match_any_sync(~0u, v % 4);
  uint32_t sum = 0;
  if (lane % 2) {  // both halves diverge, each talks among its own
    for (int d = 16; d > 1; d /= 2) sum += __shfl_xor_sync(0xaaaaaaaau, v, d);
  } else {
    for (int d = 8; d > 1; d /= 2) sum ^= __shfl_xor_sync(0x55555555u, v, d);
    sum += __activemask();
  }
  __syncwarp();
  row[10 * 32] = sum;
  uint32_t steps = 0;
  for (uint32_t n = v % 30 + 1; n != 1; n = n % 2 ? 3 * n + 1 : n / 2) steps++;
  row[11 * 32] = __shfl_sync(~0u, steps, (lane + 1) % 32);  // reconverged after a divergent loop
  float f = static_cast<float>(v % 100);
  for (int d = 16; d; d /= 2) f += __shfl_xor_sync(~0u, f, d);
  row[12 * 32] = static_cast<uint32_t>(f);
  row[13 * 32] = __popc(v) + __clz(v) + __ffs(v) + (__byte_perm(v, ~v, 0x3715) & 0xff);
}

struct BlockResult {
  uint32_t count, all, any, minimum, sum;
  float float_sum;
  double double_sum;
  unsigned long long smallest, large_sum;
  uint32_t swapped, counter, clock_moves;
};

// Barriers of every kind, atomics in both memories, static and dynamic shared memory.
extern "C" __global__ void block_kernel(const uint32_t* in, BlockResult* out, uint32_t* reversed) {
  extern __shared__ uint32_t dynamic[];
  __shared__ uint32_t partial[8];
  __shared__ uint32_t minimum;
  const unsigned t = threadIdx.x, n = blockDim.x;
  const uint32_t v = in[blockIdx.x * n + t];
  if (t == 0) minimum = ~0u;
  dynamic[t] = v;
  const long long begin = clock64();
  const int count = __syncthreads_count(v % 2);
  const int all = __syncthreads_and(v < 1000), any = __syncthreads_or(v == in[0]);
  reversed[blockIdx.x * n + t] = dynamic[n - 1 - t];
  atomicMin(&minimum, v);
  uint32_t s = __reduce_add_sync(~0u, v);
  if (t % 32 == 0) partial[t / 32] = s;
  if (t < 64) asm volatile("bar.sync 1, 64;" ::: "memory");
  __syncthreads();
  BlockResult* r = out + blockIdx.x;
  if (t == 0) {
    uint32_t sum = 0;
    for (unsigned w = 0; w < n / 32; w++) sum += partial[w];
    r->count = count, r->all = all, r->any = any, r->sum = sum, r->minimum = minimum;
    r->clock_moves = clock64() > begin;
    r->counter = counter;
  }
  atomicAdd(&r->float_sum, static_cast<float>(v % 16));
  atomicAdd(&r->double_sum, 0.5 * (v % 16));
  atomicMin(&r->smallest, static_cast<unsigned long long>(v) << 20);
  atomicAdd(&r->large_sum, static_cast<unsigned long long>(v) << 20);
  atomicCAS(&r->swapped, t, t + 1);  // in order of lanes, but not of warps
}
