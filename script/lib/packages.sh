# Sourced by script/bootstrap: Debian packages, installed only where they are missing.
BUILD_PACKAGES=(g++ cmake ninja-build libboost-dev nlohmann-json3-dev libvalijson-dev libcli11-dev libspdlog-dev libxxhash-dev
  libexpected-dev libarchive-dev libssl-dev pkg-config python3-venv ca-certificates curl)
TEST_PACKAGES=(libgtest-dev libgmock-dev libbenchmark-dev clang-14 clang-tidy-14 clang-format-14 libclang-rt-14-dev
  git binutils)
# Google Benchmark, a client for bench/http, and what llama.cpp's gguf-py needs to write a model.
BENCH_PACKAGES=(libbenchmark-dev wrk python3-numpy python3-yaml)
# The compiler for aarch64, its libraries by Debian's multiarch, and qemu to run what it builds.
AARCH64_PACKAGES=(g++-aarch64-linux-gnu qemu-user libspdlog-dev:arm64 libxxhash-dev:arm64 libarchive-dev:arm64
  libssl-dev:arm64 libgtest-dev:arm64 libgmock-dev:arm64 libgomp1:arm64)

# Those of this machine's architecture, unless a name ends with another one.
missing_packages() {
  local package wanted native found
  native=$(dpkg --print-architecture)
  for package in "$@"; do
    wanted=$native
    [[ $package != *:* ]] || wanted=${package#*:}
    found=$(dpkg-query -W -f '${db:Status-Status} ${Architecture}\n' "$package" 2>/dev/null || true)
    grep -qxE "installed ($wanted|all)" <<<"$found" || echo "$package"
  done
}

install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "This is not a Debian system: these must be there already: $*"
    return
  fi
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  say "Installing ${missing[*]}"
  if ! as_root apt-get update -q </dev/null ||
    ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends --no-remove "${missing[@]}" </dev/null
  then
    fail "these Debian packages could not be installed; as root: apt-get install ${missing[*]}"
  fi
}

# dpkg then knows packages of that architecture, too; nothing that is installed changes.
add_foreign_architecture() {
  ! dpkg --print-foreign-architectures | grep -qx "$1" || return 0
  as_root dpkg --add-architecture "$1" || fail "as root: dpkg --add-architecture $1"
}

# Whether all that a cross-build for aarch64 and its tests need is there.
aarch64_ready() { command -v dpkg-query >/dev/null && [ -z "$(missing_packages "${AARCH64_PACKAGES[@]}")" ]; }
