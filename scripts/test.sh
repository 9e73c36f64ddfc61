#!/usr/bin/env bash
# `make test`: every check, each to its end, then one summary.
#
# A failed check does not stop the later ones: who mends a lint wants to know about the tests
# as well. The exit code is 1 when any check failed. Expects scripts/setup.sh to have run.
set -uo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$root" || exit 1

# Above this the folder that build servers keep between runs is emptied.
readonly target_limit_gib=12

# A test that meets a snapshot it does not know must fail, not write one.
export INSTA_UPDATE=${INSTA_UPDATE:-no}
export PATH=$local_dir/bin:$PATH

readonly summary=$local_dir/test-summary.txt
log=$(mktemp)
trap 'rm -f "$log"' EXIT
rows=()
failures=0

# check NAME COMMAND...: runs it, keeps what it prints on stdout for the counting of tests.
check() {
  local name=$1 began=$SECONDS result=ok
  shift
  say "" "== $name: $*"
  "$@" | tee -a "$log"
  if ((PIPESTATUS[0] != 0)); then
    result=FAILED
    failures=$((failures + 1))
  fi
  rows+=("$(printf '  %-28s %-7s %4d s' "$name" "$result" $((SECONDS - began)))")
}

# The sum of one word over cargo's lines "test result: ok. 12 passed; 0 failed; 0 ignored; ...".
sum_of() {
  awk -v word="$1" '/^test result: / { for (i = 2; i <= NF; i++) if ($i ~ "^" word) n += $(i - 1) }
    END { print n + 0 }' "$log"
}

# What failed, by name, with what the fault suite says of it.
failed_names() {
  awk '/^(test|fault) .* \.\.\. FAILED/ { print; follows = 1; next }
    follows && /^       / { print; next }
    { follows = 0 }
    /NOT CAUGHT$/' "$log" | cut -c 1-300
}

# The binary that the tests have just built; `cargo run` would build its dependencies once more,
# without the features that test crates ask of them.
tidegate() { "${CARGO_TARGET_DIR:-target}/debug/tidegate" "$@"; }

# The folder that a build server keeps between runs is used by one run at a time, and holds nothing
# of Tidegate itself from an earlier one: cargo tells checkouts in different places apart by the age
# of their files alone, and could take another checkout's build for this one's.
take_kept_target() {
  [[ -n ${CI:-} ]] || return 0
  local gib
  mkdir -p "$CARGO_TARGET_DIR"
  exec 9>"$CARGO_TARGET_DIR.lock"
  flock 9
  gib=$(du -s --block-size=1G "$CARGO_TARGET_DIR" | cut -f 1)
  if ((gib > target_limit_gib)); then
    say "  $CARGO_TARGET_DIR holds $gib GiB: emptied"
    rm -rf "$CARGO_TARGET_DIR"
  fi
  cargo clean --quiet --locked --package tidegate
}

mkdir -p "$local_dir"
rm -f "$summary"
take_kept_target
# Written anew by the tests of the two suites of texts.
readonly suites=${CARGO_TARGET_DIR:-target}/tmp/suite
rm -f "$suites"-*.txt

check "format" cargo fmt --all -- --check
check "lints" cargo clippy --quiet --locked --all-targets --all-features -- -D warnings
check "lints, engine alone" cargo clippy --quiet --locked --all-targets --no-default-features -- -D warnings
# Without optimisation they save more in building than they lose in running.
readonly plain=(env CARGO_PROFILE_DEV_OPT_LEVEL=0)
check "tests, engine alone" "${plain[@]}" cargo test --locked --no-fail-fast --no-default-features
check "unit tests, with Kafka" "${plain[@]}" cargo test --locked --no-fail-fast --all-features --lib
# Most tests wait for sessions, leaders and restarts.
check "tests, with Kafka" cargo test --locked --no-fail-fast --all-features --bins --test it -- --test-threads=6
check "examples in comments" cargo test --locked --all-features --doc
check "lints, fault suite" cargo clippy --quiet --locked --test faults --all-features -- -D warnings
check "faults, short" cargo test --quiet --locked --all-features --test faults -- short
check "fuzz targets build" scripts/fuzz.sh build
check "rules check" tidegate rules check --strict
check "rules test" tidegate rules test
check "licences and sources" cargo deny --all-features --locked check --hide-inclusion-graph bans licenses sources

passed=$(sum_of passed)
failed=$(sum_of failed)
ignored=$(sum_of ignored)
{
  echo
  echo "Tidegate's checks"
  printf '%s\n' "${rows[@]}"
  printf '  %-28s %-7s %4d s\n' "all" "$([[ $failures == 0 ]] && echo ok || echo FAILED)" "$SECONDS"
  # An ignored test is a test that never runs; there is no place for one here.
  ((ignored == 0)) || echo "  $ignored tests are marked as ignored: mend or remove them"
  echo
  failed_names
  cat "$suites"-*.txt 2>/dev/null
  echo "$passed passed, $failed failed"
} >"$summary"
cat "$summary"
((failures == 0 && ignored == 0 && passed > 0))
