# The rehearsal: the steps of all stages on the emulator, and checks of what the stages must do when a step fails, takes too
# long or prints too much. Sourced by first-contact.sh. The emulator executes PTX; a card loads the machine code that is
# embedded for it, so that the choice of the image is the one thing of a call that only a card can show.

readonly kMustRun='machine compile-facts build-bench build-check images kernels-sm80 kernels-sm90 one-number one-number-sm80 shapes
  sweep-rows sweep-dims float32 device shapes-64 largest'

# Steps that show every way to end; run by the rehearsal alone.
stage_selftest() {
  step passes 10 echo "all is well"
  step fails 10 false
  step 'out-of-time' 1 sleep 30
  step 'lacks-something' 10 not_run "no such thing"
  step floods 20 flood_output
  step after 10 echo "still here"
  [ -z "${SELFTEST_LONG:-}" ] || step takes-all 600 sleep 600
  step last 10 true
}

# More output than a log takes, and a profile that no archive compresses.
flood_output() {
  head -c 9000000 /dev/zero | tr '\0' 'x' | fold -w 100
  head -c 3000000 /dev/urandom > "$FILES/large.ncu-rep"
}

ok_checks=0 bad_checks=0
# expect TEXT COMMAND...: the command must succeed.
expect() {
  local text=$1
  shift
  if "$@"; then ok_checks=$((ok_checks + 1)) text="ok   $text"; else bad_checks=$((bad_checks + 1)) text="BAD  $text"; fi
  echo "$text"
}

# Calls this script as a person would, from another folder: call STATUS ARGUMENT...; its output is in $CALLED.
call() {
  local wanted=$1 status=0
  shift
  # In the background, so that a signal to the rehearsal reaches the stage.
  (cd / && exec bash "$SCRIPT" "$@") > "$CALLED" 2>&1 &
  CHILD=$!
  wait "$CHILD" || status=$?
  [ "$status" -eq "$wanted" ] || { echo "status $status instead of $wanted: $*"; tail -n 20 "$CALLED"; return 1; }
}
says() { grep -qE -- "$1" "$CALLED"; }
silent_on() { [ -s "$CALLED" ] && ! says "$1"; }
ends_with() { tail -n 1 "$CALLED" | grep -q -- "$1"; }
smaller() { [ "$(size_of "$1")" -gt 0 ] && [ "$(size_of "$1")" -le "$2" ]; }
holds() { tar -tzf "$1" | grep -q -- "$2"; }
lacks() { ! holds "$@"; }

rehearse_use() {
  expect 'no stage: status 2' call 2
  expect 'an unknown stage: status 2' call 2 4
  expect 'and says which there are' says '1\|2\|3\|rehearse'
  expect 'an unknown option: status 2' call 2 1 --slow
  expect 'a stage that is quick: status 2' call 2 1 --quick
  LIMIT=soon expect 'LIMIT that is no number: status 2' call 2 1
  INFCL_REHEARSAL='' INFCL_CUDA_LIBRARY=x expect 'a stage on anything but a driver: status 2' call 2 1
}

rehearse_steps() {
  export TGZ_LIMIT=1000000
  expect 'a stage with a failure ends with 1' call 1 selftest --fresh
  expect 'a step that passes: ok' says '^ok +passes .*all is well'
  expect 'a step that fails: FAIL, with its status' says '^FAIL +fails .*status 1'
  expect 'a step that takes too long: TIME' says '^TIME +out-of-time'
  expect 'a step that lacks something: NOT RUN, and what' says '^NOT RUN +lacks-something .*no such thing'
  expect 'steps after all that run' says '^ok +after'
  expect 'the last line counts' ends_with '1 failed, 1 short of time, 1 not run'
  expect 'the summary is what was printed' cmp "$CALLED" "$OUT/selftest.summary"
  expect 'a flood is cut in the log' smaller "$OUT/selftest.log" 200000
  expect 'a profile too large is left out of the archive' lacks "$OUT/selftest.tgz" large.ncu-rep
  expect 'and the summary says so' says 'archive over 1000000 bytes'
  expect 'the archive has the output of each step' holds "$OUT/selftest.tgz" passes.txt
  expect 'a second call ends with 1' call 1 selftest
  expect 'it reuses what passed' says '^REUSED +passes .*all is well'
  expect 'its log has what they printed' grep -q '^still here' "$OUT/selftest.log"
  expect 'it runs again what failed' says '^FAIL +fails'
  expect 'it runs again what took too long' says '^TIME +out-of-time'
  SELFTEST_KEY=changed expect 'a third call, on other sources' call 1 selftest
  expect 'reuses nothing' silent_on '^REUSED'
  unset TGZ_LIMIT
}

rehearse_limits() {
  local begun=$SECONDS child
  SELFTEST_LONG=1 LIMIT=30 expect 'a stage over its limit' call 1 selftest --fresh
  expect 'cuts a step that would outlast it' says '^TIME +takes-all'
  expect 'does not start what follows' says '^NO TIME +last'
  expect 'ends in time' test $((SECONDS - begun)) -le 32
  SELFTEST_LONG=1 bash "$SCRIPT" selftest > "$CALLED" 2>&1 &
  child=$!
  sleep 6
  begun=$SECONDS
  kill -TERM "$child"
  wait "$child"
  expect 'a signal ends a stage at once' test $((SECONDS - begun)) -le 7
  expect 'with a summary that says so' says 'stopped by a signal'
  expect 'and with an archive' holds "$OUT/selftest.tgz" passes.txt
}

# One stage on the emulator: rehearse_stage N JSON...
rehearse_stage() {
  local stage=$1 name
  shift
  expect "stage $stage on the emulator passes" call 0 "$stage"
  cat "$CALLED"
  expect "stage $stage: nothing failed or had no time" silent_on '^(FAIL|TIME|NO TIME) '
  expect "stage $stage: the archive is small" smaller "$OUT/stage$stage.tgz" 15000000
  for name; do
    expect "stage $stage: $name.json has a measured row" grep -q '"passes_ms"' "$OUT/stage$stage-$name.json"
  done
  cat "$CALLED" >> "$WORK/all-stages"
}

sources_unchanged_since() {
  local changed
  changed=$(find "$SRC" \( -name node_modules -o -name .git -o -name 'build*' -o -name dist \) -prune -o \
    -type f -newer "$1" -print)
  [ -z "$changed" ] || { echo "$changed"; return 1; }
}

rehearse() {
  local before
  # Spaces in every path that steps get.
  [ "$BUILD" != "$WORK/build" ] || BUILD="$WORK/rehearsal of a card/build"
  WORK="$WORK/rehearsal of a card" OUT="$WORK/out" CALLED="$WORK/called"
  export WORK OUT BUILD INFCL_REHEARSAL=1 INFCL_EMULATOR_SM=90 TRITON_INTERPRET=1
  export INFCL_CUDA_LIBRARY="$BUILD/emulator/libinfcl_cuda_emulator.so" CUDA_CACHE_PATH="$WORK/jit"
  unset INFCL_CUBLAS_LIBRARY INFCL_CUDA_PATH
  mkdir -p "$OUT" || exit 2
  CHILD=
  trap '[ -z "$CHILD" ] || kill -TERM "$CHILD"; exit 1' TERM INT HUP
  rm -rf "$WORK/state" "$WORK/files"
  : > "$WORK/all-stages"
  before=$WORK/before
  touch "$before"
  rehearse_use
  rehearse_steps
  rehearse_limits
  [ -n "$QUICK" ] || rehearse_stages
  expect 'nothing was written to the source' sources_unchanged_since "$before"
  echo "rehearsal: $ok_checks checks passed, $bad_checks failed, $SECONDS s; $([ -n "$QUICK" ] && echo 'of the script alone' || echo 'on the emulator, from PTX')"
  [ "$bad_checks" -eq 0 ]
  exit
}

rehearse_stages() {
  local name
  export LIMIT=900
  [ -f "$BUILD/CMakeCache.txt" ] || echo "building in $BUILD: some minutes"
  rehearse_stage 1 one-number
  rehearse_stage 2 sweep-rows sweep-dims float32
  rehearse_stage 3 largest
  for name in $kMustRun; do expect "ran: $name" grep -qE "^ok +$name " "$WORK/all-stages"; done
  expect 'stage 1 again' call 0 1
  expect 'reuses what passed' says '^REUSED +one-number '
  expect 'runs builds only' silent_on '^ok +(machine|kernels|one-number|shapes)'
  echo "---- not run here"
  grep '^NOT RUN' "$WORK/all-stages"
}
