# Sourced: what the scripts of full disks share.
cd "$1" || exit 1
export HOME=$1 GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z'

# leave_room KIB: takes all else, beside the volume
leave_room() {
    rm -f ../ballast
    local free
    free=$(df --output=avail -k . | tail -n 1)
    head -c $(((free - $1) * 1024)) /dev/zero >../ballast
}
give_room() { rm ../ballast; }
# ended COMMAND...: how it ended, and whether it named the full disk
ended() {
    local status=0 said
    said=$("$@" 2>&1 >/dev/null) || status=$?
    echo "$1: status $status"
    case $said in *"No space left"* | *"disk is full"* | *"disk I/O error"*) echo "full: $1" ;; esac
}
