# The one list of native sources. binding.gyp repeats the list for node-gyp; a test compares the two.
set(INFCL_CORE_SOURCES
  csrc/comm/thread_ring.cpp
  csrc/core/agreement.cpp
  csrc/core/backends.cpp
  csrc/core/class_sizes.cpp
  csrc/core/column_groups.cpp
  csrc/core/engine.cpp
  csrc/core/engine_ranks.cpp
  csrc/core/float_range.cpp
  csrc/core/guest.cpp
  csrc/core/guide.cpp
  csrc/core/hard_negatives.cpp
  csrc/core/loss_classes.cpp
  csrc/core/loss_labelled.cpp
  csrc/core/loss_listed.cpp
  csrc/core/loss_queries.cpp
  csrc/core/loss_sigmoid.cpp
  csrc/core/loss_state.cpp
  csrc/core/make_problem.cpp
  csrc/core/objective.cpp
  csrc/core/pass_args.cpp
  csrc/core/plan.cpp
  csrc/core/ranks.cpp
  csrc/core/refinement.cpp
  csrc/core/ring_backend.cpp
  csrc/core/ring_round.cpp
  csrc/core/search.cpp
  csrc/core/settings.cpp
  csrc/core/teacher.cpp
  csrc/cpu/call_cost.cpp
  csrc/cpu/auxiliary.cpp
  csrc/cpu/call_time.cpp
  csrc/cpu/tile_edits.cpp
  csrc/cpu/backend.cpp
  csrc/cpu/backends.cpp
  csrc/cpu/best_columns.cpp
  csrc/cpu/differentiate.cpp
  csrc/cpu/fold.cpp
  csrc/cpu/traverse.cpp
  csrc/cpu/operands.cpp
  csrc/cpu/cpu_features.cpp
  csrc/cpu/planner.cpp
  csrc/cpu/kernel_times.cpp
  csrc/cpu/isa_dispatch.cpp
  csrc/cpu/kept_tiles.cpp
  csrc/cpu/plan.cpp
  csrc/cpu/gradient_factors.cpp
  csrc/cpu/search_ranks.cpp
  csrc/cpu/search_top_k.cpp
  csrc/cpu/teacher_tile.cpp
  csrc/cpu/thread_pool.cpp
  csrc/cpu/tile_order.cpp
  csrc/cpu/usable_threads.cpp
  csrc/cpu/workspace.cpp
  csrc/cpu/kernels/table_scalar.cpp
  csrc/store/mapping.cpp
  csrc/core/field_agreement.cpp
  csrc/comm/collectives.cpp
  csrc/comm/mpi/enquiry.cpp
  csrc/comm/mpi/find.cpp
  csrc/comm/mpi/group.cpp
  csrc/comm/mpi/group_communicator.cpp
  csrc/comm/mpi/group_departure.cpp
  csrc/comm/mpi/group_thread.cpp
  csrc/comm/mpi/launcher.cpp
  csrc/comm/mpi/notices.cpp
  csrc/comm/mpi/pieces.cpp
)
# Portable files round each product. arm64 has a fused multiply-add, and a compiler would use it in some loops and not in
# others. But kernels must repeat each other's bits: the loss compares dots of pair_dots with dots of scores.
set(INFCL_CORE_FLAGS -ffp-contract=off)
# What differs between operating systems. A build takes the list of its system, named as CMake names the system.
set(INFCL_LINUX_SOURCES
  csrc/cpu/cgroup_quota.cpp
  csrc/cpu/pages_posix.cpp
  csrc/cpu/processor_limits_linux.cpp
  csrc/store/file_posix.cpp
  csrc/comm/mpi/library_posix.cpp
  csrc/comm/mpi/library_names_linux.cpp
)
set(INFCL_WINDOWS_SOURCES
  csrc/cpu/pages_win32.cpp
  csrc/cpu/processor_limits_win32.cpp
  csrc/store/file_win32.cpp
  csrc/comm/mpi/no_library_win32.cpp
)
set(INFCL_DARWIN_SOURCES
  csrc/cpu/pages_posix.cpp
  csrc/cpu/processor_limits_darwin.cpp
  csrc/store/file_posix.cpp
  csrc/comm/mpi/library_posix.cpp
  csrc/comm/mpi/library_names_darwin.cpp
)
# The same for the addon, which takes all other files of csrc/binding. Names of files for some systems end so.
set(INFCL_SYSTEM_FILES "_(posix|win32)\\.cpp$")
set(INFCL_LINUX_BINDING_SOURCES csrc/binding/process_symbol_posix.cpp)
set(INFCL_WINDOWS_BINDING_SOURCES csrc/binding/process_symbol_win32.cpp)
set(INFCL_DARWIN_BINDING_SOURCES csrc/binding/process_symbol_posix.cpp)
# A build takes one of the next two lists: the CUDA backend where nvcc is found, its stand-in elsewhere and
# with node-gyp.
set(INFCL_NO_CUDA_SOURCES cuda/no_cuda.cpp)
# The stand-in tells users why, in a file for each system. musl is for binaries alone: CMake cannot tell the C library.
set(INFCL_LINUX_NO_CUDA_SOURCES cuda/no_cuda_linux.cpp)
set(INFCL_MUSL_NO_CUDA_SOURCES cuda/no_cuda_musl.cpp)
set(INFCL_WINDOWS_NO_CUDA_SOURCES cuda/no_cuda_win32.cpp)
set(INFCL_DARWIN_NO_CUDA_SOURCES cuda/no_cuda_darwin.cpp)
set(INFCL_CUDA_SOURCES
  cuda/backend.cpp
  cuda/differentiate.cpp
  cuda/fold.cpp
  cuda/pairs.cpp
  cuda/mask.cpp
  cuda/planner.cpp
  cuda/driver/device.cpp
  cuda/driver/memory.cpp
  cuda/driver/device_storage.cpp
  cuda/driver/driver.cpp
  cuda/backends.cpp
  cuda/image_targets.cpp
  cuda/launcher.cpp
  cuda/pass_vectors.cpp
  cuda/driver/memory_cache.cpp
  cuda/plan.cpp
  cuda/operands/resident_store.cpp
  cuda/operands/slab_store.cpp
  cuda/operands/slabs.cpp
  cuda/operands/pinned_staging.cpp
  cuda/tensor_maps.cpp
  cuda/operands/feature_copies.cpp
)
# What differs between processor families: how to ask the processor for its features. arm64 needs the help of the system.
set(INFCL_X64_SOURCES csrc/cpu/cpu_features_x64.cpp)
set(INFCL_ARM64_LINUX_SOURCES csrc/cpu/cpu_features_arm64_linux.cpp)
set(INFCL_ARM64_DARWIN_SOURCES csrc/cpu/cpu_features_arm64_darwin.cpp)
set(INFCL_ARM64_WINDOWS_SOURCES csrc/cpu/cpu_features_none.cpp)
set(INFCL_OTHER_SOURCES csrc/cpu/cpu_features_none.cpp)
# Which of these lists the build takes (INFCL_SYSTEM is LINUX, WINDOWS or DARWIN), and the instruction sets beyond the
# scalar fallback that the processor family has, slowest first. Each has a list of sources, and a list of flags where it
# needs any. csrc/cpu/kernels/table.h lists the same names for the program.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(INFCL_PROCESSOR X64)
  set(INFCL_ISAS AVX2 AVX512 AVX512BF16)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
  set(INFCL_PROCESSOR ARM64_${INFCL_SYSTEM})
  set(INFCL_ISAS NEON NEONBF16)
else()
  set(INFCL_PROCESSOR OTHER)
endif()
set(INFCL_AVX2_SOURCES csrc/cpu/kernels/table_avx2.cpp)
set(INFCL_AVX2_FLAGS -mavx2 -mfma)
set(INFCL_AVX512_SOURCES csrc/cpu/kernels/table_avx512.cpp)
# GCC 12 warns about its own intrinsics header (PR 105593), hence the last two flags.
set(INFCL_AVX512_FLAGS -mavx512f -mavx512bw -mavx512vl -mavx512dq -mprefer-vector-width=512 -Wno-maybe-uninitialized -Wno-uninitialized)
set(INFCL_AVX512BF16_SOURCES csrc/cpu/kernels/table_avx512bf16.cpp)
set(INFCL_AVX512BF16_FLAGS ${INFCL_AVX512_FLAGS} -mavx512bf16)
set(INFCL_NEON_SOURCES csrc/cpu/kernels/table_neon.cpp)
# GCC would load all broadcast elements of a step early, and then spill accumulators. clang has no such flag and needs none.
# Linux has g++ and macOS clang. These fuse different products, so no product is fused that the source does not fuse.
set(INFCL_NEON_FLAGS ${INFCL_CORE_FLAGS} -fno-schedule-insns -Wno-ignored-optimization-argument)
set(INFCL_NEONBF16_SOURCES csrc/cpu/kernels/table_neonbf16.cpp)
set(INFCL_NEONBF16_FLAGS ${INFCL_NEON_FLAGS} -march=armv8.2-a+bf16)
