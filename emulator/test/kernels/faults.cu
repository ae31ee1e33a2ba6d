// Programs that are wrong, one mistake each, named by `mistake`; 0 is none.
#include <cstdint>

namespace {

__device__ uint32_t shared_address(const void* p) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}

__device__ void copy_async(void* to, const void* from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared_address(to)), "l"(from) : "memory");
}

}  // namespace

// Reads and writes of 256 floats by 64 threads of a block.
extern "C" __global__ void memory_kernel(int mistake, const float* in, float* out) {
  __shared__ __align__(16) float buffer[256];
  extern __shared__ float dynamic[];
  const int t = threadIdx.x;
  buffer[t * 4] = in[t];
  if (mistake == 1) out[0] = in[t < 63 ? t : 256];  // one past the end
  if (mistake == 2) out[256] = 1;
  if (mistake == 3) *reinterpret_cast<float*>(reinterpret_cast<char*>(out) + 2) = 1;
  if (mistake == 4) *reinterpret_cast<float4*>(out + 1) = make_float4(0, 1, 2, 3);
  if (mistake == 5) dynamic[t] = 1;  // the launch gave none
  if (mistake == 6) *reinterpret_cast<volatile float*>(static_cast<uintptr_t>(t)) = 1;
  if (mistake == 7) out[t] = out[t] + 1;         // never written
  if (mistake == 8) out[t] = buffer[t * 4 + 1];  // never written
  if (mistake == 9) out[-1] = 1;
  if (mistake == 10) __trap();
  if (mistake == 11) {
    float local[4];
    for (int i = 0; i < 4; i++) local[i] = in[i];
    asm volatile("" ::: "memory");
    const float* volatile far = local;
    out[0] = far[4096 + t];
  }
  if (mistake == 0) out[t] = buffer[t * 4];
}

// 64 threads reverse 64 floats through shared memory.
extern "C" __global__ void race_kernel(int mistake, const float* in, float* out) {
  __shared__ __align__(16) float buffer[2][64];
  const int t = threadIdx.x;
  buffer[0][t] = in[t];  // first write
  if (mistake != 1) __syncthreads();
  float v = buffer[0][63 - t];  // first read
  if (mistake == 2) __syncthreads();
  if (mistake == 2 || mistake == 3) buffer[0][t] = v + 1;  // 3: others may not have read yet
  if (mistake == 4 && t % 32 == 0) buffer[1][0] = v;       // two warps write one place
  if (mistake == 5) asm volatile("bar.sync 1, 64;" ::: "memory");
  if (mistake == 5 || mistake == 6) {
    if (t >= 32) {  // a named barrier between producer and consumer
      buffer[1][t] = v;
      if (mistake == 5) asm volatile("bar.arrive 2, 64;" ::: "memory");
    } else {
      if (mistake == 5) asm volatile("bar.sync 2, 64;" ::: "memory");
      v = buffer[1][t + 32];
    }
  }
  if (mistake == 7) atomicAdd(&buffer[1][0], 1.0f);  // all atomic, but never set first
  out[t] = v;
}

// 64 threads copy 256 floats through two stages of cp.async.
extern "C" __global__ void copy_kernel(int mistake, const float* in, float* out) {
  __shared__ __align__(16) float buffer[2][256];
  const int t = threadIdx.x;
  copy_async(&buffer[0][t * 4], in + t * 4);
  asm volatile("cp.async.commit_group;" ::: "memory");
  copy_async(&buffer[1][t * 4], in + t * 4);
  asm volatile("cp.async.commit_group;" ::: "memory");
  if (mistake == 0 || mistake == 3) asm volatile("cp.async.wait_group 1;" ::: "memory");
  if (mistake == 2) asm volatile("cp.async.wait_group 2;" ::: "memory");
  if (mistake != 3) __syncthreads();
  for (int i = 0; i < 4; i++) out[i * 64 + t] = buffer[0][i * 64 + t];
  asm volatile("cp.async.wait_all;" ::: "memory");
  if (mistake != 4) __syncthreads();
  for (int i = 0; i < 4; i++) out[256 + i * 64 + t] = buffer[1][i * 64 + t];
}

// 64 threads meet, or fail to.
extern "C" __global__ void barrier_kernel(int mistake, int* out) {
  const int t = threadIdx.x;
  if (mistake == 1 && t >= 32) return;  // a warp that never comes
  if (mistake == 2 && t >= 32)
    asm volatile("bar.sync 3, 64;" ::: "memory");
  else
    __syncthreads();  // meeting
  if (mistake == 3) {
    if (t % 2)
      __syncthreads();
    else
      out[t] = 1, __syncthreads();  // another place
  }
  if (mistake == 4) {
    int count = t < 32 ? 64 : 32;
    asm volatile("bar.sync 1, %0;" ::"r"(count) : "memory");
  }
  if (mistake == 5 && t < 16) out[t] = __shfl_xor_sync(~0u, t, 1);  // half a warp, a full mask
  if (mistake == 6 && t < 16) {
    float c[4] = {};
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %4, %4, %4}, {%4, %4}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(t));
    out[t] = static_cast<int>(c[0]);
  }
  if (mistake == 7 && t % 32 == 5) return;
  if (mistake == 7) out[t] = __shfl_xor_sync(~0u, t, 1);  // a lane has exited
  if (mistake == 0) out[t] = t;
}

// Blocks of 32 threads that write beside each other, or into each other.
extern "C" __global__ void blocks_kernel(int mistake, int* out) {
  const int i = blockIdx.x * 32 + threadIdx.x;
  if (mistake == 1) out[threadIdx.x] = i;
  if (mistake == 2) out[i] = blockIdx.x ? out[i - 32] : 0;
  if (mistake == 3) atomicAdd(out, 1);                                         // right
  if (mistake == 0) reinterpret_cast<short*>(out)[i] = static_cast<short>(i);  // half words of one word
}
