# Sourced by the benchmarks whose drivers are in bench/drivers.
source "$(dirname "${BASH_SOURCE[0]}")/../script/lib/common.sh"
source "$ROOT/script/lib/downloads.sh"
cd "$ROOT"
PROGRAMS=$ROOT/build/release/bin

# build TARGET...: the release, quietly where there is nothing to do.
build() {
  script/bootstrap --bench
  configure release
  cmake --build --preset release --target "$@"
}

# drive NAME [options]: bench/drivers/NAME.py
drive() {
  local name=$1
  shift
  exec "$(system_python)" "$ROOT/bench/drivers/$name.py" "$@"
}
