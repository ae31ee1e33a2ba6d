# Where the time of a call goes: milliseconds of each kernel, and the counters of one launch of each. Sourced by
# first-contact.sh; the functions run like those of tools.sh. With ncu where it is installed and may read counters, else nsys.

# A call as a profiler sees it: small enough to be repeated, large enough that a launch is a typical one.
profiled_call() {
  INFCL_CUBLAS_LIBRARY=none "$@" "$BUILD/gpu-bench" --dtypes bfloat16 --rows 16384 --dims 768 --place device --repetitions 1
}

# A table of kernels, slowest first, over all calls of the program: one to warm up, then one that is counted.
kernel_times() {
  if command -v ncu > /dev/null; then
    profiled_call ncu --clock-control none --csv --print-units base --print-kernel-base function \
      --metrics gpu__time_duration.sum > "$FILES/kernel-times.csv" && ncu_table && return
    tail -n 5 "$FILES/kernel-times.csv"
    echo "ncu failed (often: counters are for root only, see ERR_NVGPUCTRPERM); nsys is tried"
  fi
  command -v nsys > /dev/null || not_run "needs ncu or nsys; gpu-bench's passes are all that is known"
  profiled_call nsys profile --trace cuda --force-overwrite true --output "$FILES/kernel-times" || return
  nsys stats --report cuda_gpu_kern_sum --format csv --force-export true "$FILES/kernel-times.nsys-rep" |
    tee "$FILES/kernel-times.csv" | nsys_table
}

# name, launches, milliseconds, share; from the rows of one metric in nanoseconds.
ncu_table() {
  tr -d '\r' < "$FILES/kernel-times.csv" | awk -F'","' '
    /gpu__time_duration.sum/ { gsub(/[",]/, "", $NF); time[$5] += $NF; count[$5]++; all += $NF }
    END { if (!all) exit 1
          for (k in time) printf "kernel %-44s %5d x %10.3f ms %5.1f %%\n", k, count[k], time[k] / 1e6, 100 * time[k] / all }' |
    sort_by_time
}
nsys_table() {
  awk -F, '$1 + 0 > 0 { printf "kernel %-44s %5d x %10.3f ms %5.1f %%\n", $NF, $3, $2 / 1e6, $1; n++ } END { exit !n }' |
    sort_by_time
}
sort_by_time() { awk '{ print $(NF - 3) "\t" $0 }' | sort -rn | cut -f 2-; }

# Counters of one launch of the kernel that is the Nth slowest: kernel_counters N
kernel_counters() {
  local name
  command -v ncu > /dev/null || not_run "needs ncu"
  name=$(awk '$1 == "kernel" { print $2 }' "$FILES/kernel-times.txt" 2> /dev/null | sed -n "$1p")
  [ -n "$name" ] || not_run "no kernel number $1 in the table of kernel-times"
  echo "kernel: $name"
  # The second launch: the first finds cold caches.
  profiled_call ncu --clock-control none --set full --import-source no --kernel-name "$name" --launch-skip 1 --launch-count 1 \
    --force-overwrite --export "$FILES/$name" || return
  ncu --import "$FILES/$name.ncu-rep" --page details || return
  echo "counters of $name"
}
