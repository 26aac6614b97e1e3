#!/usr/bin/env bash
# tidy_changed.sh BUILD_DIR [BASE]: clang-tidy on the sources that changed since BASE (default: the previous commit).
set -euo pipefail
build=$1
base=${2:-HEAD~1}
mapfile -t changed < <(git diff --name-only --diff-filter=d "$base" -- 'src/*.cc')
[ ${#changed[@]} -eq 0 ] && { echo "no source file changed since $base"; exit 0; }
clang-tidy-19 -p "$build" --quiet --warnings-as-errors='*' "${changed[@]}"
