#!/usr/bin/env bash
# run.sh BUILD CONSUMER CMAKE CXX LIBDIR VERSION
# Installs BUILD into a fresh prefix, moves the prefix (it must be relocatable), and builds CONSUMER against it
# twice: with find_package and with pkg-config. All programs must print the expected line.
set -euo pipefail
build=$1 consumer=$2 cmake=$3 cxx=$4 libdir=$5 version=$6
unset DESTDIR LD_LIBRARY_PATH

work=$build/package/outside
rm -rf "$work"
mkdir -p "$work"

step() { printf '\n-- %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

runs="processhub runs outside its tree"
tests="a worker is tested outside the tree"
check() {  # check PROGRAM LINE: it runs and prints the line
  local line
  line=$("$1" 2>"$work/stderr.txt") || { cat "$work/stderr.txt"; fail "$1 ended with $?"; }
  printf '%s\n' "$line"
  [[ $line == "$2" ]] || { cat "$work/stderr.txt"; fail "$1 printed something else"; }
}

step "install"
"$cmake" --install "$build" --prefix "$work/first" >"$work/install.txt"
prefix=$work/moved
mv "$work/first" "$prefix"
[[ -f $prefix/$libdir/libprocesshub.so ]] || fail "no $libdir/libprocesshub.so"
if grep -rlF -e "$build" -e "$work" "$prefix/include" "$prefix/$libdir/cmake" "$prefix/$libdir/pkgconfig"; then
  fail "these installed files name the build folder"
fi
for page in README.md docs/guide/index.md examples/quickstart/main.cpp; do
  [[ -f $prefix/share/doc/processhub/$page ]] || fail "no share/doc/processhub/$page"
done
for program in "$prefix"/bin/*; do
  [[ -e $program ]] || continue
  if ldd "$program" | grep "not found"; then fail "$program lacks libraries"; fi
  ldd "$program" | grep -F libprocesshub | grep -qvF "$prefix" && fail "$program uses another libprocesshub"
done

step "find_package(processhub $version)"
"$cmake" -G Ninja -S "$consumer" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_COMPILER="$cxx" \
  -DWANTED_VERSION="$version" >"$work/configure.txt" || { cat "$work/configure.txt"; fail configure; }
"$cmake" --build "$work/cmake"
check "$work/cmake/consumer" "$runs"
check "$work/cmake/worker_test" "$tests"

step "pkg-config"
export PKG_CONFIG_PATH=$prefix/$libdir/pkgconfig
[[ $(pkg-config --modversion processhub) == "$version" ]] || fail "processhub.pc has another version"
read -ra flags <<<"$(pkg-config --cflags --libs processhub)"
flags+=(-std=c++20 -Wall -Wextra -Werror -Wl,-rpath,"$prefix/$libdir")
"$cxx" "$consumer/main.cpp" "${flags[@]}" -o "$work/plain"
check "$work/plain" "$runs"
"$cxx" "$consumer/worker_test.cpp" "${flags[@]}" -lprocesshub_testing -o "$work/plain_test"
check "$work/plain_test" "$tests"
