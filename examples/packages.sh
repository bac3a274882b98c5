#!/bin/sh
# The Debian packages that nbform is built with (build) and tested with (test), in this one place.
#   sh examples/packages.sh build|test
# Installs what is missing, through sudo when not root; says what it does, and nothing when all is there.
set -eu

build="g++ cmake ninja-build pkg-config ccache libyaml-cpp-dev libcurl4-openssl-dev libssl-dev libfmt-dev
  libsimdjson-dev libpugixml-dev libcli11-dev libcpp-httplib-dev libssh2-1-dev"
# The fuzz targets want a clang that knows all of C++20: 14, Debian's default, does not.
fuzz="clang-16 libclang-rt-16-dev"
test="git catch2 clang-format-14 openssl openssh-client openssh-server python3 python3-venv $fuzz
  jupyter-notebook python3-ipykernel chromium"

case "${1-}" in
  build) wanted=$build ;;
  test) wanted="$build $test" ;;
  *) echo "usage: sh examples/packages.sh build|test" >&2; exit 2 ;;
esac

missing=""
for package in $wanted; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=""
  [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "This is not Debian: install what corresponds to$missing" >&2
  exit 0
fi
sudo=""
if [ "$(id -u)" -ne 0 ]; then
  sudo=sudo
  command -v sudo >/dev/null || { echo "Run as root: apt-get install$missing" >&2; exit 1; }
fi
echo "Installing from Debian's packages:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086  # a list of names
if ! { $sudo apt-get update && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } \
    >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "The packages could not be installed; they are needed:$missing" >&2
  exit 1
fi
