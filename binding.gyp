{
  # The CPU-only addon for users of node-gyp. CMakeLists.txt is the real build; a test compares both lists of sources.
  "variables": {
    "core_sources": [
      "csrc/comm/thread_ring.cpp",
      "csrc/core/agreement.cpp",
      "csrc/core/backends.cpp",
      "csrc/core/class_sizes.cpp",
      "csrc/core/column_groups.cpp",
      "csrc/core/engine.cpp",
      "csrc/core/engine_ranks.cpp",
      "csrc/core/float_range.cpp",
      "csrc/core/guest.cpp",
      "csrc/core/guide.cpp",
      "csrc/core/hard_negatives.cpp",
      "csrc/core/loss_classes.cpp",
      "csrc/core/loss_labelled.cpp",
      "csrc/core/loss_listed.cpp",
      "csrc/core/loss_queries.cpp",
      "csrc/core/loss_sigmoid.cpp",
      "csrc/core/loss_state.cpp",
      "csrc/core/make_problem.cpp",
      "csrc/core/objective.cpp",
      "csrc/core/pass_args.cpp",
      "csrc/core/plan.cpp",
      "csrc/core/ranks.cpp",
      "csrc/core/refinement.cpp",
      "csrc/core/ring_backend.cpp",
      "csrc/core/ring_round.cpp",
      "csrc/core/search.cpp",
      "csrc/core/settings.cpp",
      "csrc/core/teacher.cpp",
      "csrc/cpu/call_cost.cpp",
      "csrc/cpu/auxiliary.cpp",
      "csrc/cpu/call_time.cpp",
      "csrc/cpu/tile_edits.cpp",
      "csrc/cpu/backend.cpp",
      "csrc/cpu/backends.cpp",
      "csrc/cpu/best_columns.cpp",
      "csrc/cpu/differentiate.cpp",
      "csrc/cpu/fold.cpp",
      "csrc/cpu/traverse.cpp",
      "csrc/cpu/operands.cpp",
      "csrc/cpu/cpu_features.cpp",
      "csrc/cpu/planner.cpp",
      "csrc/cpu/kernel_times.cpp",
      "csrc/cpu/isa_dispatch.cpp",
      "csrc/cpu/kept_tiles.cpp",
      "csrc/cpu/plan.cpp",
      "csrc/cpu/gradient_factors.cpp",
      "csrc/cpu/search_ranks.cpp",
      "csrc/cpu/search_top_k.cpp",
      "csrc/cpu/teacher_tile.cpp",
      "csrc/cpu/thread_pool.cpp",
      "csrc/cpu/tile_order.cpp",
      "csrc/cpu/usable_threads.cpp",
      "csrc/cpu/workspace.cpp",
      "csrc/cpu/kernels/table_scalar.cpp",
      "csrc/store/mapping.cpp",
      "csrc/core/field_agreement.cpp",
      "csrc/comm/collectives.cpp",
      "csrc/comm/mpi/enquiry.cpp",
      "csrc/comm/mpi/find.cpp",
      "csrc/comm/mpi/group.cpp",
      "csrc/comm/mpi/group_communicator.cpp",
      "csrc/comm/mpi/group_departure.cpp",
      "csrc/comm/mpi/group_thread.cpp",
      "csrc/comm/mpi/launcher.cpp",
      "csrc/comm/mpi/notices.cpp",
      "csrc/comm/mpi/pieces.cpp"
    ],
    "core_flags": ["-ffp-contract=off"],
    "linux_sources": [
      "csrc/cpu/cgroup_quota.cpp",
      "csrc/cpu/pages_posix.cpp",
      "csrc/cpu/processor_limits_linux.cpp",
      "csrc/store/file_posix.cpp",
      "csrc/comm/mpi/library_posix.cpp",
      "csrc/comm/mpi/library_names_linux.cpp"
    ],
    "windows_sources": [
      "csrc/cpu/pages_win32.cpp",
      "csrc/cpu/processor_limits_win32.cpp",
      "csrc/store/file_win32.cpp",
      "csrc/comm/mpi/no_library_win32.cpp"
    ],
    "darwin_sources": [
      "csrc/cpu/pages_posix.cpp",
      "csrc/cpu/processor_limits_darwin.cpp",
      "csrc/store/file_posix.cpp",
      "csrc/comm/mpi/library_posix.cpp",
      "csrc/comm/mpi/library_names_darwin.cpp"
    ],
    "linux_binding_sources": ["csrc/binding/process_symbol_posix.cpp"],
    "windows_binding_sources": ["csrc/binding/process_symbol_win32.cpp"],
    "darwin_binding_sources": ["csrc/binding/process_symbol_posix.cpp"],
    "no_cuda_sources": ["cuda/no_cuda.cpp"],
    "linux_no_cuda_sources": ["cuda/no_cuda_linux.cpp"],
    "windows_no_cuda_sources": ["cuda/no_cuda_win32.cpp"],
    "darwin_no_cuda_sources": ["cuda/no_cuda_darwin.cpp"],
    "x64_sources": ["csrc/cpu/cpu_features_x64.cpp"],
    "arm64_linux_sources": ["csrc/cpu/cpu_features_arm64_linux.cpp"],
    "arm64_darwin_sources": ["csrc/cpu/cpu_features_arm64_darwin.cpp"],
    "arm64_windows_sources": ["csrc/cpu/cpu_features_none.cpp"],
    "other_sources": ["csrc/cpu/cpu_features_none.cpp"],
    "avx2_sources": ["csrc/cpu/kernels/table_avx2.cpp"],
    "avx512_sources": ["csrc/cpu/kernels/table_avx512.cpp"],
    "avx512bf16_sources": ["csrc/cpu/kernels/table_avx512bf16.cpp"],
    "avx2_flags": ["-mavx2", "-mfma"],
    "avx512_flags": [
      "-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mprefer-vector-width=512",
      "-Wno-maybe-uninitialized", "-Wno-uninitialized"
    ],
    "avx512bf16_flags": ["<@(avx512_flags)", "-mavx512bf16"],
    "neon_sources": ["csrc/cpu/kernels/table_neon.cpp"],
    "neonbf16_sources": ["csrc/cpu/kernels/table_neonbf16.cpp"],
    "neon_flags": ["<@(core_flags)", "-fno-schedule-insns", "-Wno-ignored-optimization-argument"],
    "neonbf16_flags": ["<@(neon_flags)", "-march=armv8.2-a+bf16"]
  },
  "target_defaults": {
    "include_dirs": ["csrc", "."],
    "cflags!": ["-fno-exceptions"],
    "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": ["-std=c++17", "-O3", "-fvisibility=hidden", "-fPIC"]
  },
  "targets": [
    {
      "target_name": "infcl",
      "dependencies": ["infcl_core", "infcl_avx2", "infcl_avx512", "infcl_avx512bf16", "infcl_neon", "infcl_neonbf16"],
      "include_dirs": ["<!@(node -p \"require('node-addon-api').include\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_CPP_EXCEPTIONS"],
      "sources": ["<!@(node -p \"require('fs').readdirSync('csrc/binding').filter(f => f.endsWith('.cpp') && !/_(posix|win32)/.test(f)).map(f => 'csrc/binding/' + f).join(' ')\")"],
      "conditions": [
        ["OS=='linux'", { "sources": ["<@(linux_binding_sources)"], "libraries": ["-ldl"] }],
        ["OS=='win'", { "sources": ["<@(windows_binding_sources)"] }],
        ["OS=='mac'", { "sources": ["<@(darwin_binding_sources)"] }]
      ]
    },
    {
      "target_name": "infcl_core", "type": "static_library", "sources": ["<@(core_sources)", "<@(no_cuda_sources)"],
      "cflags_cc": ["<@(core_flags)"],
      "conditions": [
        ["OS=='linux'", { "sources": ["<@(linux_sources)", "<@(linux_no_cuda_sources)"] }],
        ["OS=='win'", { "sources": ["<@(windows_sources)", "<@(windows_no_cuda_sources)"] }],
        ["OS=='mac'", { "sources": ["<@(darwin_sources)", "<@(darwin_no_cuda_sources)"] }],
        ["target_arch=='x64'", { "sources": ["<@(x64_sources)"] }],
        ["target_arch=='arm64' and OS=='linux'", { "sources": ["<@(arm64_linux_sources)"] }],
        ["target_arch=='arm64' and OS=='mac'", { "sources": ["<@(arm64_darwin_sources)"] }],
        ["target_arch=='arm64' and OS=='win'", { "sources": ["<@(arm64_windows_sources)"] }],
        ["target_arch!='x64' and target_arch!='arm64'", { "sources": ["<@(other_sources)"] }]
      ]
    },
    {
      "target_name": "infcl_avx2",
      "conditions": [
        ["target_arch=='x64'", {
          "type": "static_library", "sources": ["<@(avx2_sources)"], "cflags_cc": ["<@(avx2_flags)"]
        }, { "type": "none" }]
      ]
    },
    {
      "target_name": "infcl_avx512",
      "conditions": [
        ["target_arch=='x64'", {
          "type": "static_library", "sources": ["<@(avx512_sources)"], "cflags_cc": ["<@(avx512_flags)"]
        }, { "type": "none" }]
      ]
    },
    {
      "target_name": "infcl_avx512bf16",
      "conditions": [
        ["target_arch=='x64'", {
          "type": "static_library", "sources": ["<@(avx512bf16_sources)"], "cflags_cc": ["<@(avx512bf16_flags)"]
        }, { "type": "none" }]
      ]
    },
    {
      "target_name": "infcl_neon",
      "conditions": [
        ["target_arch=='arm64'", {
          "type": "static_library", "sources": ["<@(neon_sources)"], "cflags_cc": ["<@(neon_flags)"],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["<@(neon_flags)"] }
        }, { "type": "none" }]
      ]
    },
    {
      "target_name": "infcl_neonbf16",
      "conditions": [
        ["target_arch=='arm64'", {
          "type": "static_library", "sources": ["<@(neonbf16_sources)"], "cflags_cc": ["<@(neonbf16_flags)"],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["<@(neonbf16_flags)"] }
        }, { "type": "none" }]
      ]
    }
  ]
}
