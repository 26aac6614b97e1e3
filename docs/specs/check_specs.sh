#!/usr/bin/env bash
# Checks the models of this folder with spin: liveness.pml must hold, and must fail with each of its planted errors.
# usage: check_specs.sh [DIRECTORY FOR SPIN'S FILES]
set -euo pipefail
specs=$(cd "$(dirname "$0")" && pwd)
work=${1:-$(mktemp -d)}
mkdir -p "$work" && cd "$work"

# check NAME EXPECTED-ERRORS [DEFINES...]
check() {
  local name=$1 expected=$2
  shift 2
  spin "$@" -a "$specs/liveness.pml" >/dev/null
  cc -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=3000 -o pan pan.c 2>/dev/null
  local output
  output=$(./pan -m1000000 -E -w24 2>&1)
  local errors states
  errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' <<<"$output" | head -1)
  states=$(sed -n 's/ *\([0-9.e+]*\) states, stored.*/\1/p' <<<"$output" | head -1)
  if grep -q "max search depth too small\|pan: out of memory\|memory limit" <<<"$output"; then
    echo "liveness.pml $name: the search was not complete"
    exit 1
  fi
  if [ "$errors" != "$expected" ]; then
    echo "liveness.pml $name: $errors errors, expected $expected"
    exit 1
  fi
  echo "liveness.pml $name: as expected ($errors errors, $states states)"
}

check "as it is" 0
for error in FORGET_PROMISES REVIVE_EPOCH TRUST_FROM_RECEIPT LEASE_IGNORES_EPOCH FORGET_FORTIFICATION; do
  check "with $error" 1 "-D$error"
done
