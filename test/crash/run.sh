#!/usr/bin/env bash
# run.sh BUILD_DIR ROUNDS [SEED]: kill -9 rounds on a fresh database.
set -euo pipefail
directory=$(mktemp -d /tmp/pando-crash.XXXXXX)
trap 'rm -rf "$directory"' EXIT
"$1/test/crash/pando_crash_rounds" "$1/pando" "$directory/data" "$2" ${3:+"$3"} || { tail -n 40 "$directory/data.log"; exit 1; }
