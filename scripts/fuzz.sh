#!/usr/bin/env bash
# Fuzz targets: `build` compiles them as they are, `run` lets each look for trouble for a while.
#
#   scripts/fuzz.sh build
#   scripts/fuzz.sh run [SECONDS] [TARGET...]     60 seconds each, all of them
#
# Stable Rust is enough: the fuzzer's view of the code is a pass of the compiler, not a sanitizer.
# What a run finds stays in .tidegate/fuzz/<target>/finds; the corpus it grows lies beside it.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$root"

readonly targets=(post_decode rule_file normalize_offsets scan_vs_naive)
# Shared with the other builds, so that most dependencies are there already.
readonly build_dir=${CARGO_TARGET_DIR:-target}

# Which places were reached, and what comparisons looked for.
readonly coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing"

build() {
  cargo build --quiet --locked --manifest-path fuzz/Cargo.toml --target-dir "$build_dir" --bins
}

# With the target named, the flags stay off build scripts and macros.
build_to_run() {
  local host
  host=$(rustc -vV | sed -n 's/^host: //p')
  RUSTFLAGS="$coverage" cargo build --quiet --locked --release --manifest-path fuzz/Cargo.toml \
    --target "$host" --target-dir "$build_dir/fuzz" --bins
  programs=$build_dir/fuzz/$host/release
}

run() {
  local seconds=${1:-60} target folder failed=0
  shift || true
  local chosen=("$@")
  ((${#chosen[@]} > 0)) || chosen=("${targets[@]}")
  build_to_run
  for target in "${chosen[@]}"; do
    folder=$local_dir/fuzz/$target
    mkdir -p "$folder/corpus" "$folder/finds"
    say "" "== $target, $seconds s"
    "$programs/$target" "$folder/corpus" "fuzz/seeds/$target" -max_total_time="$seconds" \
      -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 -verbosity=0 \
      -artifact_prefix="$folder/finds/" || failed=1
  done
  return "$failed"
}

case ${1:-} in
  build) build ;;
  run) shift && run "$@" ;;
  *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2 && exit 64 ;;
esac
