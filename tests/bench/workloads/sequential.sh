# about: Large files from start to end: four kinds of data in calls of 128 KiB, text also in calls of 4 KiB and 1 MiB. Random bytes cannot be compressed
scope=matrix

measure() {
    one_kind text 128k 131072
    one_kind random 128k 131072
    is_variant "$side" && return
    one_kind database 128k 131072
    one_kind binary 128k 131072
    one_kind text 4k 4096
    one_kind text 1m 1048576
}

one_kind() { # KIND NAME CALL
    settle
    rows sequential write "write-$1-$2" "$here/$1" "$3" "$inputs/$1"
    rows sequential read "read-hot-$1-$2" "$here/$1" "$3" 0
    cold && rows sequential read "read-cold-$1-$2" "$here/$1" "$3" 1
    rm -f "$here/$1"
}
