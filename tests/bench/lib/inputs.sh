# What is written, read and unpacked: real data of this machine, made once a run. make_inputs DIRECTORY MEGABYTES

# cut_to BYTES FILE COMMAND...: the output of the command, again and again until there is enough
cut_to() {
    local bytes=$1 file=$2
    shift 2
    "$@" 2>/dev/null | head -c "$bytes" >"$file"
    while [ "$(stat -c %s "$file")" -lt "$bytes" ]; do
        [ -s "$file" ] || { echo "nothing to make $file of" >&2; return 1; }
        cat "$file" "$file" | head -c "$bytes" >"$file.more" && mv "$file.more" "$file"
    done
}

all_text() {
    find /usr/include /usr/share/perl /usr/lib/python3* "$repository"/{docs,overlay,shim,crypto,metadata} \
        -type f \( -name '*.h' -o -name '*.py' -o -name '*.pm' -o -name '*.pod' -o -name '*.md' -o -name '*.cs' -o -name '*.c' \) -print0 |
        sort -z | xargs -0 cat
}

all_binaries() {
    find /usr/bin /usr/lib/x86_64-linux-gnu /usr/lib64 -type f \( -perm -100 -o -name '*.so.*' \) -size +15k -print0 | sort -z | xargs -0 cat
}

# A tree to unpack, copy, search, clone and compile: Overlay's own sources, and a part of Python's library.
make_tree() {
    mkdir -p "$1/overlay" "$1/python"
    (cd "$repository" && find crypto metadata overlay shim tests/overlay tests/shim tools docs \( -name obj -o -name bin -o -name out \) -prune -o \
        -type f -print0 | tar -c --null -T -) | tar -x -C "$1/overlay" || return
    find /usr/lib/python3.*/ -maxdepth 1 -name '*.py' -exec cp -t "$1/python" {} + 2>/dev/null
    git -C "$1" init -q -b main && git -C "$1" add . &&
        git -C "$1" -c user.name=bench -c user.email=bench@localhost commit -q -m 'The tree'
}

make_inputs() {
    local bytes=$(($2 * 1000000 / 1048576 * 1048576)) scratch=$1/scratch
    mkdir -p "$1"
    cut_to $bytes "$1/text" all_text && cut_to $bytes "$1/binary" all_binaries && cut_to $bytes "$1/random" cat /dev/urandom || return
    "$bench/lib/database.py" "$1/database.full" "$2" "$1/text" && cut_to $bytes "$1/database" cat "$1/database.full" || return
    head -c 1000 "$1/text" >"$1/small"
    make_tree "$scratch" && git clone -q --bare "$scratch" "$1/repository.git" && git -C "$1/repository.git" gc -q || return
    rm -rf "$scratch/.git"
    tar -C "$scratch" -cf "$1/tree.tar" . && rm -rf "$scratch" "$1/database.full"
}
