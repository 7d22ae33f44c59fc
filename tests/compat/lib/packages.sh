# What a suite needs of the distribution.

# header FILE FIELD: "# field: value" at the top of a suite
header() { sed -n "s/^# $2: //p" "$1" | head -n 1; }

# install_packages PACKAGE...: installs what is missing; says why not, where it cannot
install_packages() {
    local package missing=()
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ]; then
        echo "not installed: ${missing[*]}"
        return 1
    fi
    # No server of the distribution's may start by being installed.
    local policy=/usr/sbin/policy-rc.d ours=no status=0
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy && ours=yes
    fi
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
        install -y -qq --no-install-recommends "${missing[@]}"; } >"$RUN/apt.log" 2>&1 || status=1
    [ $ours = no ] || rm -f $policy
    [ $status = 0 ] || echo "cannot be installed: ${missing[*]} ($(tail -n 1 "$RUN/apt.log"))"
    return $status
}

# debian_source PACKAGE DIRECTORY: unpacks its source, from the archives that this system already uses. Not every mirror has
# the newest one: then an older one.
debian_source() {
    local state=$SCRATCH/apt options version
    mkdir -p "$state/lists/partial" "$state/sources" "$2"
    { cat /etc/apt/sources.list; cat /etc/apt/sources.list.d/*.list; } 2>/dev/null |
        sed -n 's/^deb /deb-src /p' >"$state/sources/all.list"
    cat /etc/apt/sources.list.d/*.sources 2>/dev/null |
        sed 's/^Types:.*/Types: deb-src/' >"$state/sources/all.sources"
    options=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$state/sources" -o "Dir::State::lists=$state/lists"
        -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update -qq # some archives have no sources
    for version in $(apt-cache "${options[@]}" showsrc --only-source "$1" | sed -n 's/^Version: //p' | sort -Vru); do
        (cd "$2" && apt-get "${options[@]}" source -qq "$1=$version") && return
    done
    return 1
}
