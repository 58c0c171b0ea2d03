# shellcheck shell=sh
# Shared by the scripts beside it; read with `.`, never run.

# The lists are read by the scripts that source this file.
# shellcheck disable=SC2034

# A requirement is PACKAGE:PROBE. The package is its name on Debian and Ubuntu; the probe is a program or a
# shared library that shows on any other system whether it is there.

requirements_build='build-essential:c++ pkg-config:pkg-config cmake:cmake nasm:nasm'

requirements_window='libx11-6:libX11.so.6 libx11-xcb1:libX11-xcb.so.1 libxcursor1:libXcursor.so.1
libxi6:libXi.so.6 libxrandr2:libXrandr.so.2 libxkbcommon0:libxkbcommon.so.0
libxkbcommon-x11-0:libxkbcommon-x11.so.0 libwayland-client0:libwayland-client.so.0
libwayland-egl1:libwayland-egl.so.1 libvulkan1:libvulkan.so.1 mesa-vulkan-drivers:libvulkan_lvp.so
libegl1:libEGL.so.1 libgl1-mesa-dri:libgbm.so.1'

# A display, a window manager and an input method for the real window; other people's tools as judges.
requirements_test='xvfb:Xvfb xauth:xauth openbox:openbox xdotool:xdotool x11-utils:xwininfo imagemagick:import
xterm:xterm at-spi2-core:at-spi-bus-launcher fcitx5:fcitx5 fcitx5-anthy:fcitx5 dbus:dbus-run-session gnome-keyring:gnome-keyring-daemon
libsecret-tools:secret-tool openssl:openssl dcmtk:dcmdump dicom3tools:dciodvfy orthanc:Orthanc
orthanc-dicomweb:Orthanc python3:python3 python3-venv:python3'

say() {
    printf '%s\n' "$*"
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Whether the probe of a requirement finds it.
probe() {
    case $1 in
        # Only Linux has these; other systems bring what a window needs.
        lib*.so*) [ "$(uname -s)" != Linux ] || PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null | grep -q "[[:space:]]$1 " ;;
        *) PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/libexec" command -v "$1" >/dev/null 2>&1 ;;
    esac
}

# Whether a Debian package is installed.
installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        die "needs root for: $*"
    fi
}

# need REQUIREMENT…: installs what is missing through apt; elsewhere names it and stops.
need() {
    missing=
    if command -v dpkg-query >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
        for requirement; do
            installed "${requirement%%:*}" || missing="$missing ${requirement%%:*}"
        done
        [ -n "$missing" ] || return 0
        say "Installing missing system packages:$missing"
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 update \
            || say 'The package lists could not be renewed; trying with those at hand.'
        # shellcheck disable=SC2086 # package names hold no blanks
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
            install --no-install-recommends $missing || die "apt could not install:$missing"
        # The package starts a server of its own; the tests run theirs, on their own port.
        case "$missing " in
            *' orthanc '*)
                if [ -d /run/systemd/system ]; then
                    as_root systemctl disable --now orthanc \
                        || say 'The service orthanc goes on running; the tests do not need it.'
                fi
                ;;
        esac
    else
        for requirement; do
            probe "${requirement#*:}" || missing="$missing ${requirement%%:*} (${requirement#*:})"
        done
        [ -z "$missing" ] \
            || die "this is not Debian or Ubuntu, and something is missing; install what your system calls:$missing"
    fi
}

need_cargo() {
    command -v cargo >/dev/null 2>&1 || {
        if [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
            PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
            export PATH
        else
            die 'no Rust toolchain found; install one (https://rustup.rs) and start again'
        fi
    }
}

# need_python REQUIREMENTS: a Python environment of its own with these packages; its interpreter is DOKUEI_TEST_PYTHON.
need_python() {
    environment=${XDG_CACHE_HOME:-$HOME/.cache}/dokuei-ci/python-$(cksum <"$1" | cut -d' ' -f1)
    if [ ! -e "$environment/ready" ]; then
        rm -rf "$environment"
        mkdir -p "$(dirname -- "$environment")"
        python3 -m venv "$environment"
        "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement "$1"
        : >"$environment/ready"
    fi
    DOKUEI_TEST_PYTHON=$environment/bin/python
    export DOKUEI_TEST_PYTHON
}
