# Sourced by the scripts: where things are, and how they speak.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${ROCKLLAMA_CACHE_DIR:-$HOME/.cache/rockllama}

say() { printf '== %s\n' "$*"; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Runs a command as root: directly, or by sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    return 127
  fi
}

# configure PRESET [options]: quiet, unless it fails or has to build llama.cpp, which takes minutes.
configure() {
  local log=$ROOT/build/$1.configure.log options=(-DROCKLLAMA_CACHE_DIR="$CACHE")
  [ -z "${FETCHCONTENT_SOURCE_DIR_LLAMA_CPP:-}" ] ||
    options+=(-DFETCHCONTENT_SOURCE_DIR_LLAMA_CPP="$FETCHCONTENT_SOURCE_DIR_LLAMA_CPP")
  mkdir -p "$ROOT/build"
  (cd "$ROOT" && cmake --preset "$@" "${options[@]}") 2>&1 </dev/null | tee "$log" |
    { grep --line-buffered "Building llama" || true; }
  if [ "${PIPESTATUS[0]}" -ne 0 ]; then
    cat "$log"
    return 1
  fi
}
