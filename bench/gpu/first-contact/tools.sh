# What the steps of first-contact.sh run: builds, checks, measurements. Sourced by first-contact.sh; each function runs in a
# process of its own under the time limit of its step, and its exit status is the step's (steps.sh).

readonly kNotRun=77

not_run() { echo "not run: $*"; exit "$kNotRun"; }
on_emulator() { [ -n "${INFCL_REHEARSAL:-}" ]; }  # set by the rehearsal alone

# ---- the machine

# Capability of the card that CUDA sees as its first, such as 9.0.
card_capability() {
  if [ -n "${CAPABILITY:-}" ]; then echo "$CAPABILITY"; return; fi
  nvidia-smi --query-gpu=compute_cap --format=csv,noheader ${CUDA_VISIBLE_DEVICES:+-i "$CUDA_VISIBLE_DEVICES"} 2> /dev/null |
    head -n 1 | tr -d ' '
}

# What kernels are compiled for: machine code of this card alone, or text for the driver where nvcc does not know the card.
card_target() {
  local code
  code=sm_$(printf '%s' "$1" | tr -d .)
  if [ "$code" = sm_90 ]; then echo sm_90a
  elif nvcc --list-gpu-code | grep -qx "$code"; then echo "$code"
  else echo compute_80; fi
}

machine_facts() {
  local tool
  nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit,ecc.mode.current --format=csv,noheader
  nproc
  grep -m 1 'model name' /proc/cpuinfo
  grep MemTotal /proc/meminfo
  nvcc --version | tail -n 2
  for tool in c++ cmake ninja ncu nsys compute-sanitizer python3; do echo "$tool: $(command -v "$tool" || echo none)"; done
  python3 -c 'import torch; print("torch", torch.__version__, torch.version.cuda)' 2>&1 | tail -n 1
  python3 -c 'import triton; print("triton", triton.__version__)' 2>&1 | tail -n 1
  echo "cuBLAS: ${INFCL_CUBLAS_LIBRARY:-not found}"
  echo "$(nproc) processors; $(nvcc --version | tail -n 2 | head -n 1)"
}

compile_facts() {
  local architecture=${TARGETS%%;*}
  on_emulator && architecture=sm_90a
  nvcc -O3 -std=c++17 "-arch=$architecture" -o "$WORK/facts" "$SRC/bench/gpu/first-contact/facts.cu" && echo "for $architecture"
}

# Path of a libcublas, or nothing: from the loader's cache, else the toolkit, else the packages of a Python.
find_cublas() {
  local found folder files=() folders=()
  mapfile -t files < <(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2> /dev/null | sed -n 's/.*=> \(.*libcublas\.so\.1[0-9]\)$/\1/p')
  found=$(newest "${files[@]}")
  [ -n "$found" ] || found=$(newest "$CUDA"/lib64/libcublas.so.1[0-9] "$CUDA"/targets/*/lib/libcublas.so.1[0-9])
  if [ -z "$found" ]; then
    mapfile -t folders < <(python_package_folders)
    files=()
    for folder in "${folders[@]}"; do files+=("$folder"/nvidia/{cublas,cu1[0-9]}/lib/libcublas.so.1[0-9]); done
    found=$(newest "${files[@]}")
  fi
  echo "$found"
}

# Where python3 looks for packages, one folder a line; that of torch too, which need not be the Python's own.
python_package_folders() {
  python3 - 2> /dev/null << 'END'
import importlib.util, os, site, sysconfig
folders = [sysconfig.get_paths()["purelib"], site.getusersitepackages(), *site.getsitepackages()]
spec = importlib.util.find_spec("torch")
if spec and spec.origin:
    folders.append(os.path.dirname(os.path.dirname(spec.origin)))
print("\n".join(dict.fromkeys(folders)))
END
}

# The file with the largest version at its end, of those that exist.
newest() {
  local file best=
  for file; do
    [ -e "$file" ] || continue
    if [ -z "$best" ] || [ "${file##*.}" -gt "${best##*.}" ]; then best=$file; fi
  done
  echo "$best"
}

# Changes with every source that a step depends on.
source_key() {
  (cd "$SRC" && find CMakeLists.txt sources.cmake csrc cuda bench/gpu bench/peers scripts test/cuda test/native emulator \
    -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 cksum | cksum)
}

# ---- builds

build() {
  local generator=()
  if [ ! -f "$BUILD/CMakeCache.txt" ]; then
    command -v ninja > /dev/null && generator=(-G Ninja)
  fi
  cmake "${generator[@]}" -S "$SRC" -B "$BUILD" -DINFCL_CUDA=ON "-DINFCL_CUDA_TARGETS=$TARGETS" || return
  cmake --build "$BUILD" --parallel "$(nproc)" --target "$@" || return
  echo "built for $TARGETS"
}

# ---- is it right?

# gpu-check within a time limit of its own, so that it lists what had no time: check SECONDS OPTION...
check() {
  local seconds=$1
  shift
  # Free memory is compared before and after, and kernels that are loaded on first use take some.
  CUDA_MODULE_LOADING=EAGER "$BUILD/gpu-check" --seconds "$seconds" "$@"
}

# Every image that is shipped in $ADDON, or in this build.
shipped_images() {
  "$BUILD/gpu-check" --images "${ADDON:-self}"
}

# Those of gpu-check's own list that match: check_matching SECONDS PATTERN [OPTION...]
check_matching() {
  local seconds=$1 pattern=$2 names
  shift 2
  names=$("$BUILD/gpu-check" --list) || return
  names=$(printf '%s\n' "$names" | grep -oE '(suite|shape|device):[^ ]+' | grep -E -- "$pattern" | paste -sd, -)
  [ -n "$names" ] || not_run "gpu-check --list has no check that matches $pattern on this card"
  check "$seconds" --only "$names" "$@"
}

# ---- how fast is it?

# gpu-bench, its rows in the archive and beside the summary: bench NAME OPTION...
bench() {
  local file=$FILES/$1.json
  shift
  "$BUILD/gpu-bench" --out "$file" "$@" || return
  cp "$file" "$OUT/$STAGE-$(basename "$file")" && echo "in $STAGE-$(basename "$file")"
}

# One shape of a peer in Python; its row of JSON is kept: peer SCRIPT IMPLEMENTATION DTYPE ROWS DIM SECONDS
peer() {
  local row device=()
  command -v python3 > /dev/null || not_run "no python3"
  on_emulator && device=(--device cpu)
  row=$(python3 "$SRC/$1" "$2" --dtype "$3" --rows "$4" --dim "$5" --max-seconds "$6" --repetitions 7 "${device[@]}") || {
    echo "$row"; return 1; }
  echo "$row" >> "$OUT/$STAGE-peers.jsonl"
  case $row in *'"missing"'* | *'"skipped"'*) not_run "$row" ;; esac
  echo "$row" | sed -E 's/.*("forward_ms".*"total_ms": [0-9.]+).*/\1/'
}

# ---- is it sound?

# A tool of compute-sanitizer over a small call, or over the test of one kernel: sanitize TOOL call|SUITE
sanitize() {
  command -v compute-sanitizer > /dev/null || not_run "needs compute-sanitizer"
  case $TARGETS in *90a*) export INFCL_CUDA_PATH=sm90 ;; esac
  local run=(compute-sanitizer --tool "$1" --print-limit 5 --error-exitcode 9)
  if [ "$2" = call ]; then
    INFCL_CUBLAS_LIBRARY=none "${run[@]}" "$BUILD/gpu-bench" --dtypes bfloat16 --rows 2048 --dims 256 --place device --repetitions 1
  else
    INFCL_TEST_DEVICE=0 "${run[@]}" "$BUILD/test/cuda/cuda_$2_test"
  fi
}
