#!/usr/bin/env bash
# demo_trees.sh DIRECTORY: three trees of files of this machine: text, small files, incompressible data.
set -u
trees=$1
mkdir -p "$trees/text" "$trees/small" "$trees/random"

# take LIMIT-IN-KB TARGET FIND-ARGUMENTS...: copies files until the limit, numbered, so that equal names do not meet
take() {
    local limit=$(($1 * 1024)) target=$2 size=0 number=0 file length
    shift 2
    while IFS=' ' read -r -d '' length file; do
        size=$((size + length)) number=$((number + 1))
        [ $size -gt $limit ] && break
        cp "$file" "$target/$number-$(basename "$file")"
    done < <(find "$@" -printf '%s %p\0' 2>/dev/null | sort -z -k 2)
}

take 24000 "$trees/text" /usr/lib/python3* /usr/share/perl* /usr/include /usr/lib/dotnet /usr/share/dotnet \
    -type f -size +15k \( -name '*.py' -o -name '*.pm' -o -name '*.pl' -o -name '*.h' -o -name '*.xml' \)
take 3000 "$trees/small" /usr/share /usr/lib/python3* -type f -size -8 -size +0
head -c 24000000 /dev/urandom >"$trees/random/one"
for number in 2 3 4 5 6 7 8; do head -c $((300000 * number)) /dev/urandom >"$trees/random/$number"; done

if [ "$(du -sk "$trees/text" | cut -f 1)" -lt 2000 ]; then
    for number in 1 2 3 4; do
        seq -f "%.0f: a line of made-up text, as this machine has none" 40000 >"$trees/text/made-$number"
    done
fi
