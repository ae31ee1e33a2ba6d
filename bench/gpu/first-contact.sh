#!/usr/bin/env bash
# The first half hour with a new card: three stages of at most ten minutes each, most informative first.
#
#   bash bench/gpu/first-contact.sh 1          is it right?   facts of the chip, build, kernels, engine, one number, shapes
#   bash bench/gpu/first-contact.sh 2          where is time? kernels of a call, sweeps, PyTorch and Triton on the same shapes
#   bash bench/gpu/first-contact.sh 3          is it sound?   memory, abort, slabs, compute-sanitizer, the largest batches
#   bash bench/gpu/first-contact.sh rehearse   the same steps on the emulator, without a card; checks this script
#
# Options after the word:
#   --fresh      runs all steps; without it, steps that passed in an earlier call on the same source and card are reused
#   --build DIR  a build folder to use; without it, one in the work folder
#   --quick      of a rehearsal: checks how steps end, are limited and are reused; builds nothing
# Environment:
#   OUT    where results go: stageN.log, .summary, .tgz, .json   (default: out in the work folder)
#   WORK   builds, the driver's cache, state                     (default: infcl-first-contact in TMPDIR)
#   LIMIT  seconds of a stage                                     (default: 570)
#   ADDON  an infcl.node whose images stage 1 loads on the card   (default: the images of this build)
#   CAPABILITY  of the card, such as 9.0, where nvidia-smi does not tell
#   CUDA_HOME, CUDA_VISIBLE_DEVICES, INFCL_CUBLAS_LIBRARY         as usual
#
# Needs nvcc, cmake, a C++ compiler; no Node, no network. ninja, ncu, nsys, compute-sanitizer, python3 with PyTorch and Triton
# are used where they are installed. Exit status: 0 all passed, 1 something failed, 2 wrong use, 3 not everything had time.
set -u

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" > /dev/null && pwd) || exit 2
SCRIPT=$HERE/first-contact.sh
SRC=${HERE%/bench/gpu}
export SCRIPT SRC
# shellcheck source=bench/gpu/first-contact/steps.sh
. "$HERE/first-contact/steps.sh"
# shellcheck source=bench/gpu/first-contact/tools.sh
. "$HERE/first-contact/tools.sh"
# shellcheck source=bench/gpu/first-contact/profile.sh
. "$HERE/first-contact/profile.sh"
# shellcheck source=bench/gpu/first-contact/stages.sh
. "$HERE/first-contact/stages.sh"
# shellcheck source=bench/gpu/first-contact/rehearsal.sh
. "$HERE/first-contact/rehearsal.sh"

usage() {
  echo "first-contact: $*" >&2
  echo "usage: bash $SCRIPT 1|2|3|rehearse [--fresh] [--build DIR] [--quick]; the head of that file says more" >&2
  exit 2
}

# run-function NAME...: how a step starts a function of these files in a shell of its own (steps.sh).
if [ "${1:-}" = run-function ]; then
  shift
  "$@"
  exit
fi

WORD=${1:-}
[ $# -eq 0 ] || shift
case $WORD in
  1 | 2 | 3 | rehearse | selftest) ;;
  '') usage "which stage?" ;;
  *) usage "no stage is called '$WORD'" ;;
esac
FRESH='' BUILD='' QUICK=''
while [ $# -gt 0 ]; do
  case $1 in
    --fresh) FRESH=1 ;;
    --quick) [ "$WORD" = rehearse ] || usage "--quick is of a rehearsal"; QUICK=1 ;;
    --build) [ $# -gt 1 ] || usage "--build needs a folder"; BUILD=$2; shift ;;
    *) usage "unknown option '$1'" ;;
  esac
  shift
done
LIMIT=${LIMIT:-570}
case $LIMIT in '' | *[!0-9]*) usage "LIMIT is '$LIMIT', but must be whole seconds" ;; esac
[ "$LIMIT" -ge 30 ] || usage "LIMIT is $LIMIT, but a stage needs 30 s at least"

absolute() { case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }
WORK=$(absolute "${WORK:-${TMPDIR:-/tmp}/infcl-first-contact}")
OUT=$(absolute "${OUT:-$WORK/out}")
BUILD=$(absolute "${BUILD:-$WORK/build}")
if ! on_emulator && [ -n "${INFCL_CUDA_LIBRARY:-}" ]; then
  [ "$WORD" = rehearse ] || usage "INFCL_CUDA_LIBRARY is set, but a stage is for the card's own driver: unset it, or rehearse"
fi
mkdir -p "$WORK" "$OUT" || usage "cannot write to '$WORK' and '$OUT': set WORK and OUT"

CUDA=${CUDA_HOME:-/usr/local/cuda}
PATH=$PATH:$CUDA/bin
export PATH CUDA WORK OUT BUILD
export CUDA_DEVICE_ORDER=PCI_BUS_ID                                            # nvidia-smi's order
export CUDA_CACHE_PATH=$WORK/jit CUDA_CACHE_MAXSIZE=2147483648 TRITON_CACHE_DIR=$WORK/triton PYTHONUNBUFFERED=1
export PYTHONDONTWRITEBYTECODE=1                                               # the source may be read-only
for tool in nvcc cmake timeout tar; do
  command -v "$tool" > /dev/null || usage "$tool is not on PATH: install it$([ "$tool" != nvcc ] || echo ', or set CUDA_HOME')"
done
[ "$WORD" != rehearse ] || rehearse

STAGE=stage$WORD
[ "$WORD" != selftest ] || STAGE=selftest
STATE=$WORK/state/$STAGE
FILES=$WORK/files/$STAGE
export STAGE FILES
if [ "$WORD" = selftest ]; then
  KEY=${SELFTEST_KEY:-} TARGETS=
elif on_emulator; then
  TARGETS='compute_80;compute_90a' KEY=emulator
else
  capability=$(card_capability)
  case $capability in [0-9]*.[0-9]*) ;; *) usage "nvidia-smi shows no card: set CAPABILITY (as 9.0), or rehearse without one" ;; esac
  TARGETS=$(card_target "$capability")
  KEY=$(nvidia-smi -L 2> /dev/null | cksum)
fi
export TARGETS
KEY="$KEY $(source_key)"
if [ -z "${INFCL_CUBLAS_LIBRARY:-}" ] && ! on_emulator; then
  INFCL_CUBLAS_LIBRARY=$(find_cublas)
  if [ -n "$INFCL_CUBLAS_LIBRARY" ]; then export INFCL_CUBLAS_LIBRARY; else unset INFCL_CUBLAS_LIBRARY; fi
fi

begin_stage
note "source $SRC, kernels for ${TARGETS:-none}, cuBLAS ${INFCL_CUBLAS_LIBRARY:-not found: its columns will be missing}"
"stage_$WORD"
end_stage
