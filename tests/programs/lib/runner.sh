# How a command gets into a volume. The only file of the suite that knows overlay-ctl's command line.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
OVERLAY_OUT=${OVERLAY_OUT:-$repository/out}
OVERLAY_RUNNER=${OVERLAY_RUNNER:-overlay}
OVERLAY_CTL=$OVERLAY_OUT/bin/overlay-ctl
OVERLAY_SHIM=$OVERLAY_OUT/lib/overlay/liboverlay-shim.so
export OVERLAY_OUT OVERLAY_RUNNER OVERLAY_CTL OVERLAY_SHIM

runner_check() {
    [ "$OVERLAY_RUNNER" = none ] && return 0
    [ -x "$OVERLAY_CTL" ] && [ -e "$OVERLAY_SHIM" ] && return 0
    echo "no built tree in $OVERLAY_OUT: run 'make build' first, or set OVERLAY_OUT" >&2
    return 1
}

# new_key FILE
new_key() { (umask 077 && head -c 32 /dev/urandom >"$1"); }

# new_volume DIRECTORY KEY [INIT-ARGUMENTS...]
new_volume() {
    local volume=$1 key=$2
    shift 2
    mkdir -p "$volume"
    [ "$OVERLAY_RUNNER" != none ] || return 0
    if [ "$OVERLAY_RUNNER" = shim ]; then
        volume=$volume.elsewhere
        mkdir "$volume"
    fi
    # shellcheck disable=SC2086
    "$OVERLAY_CTL" init "$volume" --key-file "$key" ${OVERLAY_INIT_ARGS:-} "$@" </dev/null
}

# in_volume DIRECTORY KEY COMMAND...
in_volume() {
    local volume=$1 key=$2
    shift 2
    case $OVERLAY_RUNNER in
        none) "$@" ;;
        shim) "$OVERLAY_CTL" run --volume "$volume.elsewhere" --key-file "$key" -- "$@" ;;
        *) "$OVERLAY_CTL" run --volume "$volume" --key-file "$key" -- "$@" ;;
    esac
}

# build_tools DIRECTORY: the C helpers, compiled once a run
build_tools() {
    local source
    mkdir -p "$1/bin"
    for source in "$repository"/tests/programs/lib/*.c; do
        "${CC:-cc}" -O2 -Wall -Wextra -Werror -o "$1/bin/$(basename "$source" .c)" "$source" || return 1
    done
    export TOOLS=$1/bin
}

# selected NAME: does it contain one of the command line's patterns, if there are any?
selected() {
    [ ${#patterns[@]} = 0 ] && return 0
    local pattern
    for pattern in "${patterns[@]}"; do
        # shellcheck disable=SC2053
        [[ $1 == *$pattern* ]] && return 0
    done
    return 1
}
