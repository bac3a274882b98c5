#!/bin/sh
# Everything from a fresh Debian 12 to the verdict: packages, a release build (binaries in build/bin), every suite,
# then the unit tests, every fourth golden, a part of the crash tests and the tunnel again under ASan and UBSan. Fuzzing is a
# minute a target.
#   sh tests/run.sh [--fast] [--suite NAME]... [--report FILE]
#     --fast         unit, golden and layout, without the sanitizers
#     --suite NAME   only this suite (unit golden layout contract e2e crash bench fuzz), without the sanitizers; repeatable
#     --report FILE  writes every figure and the counts of the suites into one JSON file; bench at full size
set -eu
cd "$(dirname "$0")/.."

# nbform asks more of a manifest where CI is set: every run of the tests is one in CI, so that none passes only at home.
export CI=true

all="unit golden layout contract e2e crash bench fuzz"
suites="" sanitizers=yes report=""
usage() { sed -n '2,8s/^# \{0,1\}//p' tests/run.sh; }
while [ $# -gt 0 ]; do
  case "$1" in
    --fast) suites="unit golden layout" sanitizers="" ;;
    --suite) [ $# -gt 1 ] || { usage >&2; exit 2; }
             suites="$suites $2" sanitizers=""; shift ;;
    --report) [ $# -gt 1 ] || { usage >&2; exit 2; }
              report=$2; shift ;;
    -h|--help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
# Among all suites the benches only count, at small sizes: seconds instead of minutes.
[ -n "$suites$report" ] || export NBFORM_BENCH=short
: "${suites:=$all}"
jobs=$(nproc)
begun=$(date +%s)

say() { printf '\n== %s\n' "$*"; }
seconds_since() { echo $(($(date +%s) - $1)); }

wants() { case " $suites " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }
for suite in $suites; do
  case " $all " in
    *" $suite "*) ;;
    *) echo "There is no suite '$suite': $all." >&2; exit 2 ;;
  esac
done

# The outside judges of the contract tests, as pinned in their requirements.
make_venv() {
  venv=build/venv stamp=build/venv/requirements.txt
  cmp -s tests/contract/requirements.txt "$stamp" && return 0
  python3 -m venv --clear "$venv" &&
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r tests/contract/requirements.txt &&
    cp tests/contract/requirements.txt "$stamp"
}

# build LABEL PRESET TARGET...: what does not change is not shown, what fails is.
build() {
  label=$1 preset=$2
  shift 2
  from=$(date +%s)
  directory=build
  [ "$preset" = release ] || directory=build-$preset
  mkdir -p "$directory"
  if ! { cmake --preset "$preset" && cmake --build "$directory" -j "$jobs" --target "$@"; } \
      >"$directory/$label.log" 2>&1; then
    grep -E -A 20 'error|FAILED|CMake Error' "$directory/$label.log" | head -n 80 || tail -n 40 "$directory/$label.log"
    echo "The build failed; all of it is in $directory/$label.log" >&2
    exit 1
  fi
  echo "$label: built in $(seconds_since "$from") s on $jobs cores"
}

say "Packages"
sh examples/packages.sh test

# shellcheck disable=SC2086  # a list of names
by_ctest=$(printf '%s\n' $suites | grep -vx fuzz | tr '\n' '|')
if [ -n "$by_ctest" ]; then
  say "Build"
  build product release nbform nbsim
  build tests release all
fi

if wants contract || wants e2e; then
  say "Clients of others, for the contract tests, and JupyterLab"
  if make_venv >build/venv.log 2>&1; then
    echo "build/venv has what tests/contract/requirements.txt names"
  else
    rm -rf build/venv
    tail -n 3 build/venv.log
    echo "SKIP contract and e2e_jupyter: the Python packages of tests/contract/requirements.txt could not be had"
  fi
fi

failed=""
rm -rf build/requests build/figures build/results.xml build-asan/results.xml build-asan/goldens.xml
[ -z "$report" ] || export NBFORM_REPORT="$PWD/build/figures"
if [ -n "$by_ctest" ]; then
  say "Tests: $suites"
  ctest --test-dir build -j "$jobs" --output-on-failure --timeout 600 --output-junit results.xml -L "^(${by_ctest%|})$" || failed=tests
fi
if wants fuzz; then
  say "Fuzzing, with clang's libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer"
  build fuzz fuzz all
  python3 tests/fuzz/run.py --jobs "$jobs" --seed 1 || failed="$failed fuzz"
fi

[ -z "$report" ] || mkdir -p build/figures
[ -z "$report" ] || python3 tests/report.py merge --figures build/figures --results build/results.xml --build build "$report"
unset NBFORM_REPORT

if [ -n "$sanitizers" ]; then
  say "Unit, every fourth golden, a part of the crash tests and the tunnel under AddressSanitizer and UndefinedBehaviorSanitizer"
  build sanitized asan checked
  export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
  ctest --test-dir build-asan -j "$jobs" --output-on-failure --timeout 900 \
    --output-junit results.xml -L '^(unit|crash|checked)$' || failed="$failed sanitized-tests"
  ctest --test-dir build-asan -j "$jobs" --output-on-failure --timeout 900 -L '^golden$' -I ,,4 \
    --output-junit goldens.xml || failed="$failed sanitized-goldens"
fi

say "Done in $(seconds_since "$begun") s"
if [ -n "$failed" ]; then
  python3 tests/report.py failures build/results.xml build-asan/results.xml build-asan/goldens.xml
  echo "FAILED:" $failed
  exit 1
fi
echo "All passed."
