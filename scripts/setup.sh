#!/usr/bin/env bash
# Makes .venv and installs the package with what a task needs: setup.sh demo|test|dev.
# Asks nothing, can be run again, and does nothing when all is in place.
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:-test}
environment=${VENV:-.venv}

say() { echo "setup: $*" >&2; }
fail() { say "$*"; exit 1; }

# --- What is installed for which purpose ---------------------------------------------

has_display() {
    [ "$(uname)" = Darwin ] || [ -n "${DISPLAY:-}" ] || [ -n "${WAYLAND_DISPLAY:-}" ]
}

case $purpose in
    demo)
        extras=demo,numba,zarr
        if has_display; then extras=$extras,pyside6; fi
        ;;
    test) extras=test ;;
    dev) extras=test,docs ;;
    *) fail "unknown purpose '$purpose': give demo, test or dev" ;;
esac

# --- System packages (Debian, Ubuntu) ------------------------------------------------

# Install packages if this user may, without a question; otherwise name them and end.
need_packages() {
    local reason=$1 root=() log
    shift
    if ! command -v apt-get >/dev/null; then
        fail "$reason. Install the counterparts of these Debian packages: $*"
    fi
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null ||
            fail "$reason. Run: sudo apt-get install $*   and try again"
        root=(sudo -n)
    fi
    say "$reason: installing $*"
    log=$(mktemp)
    # An unrelated source that cannot be reached makes the update fail; go on then.
    ${root[@]+"${root[@]}"} apt-get update -qq >"$log" 2>&1 </dev/null || true
    if ! ${root[@]+"${root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get install \
        -y -qq --no-install-recommends "$@" >>"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        fail "$reason, and apt-get could not install: $*"
    fi
    rm -f "$log"
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys
sys.exit(print(sys.executable) if sys.version_info >= (3, 11) else 1)' 2>/dev/null; then
            return
        fi
    done
    fail "Python 3.11 or newer was not found. Install it, or name it: make $purpose PYTHON=/path/to/python3"
}

# True if a Python can do what the words after it say.
can() { "$1" -c "$2" >/dev/null 2>&1; }

prepare_system() {
    local python=$1 version missing=()
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    can "$python" 'import venv, ensurepip' || missing+=("python$version-venv")
    can "$python" 'import os, sysconfig
assert os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))' ||
        missing+=("python$version-dev")
    command -v "${CC:-cc}" >/dev/null || missing+=(gcc libc6-dev)
    if [ ${#missing[@]} -gt 0 ]; then
        need_packages "the compiled kernels need a C compiler and Python's headers" \
            "${missing[@]}"
    fi
    if [ "$purpose" != demo ] && [ "$(uname)" = Linux ]; then prepare_display; fi
}

# The GUI tests run in a virtual display with software OpenGL.
prepare_display() {
    local packages=(
        xvfb xauth libgl1 libegl1 libgl1-mesa-dri libopengl0 libglib2.0-0 libdbus-1-3
        libfontconfig1
        libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1
        libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0
    )
    local missing=() package state
    if ! command -v dpkg-query >/dev/null; then
        command -v xvfb-run >/dev/null || need_packages "the tests open windows" \
            "${packages[@]}"
        return
    fi
    for package in "${packages[@]}"; do
        # Newer releases call some of them NAMEt64.
        state=$(dpkg-query -W -f '${Status}\n' "$package" "${package}t64" 2>/dev/null ||
            true)
        [[ $state == *"ok installed"* ]] || missing+=("$package")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        need_packages "the tests open windows in a virtual display" "${missing[@]}"
    fi
}

# --- The environment -----------------------------------------------------------------

# Changes whenever something that is installed has changed.
fingerprint() {
    {
        echo "$extras"
        find pyproject.toml CMakeLists.txt napari.yaml codegen src -type f \
            ! -name '*.pyc' -exec cksum {} + 2>/dev/null | sort
    } | cksum
}

make_environment() {
    local python=$1
    if ! can "$environment/bin/python" 'import sys, pip
sys.exit(sys.version_info < (3, 11))'; then
        say "making $environment with $python"
        rm -rf "$environment"
        "$python" -m venv "$environment"
    fi
}

main() {
    local python stamp="$environment/.installed-$purpose" editable=() log
    python=$(find_python)
    prepare_system "$python"
    make_environment "$python"
    if [ "$(cat "$stamp" 2>/dev/null)" = "$(fingerprint)" ]; then return; fi
    say "installing napari-nanopyx[$extras] into $environment (some minutes the first time)"
    rm -f "$environment"/.installed-*
    if [ "$purpose" = dev ]; then editable=(--editable); fi
    log=$(mktemp)
    if ! "$environment/bin/python" -m pip install --disable-pip-version-check \
        --quiet ${editable[@]+"${editable[@]}"} ".[$extras]" >"$log" 2>&1 </dev/null; then
        tail -n 60 "$log" >&2
        rm -f "$log"
        fail "the installation failed; the end of pip's report is above"
    fi
    rm -f "$log"
    fingerprint >"$stamp"
}

main
