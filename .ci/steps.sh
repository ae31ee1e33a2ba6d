# Runs named steps one after another and sums up at the end, also after a failure. Sourced by .ci/run:
#
#   step NAME FUNCTION [PROGRAM]   adds a step; where PROGRAM is not on PATH the step is not run, and the summary says so
#   late_step NAME FUNCTION [PROGRAM]   the same, but not run where the steps before have used up the gate's time
#   run_steps                      runs all steps; a failed one ends the script, with its exit status
#
# The script must be under "set -euo pipefail", and call run_steps as a plain command: within a condition, bash ignores
# failures of the commands in a step.
#
# A line of a step's output that begins with "NOT CHECKED: " is repeated in the summary. So whatever leaves a check out
# prints such a line, and nothing is left out in silence.

most_seconds=2700
step_names=()
step_functions=()
step_programs=()
step_late=()
step_results=()
step_logs=$(mktemp -d)

step() {
  step_names+=("$1")
  step_functions+=("$2")
  step_programs+=("${3:-}")
  step_late+=(no)
  step_results+=("not reached")
}

late_step() {
  step "$@"
  step_late[-1]=yes
}

# Says why a step cannot run here, or nothing.
reason_against() {
  local index=$1 program=${step_programs[$1]}
  if [ -n "$program" ] && ! command -v "$program" >/dev/null; then
    echo "there is no $program on PATH"
  elif [ "${step_late[index]}" = yes ] && [ "$SECONDS" -gt "$most_seconds" ]; then
    echo "this machine is too slow: the steps before took $SECONDS s"
  fi
}

# One step, with its output on the terminal and in a file. The subshell ends at the first command that fails.
run_step() {
  local index=$1 log started=$SECONDS status reason
  log=$(printf '%s/%02d' "$step_logs" "$index")
  printf '\n== %s\n' "${step_names[index]}"
  reason=$(reason_against "$index")
  if [ -n "$reason" ]; then
    echo "NOT CHECKED: ${step_names[index]}: $reason" | tee "$log"
    step_results[index]="not run"
    return 0
  fi
  step_results[index]="interrupted"
  set +e
  (
    set -euo pipefail
    "${step_functions[index]}"
  ) 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  set -e
  local seconds=$((SECONDS - started))
  step_results[index]="$([ "$status" -eq 0 ] && echo ok || echo FAILED) after $seconds s"
  echo "-- ${step_names[index]}: ${step_results[index]}"
  return "$status"
}

# Every step with its seconds, then every check that was left out. Keeps the exit status.
summarize() {
  local status=$? index
  trap - EXIT
  printf '\n== summary\n'
  for index in "${!step_names[@]}"; do
    printf '%-20s %s\n' "${step_results[index]}" "${step_names[index]}"
  done
  if [ "$SECONDS" -gt "$most_seconds" ]; then
    echo "TOO SLOW: the limit is $most_seconds s on two idle cores"
  fi
  cat "$step_logs"/* 2>/dev/null | grep '^NOT CHECKED: ' | awk '!seen[$0]++' || true
  rm -rf "$step_logs"
  printf '%s after %d s (exit status %d)\n' "$([ "$status" -eq 0 ] && echo passed || echo FAILED)" "$SECONDS" "$status"
  exit "$status"
}

run_steps() {
  local index
  trap summarize EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  for index in "${!step_names[@]}"; do
    run_step "$index"
  done
}
