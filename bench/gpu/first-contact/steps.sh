# Steps of a stage: each has a time limit, none stops the stage, and one that passed is not run again by a later call.
# Sourced by first-contact.sh. Reads $STAGE $LIMIT $OUT $STATE $FILES $FRESH $KEY; has no knowledge of what the steps do.
#
# What the exit status of a step means: 0 passed; 3 and 124 (of `timeout`) out of time; 77 not run, for lack of something
# that the last line of the output names; all others failed.

readonly kReserve=12          # seconds that the end of a stage may take: the archive
readonly kLogPart=60000       # bytes of one step's output in the log
readonly kTextLimit=2000000   # bytes of one step's output in the archive
readonly kLogLimit=4000000    # bytes of the log
readonly kSummaryLimit=150    # lines of the summary
TGZ_LIMIT=${TGZ_LIMIT:-15000000}

begin_stage() {
  LOG=$OUT/$STAGE.log SUMMARY=$OUT/$STAGE.summary ARCHIVE=$OUT/$STAGE.tgz
  mkdir -p "$OUT" "$FILES" "$STATE" || exit 2
  : > "$LOG" && : > "$SUMMARY" || exit 2
  STARTED=$SECONDS FAILED=0 SHORT=0 ABSENT=0 SUMMARY_LINES=0
  [ -z "$FRESH" ] || rm -f "$STATE"/*.passed
  trap stop_stage TERM INT HUP
  say "stage $STAGE, $(date -u +%Y-%m-%dT%H:%M:%SZ), at most $LIMIT s"
}

# One line of the summary, which is also printed at once.
say() {
  SUMMARY_LINES=$((SUMMARY_LINES + 1))
  if [ "$SUMMARY_LINES" -le "$kSummaryLimit" ]; then printf '%s\n' "$*" | cut -c1-200 | tee -a "$SUMMARY"; fi
  printf '%s\n' "$*" >> "$LOG"
}
note() { say "        $*"; }

# Lines of a step's output that belong into the summary: notes NAME PATTERN [MOST LINES]
notes() {
  local line
  while IFS= read -r line; do note "$line"; done < <(grep -hE -- "$2" "$FILES/$1.txt" 2> /dev/null | head -n "${3:-12}")
}

seconds_left() { echo $((LIMIT - kReserve - SECONDS + STARTED)); }

# result WORD NAME SECONDS TEXT
result() {
  RESULT=$(printf '%-7s %-26s %4s s  %s' "$1" "$2" "$3" "$4")
  say "$RESULT"
}

# A step that this machine cannot run: missing NAME REASON
missing() {
  ABSENT=$((ABSENT + 1))
  result 'NOT RUN' "$1" 0 "$2"
}

# Keeps both ends of a file that is too large.
shorten() {
  [ "$(size_of "$1")" -gt "$2" ] || return 0
  { head -c $(($2 / 2)) "$1"; printf '\n... shortened ...\n'; tail -c $(($2 / 2)) "$1"; } > "$1.part" && mv "$1.part" "$1"
}
size_of() { stat -c %s "$1" 2> /dev/null || echo 0; }

# Runs COMMAND, a function or a program, within a limit: step NAME SECONDS COMMAND...
step() {
  if [ -f "$STATE/$1.passed" ] && [ "$(head -n 1 "$STATE/$1.passed")" = "$KEY" ]; then
    log_output "$1" "$FILES/$1.txt" '0, of an earlier call' "${*:3}"
    say "$(tail -n 1 "$STATE/$1.passed" | sed 's/^ok    /REUSED/')"
    return 0
  fi
  step_always "$@"
}

# The same, also where an earlier call passed it: builds, which know themselves what is up to date.
step_always() {
  local name=$1 most=$2 left text=$FILES/$1.txt status=0 begun=$SECONDS word line
  shift 2
  rm -f "$STATE/$name.passed" "$text"
  left=$(seconds_left)
  if [ "$left" -lt 5 ]; then
    SHORT=$((SHORT + 1))
    result 'NO TIME' "$name" 0 "not started: the stage's $LIMIT s are over; call the stage again"
    return 3
  fi
  [ "$most" -le "$left" ] || most=$left
  # A function needs a shell of its own: `timeout` starts programs only.
  # In the background, so that a signal to the stage is answered at once (stop_stage).
  timeout -k 5 "$most" bash "$SCRIPT" run-function "$@" > "$text" 2>&1 < /dev/null &
  CHILD=$!
  wait "$CHILD" || status=$?
  shorten "$text" "$kTextLimit"
  log_output "$name" "$text" "$status" "$*"
  case $status in
    0) word=ok ;;
    3 | 124 | 137) word=TIME SHORT=$((SHORT + 1)) ;;
    77) word='NOT RUN' ABSENT=$((ABSENT + 1)) ;;
    *) word=FAIL FAILED=$((FAILED + 1)) ;;
  esac
  line=$(tail -n 1 "$text" | tr -d '\r' | cut -c1-100)
  [ "$word" != TIME ] || line="of $most s; $line"
  [ "$word" != FAIL ] || line="status $status; $line"
  result "$word" "$name" $((SECONDS - begun)) "$line"
  [ "$word" != ok ] || printf '%s\n%s\n' "$KEY" "$RESULT" > "$STATE/$name.passed"
  return "$status"
}

log_output() {
  [ "$(size_of "$LOG")" -lt "$kLogLimit" ] || { printf '=== %s: see the archive, the log is full\n' "$1" >> "$LOG"; return; }
  {
    printf '\n=== %s: %s\n' "$1" "$4"
    if [ "$(size_of "$2")" -le "$kLogPart" ]; then cat "$2"; else
      head -c $((kLogPart / 2)) "$2"; printf '\n... more in the archive ...\n'; tail -c $((kLogPart / 2)) "$2"
    fi
    printf '\n--- status %s\n' "$3"
  } >> "$LOG"
}

# Everything in $FILES as one archive of bounded size. What is left out is said: profiles first, then every large file.
pack() {
  local parent name
  parent=$(dirname "$FILES") name=$(basename "$FILES")
  tar -C "$parent" -czf "$ARCHIVE" "$name" || return
  [ "$(size_of "$ARCHIVE")" -gt "$TGZ_LIMIT" ] || return 0
  note "archive over $TGZ_LIMIT bytes: profiles (*.ncu-rep, *.nsys-rep, *.sqlite) are left out"
  tar -C "$parent" -czf "$ARCHIVE" --exclude='*.ncu-rep' --exclude='*.nsys-rep' --exclude='*.sqlite' "$name" || return
  [ "$(size_of "$ARCHIVE")" -gt "$TGZ_LIMIT" ] || return 0
  note "archive still over $TGZ_LIMIT bytes: files of more than 100 kB are left out"
  (cd "$parent" && find "$name" -type f -size -100k -print0 | tar -czf "$ARCHIVE" --null -T -)
}

# For a signal from outside, such as the end of a lease: what there is so far is written.
stop_stage() {
  trap '' TERM INT HUP
  [ -z "${CHILD:-}" ] || kill -TERM "$CHILD" 2> /dev/null
  SHORT=$((SHORT + 1))
  note "stopped by a signal; call the stage again to go on"
  end_stage
}

# Ends a stage. Exit status: 0 all passed, 1 some failed, 3 some had no time.
end_stage() {
  pack || { FAILED=$((FAILED + 1)); note "the archive could not be written: is the disk full?"; }
  if [ "$SUMMARY_LINES" -gt "$kSummaryLimit" ]; then
    echo "... $((SUMMARY_LINES - kSummaryLimit)) more lines in the log" | tee -a "$SUMMARY"
  fi
  echo "stage $STAGE: $FAILED failed, $SHORT short of time, $ABSENT not run, $((SECONDS - STARTED)) s; files: $OUT/$STAGE.*" | tee -a "$SUMMARY"
  shorten "$LOG" "$kLogLimit"
  [ "$FAILED" -eq 0 ] || exit 1
  [ "$SHORT" -eq 0 ] || exit 3
  exit 0
}
