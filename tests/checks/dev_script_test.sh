#!/usr/bin/env bash
# dev_script_test.sh DEV: what tools/dev does about packages and bad usage, with stand-ins for the system's tools.
set -euo pipefail
dev=$1
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
mkdir "$box/bin"

fail() { printf 'FAILED: %s\n' "$*" >&2; cat "$box/out" >&2; exit 1; }
stand_in() { printf '#!/bin/bash\n%s\n' "$2" >"$box/bin/$1"; chmod +x "$box/bin/$1"; }
run() {  # run EXPECTED-STATUS ARGS...: only the stand-ins and these plain tools are visible
  local expected=$1 state=0
  shift
  : >"$box/apt"
  BOX=$box PATH=$box/bin "$box/bin/bash" "$dev" "$@" >"$box/out" 2>&1 || state=$?
  [[ $state == "$expected" ]] || fail "tools/dev $* ended with $state, not $expected"
}
for tool in bash cat grep env readlink dirname nproc; do ln -s "$(command -v $tool)" "$box/bin/$tool"; done

run 0 help
grep -q demo "$box/out" || fail "help does not name the demo"
run 2 nonsense
run 2 fmt --chekc

# Everything is installed: apt must not be called.
stand_in dpkg-query 'shift 3; for p in "$@"; do echo "installed $p"; done'
stand_in id 'echo 0'
stand_in apt-get 'echo "$@" >>"$BOX/apt"; exit ${APT_STATE:-0}'
run 0 install
[[ ! -s $box/apt ]] || fail "apt-get was called though nothing is missing"

# One package is missing or only half there: root installs that one.
stand_in dpkg-query 'shift 3; for p in "$@"; do [[ $p == cmake ]] && echo "config-files $p" || echo "installed $p"; done'
run 0 install
grep -q 'install --no-install-recommends cmake$' "$box/apt" || fail "root did not install exactly cmake"

# Not root, but with sudo.
stand_in id 'echo 1000'
stand_in sudo 'echo "sudo $*" >>"$BOX/apt"; exec "$@"'
run 0 install
grep -q '^sudo env .*apt-get .*install --no-install-recommends cmake$' "$box/apt" || fail "sudo was not used"

# sudo does not work, then there is none: the exact line, and exit 3.
stand_in sudo 'exit 1'
run 3 install
rm "$box/bin/sudo"
run 3 install
grep -qx '  apt-get update && apt-get install -y cmake' "$box/out" || fail "the line to type is not there"
[[ ! -s $box/apt ]] || fail "apt-get was called without rights"
echo "tools/dev behaves"
