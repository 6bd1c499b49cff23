# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by tools/run, tools/check and tools/peers: what they need before they can do their own work.

readonly packages=(
  build-essential clang cmake ninja-build python3 spin
  libasio-dev libgflags-dev libgtest-dev librapidcheck-dev librocksdb-dev libxxhash-dev
)

say() { printf '== %s\n' "$*"; }

# A mistake of the caller: exit 2, so that scripts can tell it from a failed build or test.
usage_error() {
  printf '%s: %s\nTry %s --help.\n' "$0" "$*" "$0" >&2
  exit 2
}

# Runs a command as root, if there is a way that asks no question.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

can_be_root() {
  [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null
}

# Prints those of the packages named that dpkg does not have installed.
missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
  done
}

# Installs those of the packages named that are missing. Makes no apt call when none is.
install_packages() {
  local missing
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    printf 'This is not a Debian system. Install what these packages of Debian 12 contain, then build with cmake:\n  %s\n' \
      "$*" >&2
    exit 1
  fi
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! can_be_root; then
    printf 'These packages are missing, and without root or sudo they cannot be installed from here:\n  %s\nInstall them with:\n  apt-get install %s\n' \
      "${missing[*]}" "${missing[*]}" >&2
    exit 1
  fi
  say "Installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
}

install_dependencies() { install_packages "${packages[@]}"; }

# configure PRESET: quick when nothing changed. ccache is used where it happens to be.
configure() {
  local launcher=()
  if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
  say "Configuring $1"
  cmake --preset "$1" "${launcher[@]}"
}

# build PRESET [TARGET…]: all that the preset builds, or these targets.
build() {
  local preset=$1
  shift
  say "Building $preset in build/$preset"
  if [ $# -gt 0 ]; then set -- --target "$@"; fi
  cmake --build --preset "$preset" "$@"
}
