# Sourced: what the scripts of full disks share.
cd "$1" || exit 1
export HOME=$1 GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z'

# leave_room KIB: takes all else, beside the volume
leave_room() {
    rm -f ../ballast
    local free
    if [ -n "${QUOTA:-}" ]; then
        sync -f ..
        free=$(btrfs qgroup show --raw -rf .. | awk -v kib=0 '$4 ~ /^[0-9]+$/ { kib = int(($4 - $2) / 1024) } END { print kib }')
    else
        free=$(df --output=avail -k . | tail -n 1)
    fi
    head -c $(((free - $1) * 1024)) /dev/zero >../ballast
}
give_room() { rm ../ballast; [ -z "${QUOTA:-}" ] || sync -f ..; } # what is deleted counts until it is committed
# ended COMMAND...: how it ended, and whether it named the full disk
ended() {
    local status=0 said
    said=$("$@" 2>&1 >/dev/null) || status=$?
    # Of a store to the shared counters the kernel does not say which limit it met: ENOSPC then, for which sqlite3 has another status.
    [ -n "${QUOTA:-}" ] && [ "$1: $status" = 'sqlite3: 13' ] && status=10
    echo "$1: status $status"
    # How much of a write still fits is not the same on both disks; tar says so of one that was cut.
    case $said in *"No space left"* | *"Wrote only "* | *"quota exceeded"* | *"disk is full"* | *"disk I/O error"*) echo "full: $1" ;; esac
}
