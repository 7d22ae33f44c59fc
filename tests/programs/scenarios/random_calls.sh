# about: random file calls as root, as another user, and of who changes from one to the other, in this process and its children
# needs: gcc setpriv

# One line for each seed; what differs: random_calls DIRECTORY SEED STEPS in both, by hand, and RANDOM_AUDIT=1 for the step after which it does.
seeds() { # FROM TO COMMAND...
    local seed from=$1 to=$2
    shift 2
    gcc -O1 -D_GNU_SOURCE "$PARTS"/random_calls/*.c -o "$OUTSIDE/random_calls" && chmod 755 "$OUTSIDE/random_calls"
    for ((seed = from; seed <= to; seed++)); do
        mkdir here && chmod 777 here
        { timeout 60 "$@" "$OUTSIDE/random_calls" "$PWD/here" $seed 400; echo "status $?"; "$OUTSIDE/random_calls" "$PWD/here" $seed 0; } >"$OUTSIDE/log" 2>&1
        echo "$seed: $(md5sum <"$OUTSIDE/log"), $(wc -l <"$OUTSIDE/log") lines"
        rm -rf here
    done
    rm "$OUTSIDE/log" "$OUTSIDE/random_calls"
}

case_as_root() {
    seeds 1 15
}

case_as_another_user() {
    need_other_users
    seeds 101 120 setpriv --reuid 1001 --regid 1001 --clear-groups
}
