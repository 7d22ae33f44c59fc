# every_call.sh FAULT ERRNO...: runs steps.py as often as it makes system calls on backing files; the n-th time the n-th call fails.
# The errnos are those that the program may see.
fault=$1 directory=$work/steps n=1
shift
export MODEL=$work/model
while :; do
    timeout -k 5 60 "$TOOLS/inject" "$directory/" "$work/count" $n "$fault" python3 -S "$here/parts/faults/steps.py" "$directory" "$@" ||
        { echo "call $n of $(cat "$work/count"), fault $fault: status $?"; exit 1; }
    timeout -k 5 60 python3 -S "$here/parts/faults/steps.py" "$directory" verify || { echo "after call $n, fault $fault"; exit 1; }
    total=$(cat "$work/count")
    rm -f "$directory"/*
    [ $n -lt "$total" ] || break
    n=$((n + 1))
done
echo "$n calls"
