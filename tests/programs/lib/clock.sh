# The clock is stepped by years while agents and programs run; and from boot to boot.

new_clock() {
    "${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -O2 -fPIC -shared -Wall -Wextra -Werror -o "$work/stepped_clock.so" "$here/parts/faults/stepped_clock.c" &&
        head -c 8 /dev/zero >"$work/clock"
    export STEPPED_CLOCK=$work/clock
}
step_clock() { python3 -S -c 'import struct, sys; open(sys.argv[1], "r+b").write(struct.pack("q", int(sys.argv[2])))' "$work/clock" "$1"; }

# clocked COMMAND...: a program under the shim whose clock is stepped; start_agent's agent has the same clock
clocked() { env LD_PRELOAD="$work/stepped_clock.so:$OVERLAY_SHIM" OVERLAY_VOLUMES="$volume" timeout -k 5 120 "$@"; }
clocked_round() { # clocked_round NUMBER: with an agent of its own
    step_clock 0
    LD_PRELOAD=$work/stepped_clock.so start_agent || return
    clocked python3 -S "$here/parts/faults/clock_work.py" "$volume" "$work/clock" "$1" >"$work/steps_seen"
    local status=$?
    stop_agent
    [ $status = 0 ] && [ "$(cat "$work/steps_seen")" -ge 9 ] || fail "round $1: status $status, $(cat "$work/steps_seen") steps seen"
}

clock_steps() {
    new_clock && clocked_round 1 && clocked_round 2 || return
    # The agent saw them, too: it made rows in other decades.
    local earliest latest
    read -r earliest latest < <(sqlite3 -separator ' ' "$volume/.overlay/store.db" 'select min(created), max(created) from file')
    [ $((latest - earliest)) -gt $((20 * 365 * 86400)) ] || fail "the agent's clock was not stepped: $earliest $latest" || return
    # Without stepped clocks, by others.
    inside python3 -S -c 'import os, sys
for name in os.listdir(sys.argv[1]):
    if name.startswith("clock."):
        data = open(sys.argv[1] + "/" + name, "rb").read()
        assert data and data == data[:1] * len(data), name' "$volume" || fail "not what was written" || return
    "$OVERLAY_CTL" verify "$volume" --key-file "$key" || return
    note="2 rounds with 10 steps of the clock each, by up to 275 years"
}

# Each round in another boot, as far as anybody can tell: the first writer of a boot numbers by the clock, which may have gone back.
clock_steps_between_boots() {
    new_clock || return
    unshare -m true 2>/dev/null || { skip "cannot unshare mounts"; return; }
    local round seconds=(0 3000000000 -1500000000 100000000000 -1700000000 0)
    fresh over-boots || return
    for round in "${!seconds[@]}"; do
        tr -d '\n' </proc/sys/kernel/random/uuid >"$work/boot_id"
        step_clock "${seconds[round]}"
        echo "round $round: $(cat "$work/boot_id")"
        boot_of over-boots >"$work/boot_before"
        in_other_boot "$work/boot_id" "$round" || return
        boot_of over-boots | cmp -s - "$work/boot_before" && { fail "no other boot"; return; }
    done
    "$OVERLAY_CTL" verify "$volume" --key-file "$key" || return
    note="${#seconds[@]} boots, the clock from 1972 to 5194"
}
boot_of() { tail -c +89 "$volume/$1" | head -c 4 | od -An -tx1; } # format 4
in_other_boot() { # in_other_boot BOOT-ID ROUND: 3 lives of programs that write, sync or not, and read what all rounds wrote
    export -f in_volume
    unshare -m bash -c '
        mount --bind "$1" /proc/sys/kernel/random/boot_id || exit 77
        export LD_PRELOAD="$3/stepped_clock.so"
        for life in 1 2 3; do
            in_volume "$4" "$5" timeout -k 5 120 python3 -S "$6" "$4/over-boots" "$2" "$life" || exit 1
        done' - "$1" "$2" "$work" "$volume" "$key" "$here/parts/faults/clock_boots.py"
}

# Nobody uses it, and the clock says that it is years until then: an agent that was started by itself ends all the same.
clock_back_and_idle_agent() {
    new_clock || return
    fresh idle || return
    LD_PRELOAD=$work/stepped_clock.so start_agent --autostart || return
    inside true
    step_clock -1000000000
    local i
    for i in $(seq 1200); do kill -0 "$agent" 2>/dev/null || break; sleep 0.05; done
    kill -0 "$agent" 2>/dev/null && { stop_agent; fail "it is there still"; return; }
    wait "$agent"
}
