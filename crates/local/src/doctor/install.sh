# Installs Debian packages without a question and without starting their services.
# $1: the path of policy-rc.d; then the packages.
#
# The policy that keeps services from starting is removed by this shell, not by the program that
# started it, so that it goes even when that program is killed.
set -u
policy=$1
shift
if [ ! -e "$policy" ] || grep -qs 'made by mck' "$policy"; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\n# made by mck for the time of an installation\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
install() {
    apt-get install -y --no-install-recommends -o APT::Status-Fd=1 -o Dpkg::Use-Pty=0 -- "$@"
}
lists() {
    echo 'mck: fetching the lists of packages'
    apt-get update -o Dpkg::Use-Pty=0
}
if [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -7 2>/dev/null)" ]; then
    lists || exit
    install "$@"
else
    # Lists that are too old name versions that the mirror no longer has.
    install "$@" || { lists && install "$@"; }
fi
