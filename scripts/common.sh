# shellcheck shell=bash
# What the scripts share: how they speak, where they keep things, which cargo they use.
# Sourced, never run. Everything said to a person goes to stderr.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root

# Downloads, shared by every checkout on this machine.
cache=${TIDEGATE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/tidegate}
readonly cache

# What the programs and the tests of this checkout look into.
# shellcheck disable=SC2034
readonly local_dir=$root/.tidegate

# EX_UNAVAILABLE of sysexits.h: something outside this repository is missing.
readonly unavailable=69

say() { printf '%s\n' "$*" >&2; }

# step NAME TEXT...: one line a step, whether it did something or found it done.
step() {
  local name=$1
  shift
  printf '  %-16s %s\n' "$name" "$*" >&2
}

# give_up TEXT...: one paragraph that names the line to run, then exit 69.
give_up() {
  printf '\n%s\n\n' "$*" >&2
  exit "$unavailable"
}

# rustup puts cargo where only a new login shell looks.
if ! command -v cargo >/dev/null && [[ -x ${HOME:-}/.cargo/bin/cargo ]]; then
  PATH=$PATH:$HOME/.cargo/bin
fi

# On a build server every run has a fresh checkout; what cargo built is kept beside the downloads.
if [[ -n ${CI:-} ]]; then
  export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
  export CARGO_INCREMENTAL=${CARGO_INCREMENTAL:-0}
fi
