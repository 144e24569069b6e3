# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
#
# What ./quickstart, t/run and .ci/run share: install what is missing, build outside the source
# tree. Sourced with the project's folder as the current one. REDIR307_BUILDDIR names the build
# folder (./build unless set), REDIR307_CONFIGURE adds arguments for configure.

build_packages='autoconf automake libtool make gcc libc6-dev pkg-config flex bison
    apache2-bin apache2-dev libpcre2-dev libidn2-dev libcsv-dev zlib1g-dev libjansson-dev
    libcurl4-openssl-dev libxxhash-dev perl curl tzdata'
test_packages='mandoc nghttp2-client nodejs openssl python3-h2 python3-httpx python3-jsonschema
    python3-requests valgrind'

say() { printf '\n%s\n' "$*"; }
fail() {
    printf '%s\n' "$*" >&2
    exit 3
}

# The packages of "$@" that Debian does not have installed here.
missing_packages() {
    for package; do
        state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || state=
        [ "$state" = installed ] || printf ' %s' "$package"
    done
}

# Installs what is missing of "$@": as root, through sudo, or by telling what to type.
install_packages() {
    if ! command -v apt-get >/dev/null 2>&1; then
        say "No apt-get here: configure will name what is missing."
        return 0
    fi
    # shellcheck disable=SC2046
    set -- $(missing_packages "$@")
    [ $# -gt 0 ] || return 0
    as_root=
    if [ "$(id -u)" != 0 ]; then
        # Without a terminal sudo could only fail or wait for a password.
        if command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
            as_root=sudo
        else
            fail "Packages are missing. Run this line as root, then start again:
    apt-get update && apt-get install -y --no-install-recommends $*"
        fi
    fi
    say "Installing: $*"
    log=$(mktemp)
    if ! { $as_root apt-get update &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y \
            --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "apt-get failed; its last lines stand above"
    fi
    rm -f "$log"
}

# Builds in $REDIR307_BUILDDIR. The log goes to build.log there; $1=loud shows it as well.
build_project() {
    source_dir=$(pwd)
    : "${REDIR307_BUILDDIR:=$source_dir/build}"
    case $REDIR307_BUILDDIR in /*) ;; *) REDIR307_BUILDDIR=$source_dir/$REDIR307_BUILDDIR ;; esac
    export REDIR307_BUILDDIR
    mkdir -p "$REDIR307_BUILDDIR"
    say "Building in $REDIR307_BUILDDIR"
    # A newer configure.ac or Makefile.am is make's business afterwards.
    if [ ! -x configure ]; then
        autoreconf -fi >"$REDIR307_BUILDDIR/autoreconf.log" 2>&1 || {
            tail -n 20 "$REDIR307_BUILDDIR/autoreconf.log" >&2
            fail "autoreconf failed; see $REDIR307_BUILDDIR/autoreconf.log"
        }
    fi
    # shellcheck disable=SC2086
    if ! (
        set -e
        cd "$REDIR307_BUILDDIR"
        if [ ! -f Makefile ] ||
            [ "$(cat configured-with 2>/dev/null)" != "${REDIR307_CONFIGURE-}" ]; then
            "$source_dir/configure" --quiet ${REDIR307_CONFIGURE-}
            printf '%s\n' "${REDIR307_CONFIGURE-}" >configured-with
        fi
        make --no-print-directory -j"$(nproc 2>/dev/null || echo 1)" all
    ) >"$REDIR307_BUILDDIR/build.log" 2>&1; then
        tail -n 40 "$REDIR307_BUILDDIR/build.log" >&2
        fail "the build failed; all of it is in $REDIR307_BUILDDIR/build.log"
    fi
}
