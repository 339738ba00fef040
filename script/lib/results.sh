# Sourced by script/test: runs steps one after the other, times them, and counts what passed and failed.
RESULTS=$(mktemp -d)
STEP=0
trap 'end_step; rm -rf "$RESULTS"' EXIT
trap 'exit 130' INT TERM

end_step() { [ "$STEP" -eq 0 ] || kill -- "-$STEP" 2>/dev/null || true; }

# run_step NAME COMMAND...: in the background and in a process group of its own, so that a signal ends all of it at once.
run_step() {
  local name=$1 started=$SECONDS status=0
  shift
  say "$name"
  set -m
  "$@" </dev/null &
  STEP=$!
  set +m
  wait "$STEP" || status=$?
  STEP=0
  printf '   %s: %s in %d s\n' "$name" "$([ $status -eq 0 ] && echo passed || echo "FAILED ($status)")" \
    $((SECONDS - started))
  return $status
}

# counted_step NAME COMMAND...: a step that counts as one test.
counted_step() {
  if run_step "$@"; then echo "passed $1" >>"$RESULTS/steps"; else echo "failed $1" >>"$RESULTS/steps"; fi
}

# needed_step NAME COMMAND...: counts only when it fails; the result says whether to go on.
needed_step() {
  run_step "$@" && return
  echo "failed $1" >>"$RESULTS/steps"
  return 1
}
