#!/bin/sh
# Sets up what a fresh clone needs: bootstrap.sh run | dev | system
#   run     the system's compiler and Python, .venv with nnmicro, the MicroPython interpreter
#   dev     the same, and what the tests need
#   system  only the system's packages
# Says what it will install and how large that is before it begins. What is there already is not touched.
set -eu

kind=${1:-run}
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
cache=${NNMICRO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nnmicro}
stamp=.venv/ready-$(cksum pyproject.toml | cut -d ' ' -f 1)

fail() {
    echo "error: $*" >&2
    exit 1
}

missing_packages() {
    missing=
    command -v "$python" >/dev/null || missing="$missing python3"
    "$python" -c 'import venv, ensurepip' 2>/dev/null || missing="$missing python3-venv"
    command -v gcc >/dev/null || missing="$missing gcc"
    command -v make >/dev/null || missing="$missing make"
    [ -e /usr/include/stdio.h ] || [ "$(uname)" != Linux ] || missing="$missing libc6-dev"
    [ -e /etc/ssl/certs/ca-certificates.crt ] || [ ! -e /etc/debian_version ] || missing="$missing ca-certificates"
    echo "$missing"
}

say_what_comes() {
    echo "Setting up nnmicro; later runs skip what is done:" >&2
    if [ -n "$missing" ]; then
        echo "  system packages:$missing (up to 60 MB to download, 200 MB on disk)" >&2
    fi
    if [ "$kind" != system ] && [ ! -e "$stamp-$kind" ]; then
        echo "  Python packages in .venv ($python_size)" >&2
    fi
    if [ "$kind" != system ] && [ ! -d "$cache/unix" ]; then
        echo "  MicroPython: its source (18 MB to download, 57 MB on disk) and half a minute to compile it" >&2
    fi
}

install_packages() {
    command -v apt-get >/dev/null || fail "this system has no apt-get. Please install what these packages bring:$missing"
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "not root, and no sudo here. As root: apt-get install -y$missing"
        as_root=sudo
    fi
    # A list of packages that is too old names files that are gone; a failed update may still leave a good one.
    $as_root apt-get -qq update >&2 || true
    # shellcheck disable=SC2086 # one argument for each package
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >&2 </dev/null ||
        fail "apt-get could not install$missing"
}

install_python_packages() {
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        fail "nnmicro needs Python 3.10 or newer; $python is $("$python" --version). Set PYTHON to another."
    .venv/bin/python -m pip --version >/dev/null 2>&1 || { rm -rf .venv; "$python" -m venv .venv; }
    rm -f .venv/ready-*
    .venv/bin/python -m pip install --disable-pip-version-check -e ".$extra" >&2 </dev/null ||
        fail "pip could not install what nnmicro uses; the lines above say why. Run the same command again."
    touch "$stamp-run" "$stamp-$kind"
}

missing=$(missing_packages)
if [ "$kind" = dev ]; then
    extra='[dev]'
    python_size='235 MB to download, 900 MB on disk'
else
    extra=
    python_size='105 MB to download, 400 MB on disk'
fi
if [ -n "$missing" ] || { [ "$kind" != system ] && { [ ! -e "$stamp-$kind" ] || [ ! -d "$cache/unix" ]; }; }; then
    say_what_comes
fi
[ -z "$missing" ] || install_packages
[ "$kind" != system ] || exit 0
[ -e "$stamp-$kind" ] || install_python_packages
.venv/bin/python -m firmware.build unix >/dev/null
