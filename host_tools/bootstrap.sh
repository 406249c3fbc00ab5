#!/bin/sh
# Sets up what a fresh clone needs: bootstrap.sh run | dev | python | system
#   run     the system's compiler and Python, .venv with nnmicro, the MicroPython interpreter
#   dev     the same, and what the tests need: packages, and two emulated boards with their firmware. NNMICRO_BOARDS=0
#           leaves the boards out; their tests are then skipped by name
#   python  the system's compiler and Python, and .venv
#   system  only the system's packages
# Says what it will install and how large that is before it begins. What is there already is not touched.
set -eu

kind=${1:-run}
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
cache=${NNMICRO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nnmicro}
# The boards that the tests run on, besides the unix device; what they need is installed below.
boards=
[ "$kind" != dev ] || [ "${NNMICRO_BOARDS:-1}" = 0 ] || boards='qemu_cortex_m4f rpi_pico'
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

missing_for_boards() {
    missing=
    [ -n "$boards" ] || return 0
    command -v arm-none-eabi-gcc >/dev/null || missing="$missing gcc-arm-none-eabi libnewlib-arm-none-eabi"
    command -v qemu-system-arm >/dev/null || missing="$missing qemu-system-arm"
    command -v cmake >/dev/null || missing="$missing cmake"
    command -v ninja >/dev/null || missing="$missing ninja-build"
    command -v node >/dev/null || missing="$missing nodejs"
    command -v npm >/dev/null || missing="$missing npm"
    echo "$missing"
}

needs_micropython() {
    { [ "$kind" = run ] || [ "$kind" = dev ]; } && [ ! -d "$cache/unix" ]
}

is_built() {
    set -- "$cache"/*/"$1"-*
    [ -e "$1" ]
}

say_what_comes() {
    echo "Setting up nnmicro; later runs skip what is done:" >&2
    if [ -n "$missing" ]; then
        echo "  system packages:$missing (up to 60 MB to download, 200 MB on disk)" >&2
    fi
    if [ -n "$missing_boards" ]; then
        echo "  for the emulated boards:$missing_boards (175 MB to download, 1.2 GB on disk; NNMICRO_BOARDS=0 goes without)" >&2
    fi
    if [ "$kind" != system ] && [ ! -e "$stamp-$kind" ]; then
        echo "  Python packages in .venv ($python_size)" >&2
    fi
    if needs_micropython; then
        echo "  MicroPython: its source (18 MB to download, 57 MB on disk) and half a minute to compile it" >&2
    fi
    for board in $boards; do
        is_built "$board" || echo "  firmware for $board: one or two minutes to compile it" >&2
    done
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
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -e ".$extra" >&2 </dev/null ||
        fail "pip could not install what nnmicro uses; the lines above say why. Run the same command again."
    touch "$stamp-run" "$stamp-$kind"
}

missing=$(missing_packages)
missing_boards=$(missing_for_boards)
if [ "$kind" = dev ]; then
    extra='[dev]'
    python_size='235 MB to download, 900 MB on disk'
else
    extra=
    python_size='65 MB to download, 260 MB on disk'
fi
if [ -n "$missing$missing_boards" ] || { [ "$kind" != system ] && [ ! -e "$stamp-$kind" ]; } || needs_micropython; then
    say_what_comes
fi
missing="$missing$missing_boards"
[ -z "$missing" ] || install_packages
[ "$kind" != system ] || exit 0
[ -e "$stamp-$kind" ] || install_python_packages
[ "$kind" != python ] || exit 0
# Opening a device installs and builds what it needs.
devices=unix
for board in $boards; do
    devices="$devices emu:$board"
done
# shellcheck disable=SC2086 # one argument for each device
.venv/bin/python -m host_tools.device.ready $devices || fail "what the tests run on cannot be had; the line above says why.${boards:+ NNMICRO_BOARDS=0 goes without emulated boards.}"
