# The one list of native sources. binding.gyp repeats it for node-gyp; a test compares the two.
set(INFCL_CORE_SOURCES
  csrc/core/anchors.cpp
  csrc/core/class_sizes.cpp
  csrc/core/contrastive.cpp
  csrc/core/float_range.cpp
  csrc/core/lap_args.cpp
  csrc/core/loss_error.cpp
  csrc/core/objective.cpp
  csrc/core/plan.cpp
  csrc/core/settings.cpp
  csrc/comm/single.cpp
  csrc/cpu/call_cost.cpp
  csrc/cpu/cell_edits.cpp
  csrc/cpu/cgroup_quota.cpp
  csrc/cpu/cpu_backend.cpp
  csrc/cpu/cpu_backend_differentiate.cpp
  csrc/cpu/cpu_backend_fold.cpp
  csrc/cpu/cpu_backend_laps.cpp
  csrc/cpu/cpu_backend_operands.cpp
  csrc/cpu/cpu_features.cpp
  csrc/cpu/cpu_planner.cpp
  csrc/cpu/isa_dispatch.cpp
  csrc/cpu/kept_cells.cpp
  csrc/cpu/layout.cpp
  csrc/cpu/logit_factors.cpp
  csrc/cpu/thread_pool.cpp
  csrc/cpu/usable_threads.cpp
  csrc/cpu/workspace.cpp
  csrc/cpu/kernels_scalar.cpp
)
# One of the two: the CUDA backend where nvcc is, its stand-in elsewhere and in node-gyp's build.
set(INFCL_NO_CUDA_SOURCES cuda/no_cuda.cpp)
set(INFCL_CUDA_SOURCES
  cuda/cuda_backend.cpp
  cuda/cuda_backend_differentiate.cpp
  cuda/cuda_backend_fold.cpp
  cuda/cuda_backend_pairs.cpp
  cuda/cuda_backend_rules.cpp
  cuda/cuda_planner.cpp
  cuda/device.cpp
  cuda/device_memory.cpp
  cuda/device_storage.cpp
  cuda/driver.cpp
  cuda/factory.cpp
  cuda/image_targets.cpp
  cuda/kernels.cpp
  cuda/lap_vectors.cpp
  cuda/memory_cache.cpp
  cuda/planner.cpp
  cuda/resident_store.cpp
  cuda/shard_store.cpp
  cuda/shards.cpp
  cuda/staging.cpp
  cuda/tensor_maps.cpp
  cuda/transport.cpp
)
set(INFCL_AVX2_SOURCES csrc/cpu/kernels_avx2.cpp)
set(INFCL_AVX512_SOURCES csrc/cpu/kernels_avx512.cpp)
set(INFCL_AVX512BF16_SOURCES csrc/cpu/kernels_avx512bf16.cpp)
set(INFCL_AVX2_FLAGS -mavx2 -mfma)
# GCC 12 warns about its own intrinsics header (PR 105593), hence the last one.
set(INFCL_AVX512_FLAGS -mavx512f -mavx512bw -mavx512vl -mavx512dq -mprefer-vector-width=512 -Wno-maybe-uninitialized -Wno-uninitialized)
set(INFCL_AVX512BF16_FLAGS ${INFCL_AVX512_FLAGS} -mavx512bf16)
