#!/bin/sh
# From a fresh Debian 12 to a notebook that is planned, made, changed, taken by the cloud, started again and destroyed:
# in a simulated Google Cloud, without an account and without network (but for Debian's packages).
#   sh examples/quickstart.sh
set -eu
cd "$(dirname "$0")/.."
root=$PWD

sh examples/packages.sh build
if [ ! -f build/CMakeCache.txt ] || [ ! -x build/bin/nbform ]; then
  echo "Building nbform; this takes a few minutes once (the log is build/quickstart.log)."
fi
mkdir -p build
if ! { cmake --preset release -DNBFORM_TESTS=OFF && cmake --build build --target nbform nbsim; } >build/quickstart.log 2>&1; then
  tail -n 40 build/quickstart.log >&2
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cp -R examples/gce-spot "$work"
cd "$work/gce-spot"
PATH=$root/build/bin:$PATH

bold="" plain=""
[ -t 1 ] && [ -z "${NO_COLOR-}" ] && bold=$(printf '\033[1m') plain=$(printf '\033[0m')

# run EXIT COMMAND...: shows the command, then what it does; any other exit code ends the tour.
run() {
  wanted=$1 code=0
  shift
  printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"
  "$@" || code=$?
  [ "$code" -eq "$wanted" ] && return 0
  echo "quickstart: exit $code, and $wanted was expected" >&2
  exit 1
}
tell() { printf '\n# %s\n' "$*"; }

tell "A notebook as a file: $PWD/notebooks.nb.yaml (a copy of examples/gce-spot)"
run 0 cat notebooks.nb.yaml
tell "What would be made"
run 0 nbplan --sandbox
tell "Make it"
run 0 nbapply --sandbox -y
tell "Again: nothing is left to do (--detailed-exitcode would say 2 if there were)"
run 0 nbplan --sandbox --detailed-exitcode

tell "An edit: a bigger machine. The plan says what that does to a running kernel"
run 0 sed -i 's/e2-standard-2/e2-standard-4/' notebooks.nb.yaml
run 2 nbplan --sandbox --detailed-exitcode
run 0 nbapply --sandbox -y

tell "Spot: the cloud takes the machine away"
run 0 nbform sandbox preempt eda-spot
run 0 nbform sandbox clock +5m
run 0 nbform status --sandbox
tell "The manifest says restart: true, so the plan starts it again"
run 2 nbplan --sandbox --detailed-exitcode
run 0 nbapply --sandbox -y
run 0 nbform status --sandbox

tell "All of it away"
run 0 nbform destroy --sandbox -y
run 0 nbform sandbox show

printf '\nThat was the whole of it. Your own stack: nbform init, nbplan, nbapply. The program is %s/build/bin/nbform.\n' "$root"
