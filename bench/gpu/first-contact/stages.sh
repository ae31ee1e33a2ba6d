# The three stages: which steps, in which order, with how much time. Sourced by first-contact.sh.
# On the emulator (rehearsal) the same steps have tiny shapes, and what needs a card is listed as not run.

sized() { if on_emulator; then echo "$2"; else echo "$1"; fi; }
card_step() { if on_emulator; then missing "$1" "needs a card"; else step "$@"; fi; }
slow_step() { if on_emulator; then missing "$1" "takes minutes on the emulator; ctest runs the suites there"; else step "$@"; fi; }
readonly kRows='^(bfloat16|float32|cuBLAS|BAD)'  # of gpu-bench's table

# Which kernels multiply: on Hopper the general ones first, since a fault of both is not Hopper's.
paths() { if [ "${TARGETS##*90a*}" ]; then echo any; else echo sm80 sm90; fi; }
suite_pattern() { echo "^suite:cuda_($1)_test$([ "$2" = any ] || echo ":$2")\$"; }

# Is it right?
stage_1() {
  local path
  step machine 40 machine_facts
  step_always compile-facts 60 compile_facts
  card_step facts 40 "$WORK/facts"
  notes facts '^fact:' 20
  step_always build-bench "$(sized 240 700)" build gpu-bench
  step_always build-check "$(sized 240 700)" build gpu-check gpu-bench  # also where the step before had too little time
  step images 60 shipped_images
  notes images '^BAD'
  for path in $(paths); do
    step "kernels-$path" 70 check_matching 65 "$(suite_pattern "$(sized 'scores_forward|scores_backward|accumulate' accumulate)" "$path")"
    notes "kernels-$path" '^(BAD|NOT RUN)'
  done
  for path in $(paths); do
    slow_step "engine-$path" 80 check_matching 75 "$(suite_pattern engine "$path")"
    notes "engine-$path" '^(BAD|NOT RUN)'
  done
  step one-number 100 bench one-number --place host,device --dtypes bfloat16 \
    --rows "$(sized 65536 128)" --dims "$(sized 768 64)" --repetitions "$(sized 9 1)" --seconds 90
  notes one-number "$kRows"
  step shapes 110 check 105 --only shapes --rows "$(sized 4096 130)" --dims "$(sized 256,512,768 64)"
  notes shapes '^(BAD|NOT RUN)'
  if [ "$(paths)" != any ]; then
    INFCL_CUDA_PATH=sm80 INFCL_CUBLAS_LIBRARY=none step one-number-sm80 60 bench one-number-sm80 --place device \
      --dtypes bfloat16 --rows "$(sized 65536 128)" --dims "$(sized 768 64)" --repetitions "$(sized 3 1)" --seconds 50
    notes one-number-sm80 "$kRows"
  fi
  slow_step other-suites 150 check_matching 145 '^suite:' --check-seconds 40
  notes other-suites '^(BAD|NOT RUN)'
}

# Where is the time?
stage_2() {
  local n rows
  step_always build-bench "$(sized 240 700)" build gpu-bench
  card_step kernel-times 90 kernel_times
  notes kernel-times '^kernel ' 10
  for n in 1 2 3 4; do
    card_step "counters-$n" 50 kernel_counters "$n"
    notes "counters-$n" '^(kernel:| *(Duration|SM Frequency|Compute \(SM\) Throughput|L2 Cache Throughput|DRAM Throughput|Registers Per|Achieved Occ|No Eligible|Issued Warp))' 12
  done
  step sweep-rows 80 bench sweep-rows --place device --dtypes bfloat16 --dims "$(sized 768 64)" \
    --rows "$(sized 1024,2048,4096,8192,16384,32768,131072 128,256)" --repetitions "$(sized 7 1)" --seconds 75
  notes sweep-rows "$kRows"
  step sweep-dims 60 bench sweep-dims --place device --dtypes bfloat16 --dims "$(sized 256,512,1024,1536 64,128)" \
    --rows "$(sized 32768 128)" --repetitions "$(sized 5 1)" --seconds 55
  notes sweep-dims "$kRows"
  step float32 50 bench float32 --place device --dtypes float32 --dims "$(sized 768 64)" --rows "$(sized 16384,65536 128)" \
    --repetitions "$(sized 3 1)" --seconds 45
  notes float32 "$kRows"
  for rows in $(sized '4096 16384 65536' 256); do
    step "triton-clip-$rows" 50 peer bench/peers/triton_tilewise.py clip bfloat16 "$rows" "$(sized 768 64)" 3
    step "triton-siglip-$rows" 50 peer bench/peers/triton_tilewise.py siglip bfloat16 "$rows" "$(sized 768 64)" 3
    step "torch-$rows" 50 peer scripts/gpu-torch.py torch bfloat16 "$rows" "$(sized 768 64)" 3
  done
  card_step inf_cl-65536 60 peer scripts/gpu-torch.py inf_cl bfloat16 65536 768 6
}

# Is it sound?
stage_3() {
  local tool suite dim quick=()
  on_emulator && quick=(--quick)
  step_always build-check "$(sized 240 700)" build gpu-check
  step_always build-bench "$(sized 240 700)" build gpu-bench
  step device 80 check 75 --only device "${quick[@]}"
  notes device '^(BAD|NOT RUN)'
  for tool in memcheck racecheck synccheck; do
    card_step "$tool-call" 45 sanitize "$tool" call
    for suite in accumulate scores_forward scores_backward; do
      card_step "$tool-$suite" 35 sanitize "$tool" "$suite"
    done
  done
  for dim in $(sized '768 256' 64); do
    step "shapes-$dim" 85 check 80 --only shapes --rows "$(sized 16384 150)" --dims "$dim"
    notes "shapes-$dim" '^(BAD|NOT RUN)'
  done
  INFCL_CUBLAS_LIBRARY=none step largest 110 bench largest --place device --dtypes bfloat16 --dims "$(sized 512 64)" \
    --rows "$(sized 262144,524288,1048576 384)" --repetitions 1 --max-seconds 30 --seconds 105
  notes largest "$kRows"
}
