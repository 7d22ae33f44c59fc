#!/usr/bin/env bash
# What all commands have in common: metrics and counters, completion, manual, exit codes, messages, --dry-run. Commands and options are asked of the
# program, so that new ones are looked at, too. Prints "ok NAME" or "FAIL NAME"; ends with a count. UPDATE=1 writes the golden files anew.
set -u
here=$(cd "$(dirname "$0")" && pwd)
suite=comfort
. "$here/lib/verbs.sh"
. "$here/lib/metrics.sh"
unset OVERLAY_AGENT
run=("$ctl" run --volume v --key-file key)
"$ctl" init v --key-file key >log 2>&1 && "${run[@]}" -- sh -c 'seq 200000 >v/a; echo x >v/b'
typed() { "$here/lib/typed.py" "$@" 2>>log; }

# --- metrics ---
metrics_are_sound() { # metrics_are_sound FILE: what promtool would say, and what it would not
    python3 "$here/lib/exposition.py" "$1" >>log 2>&1 || return 1
    if command -v promtool >/dev/null; then promtool check metrics <"$1" >>log 2>&1; else echo "skipped promtool: it is not here"; fi
}
serve run 127.0.0.1:0
scrape /metrics >first && metrics_are_sound first && work_in_it 'cat v/a v/a >/dev/null; echo more >v/c' && scrape /metrics >second && metrics_are_sound second && later second &&
    grows overlay_read_bytes_total 2577790 && grows overlay_writes_total 1 && grows 'overlay_agent_keys_granted_total{kind="new"}' 1 && grows overlay_pieces_opened_total 1
verdict metrics-of-run $?
[ -s after ] && ! grep -qF "$work" after && ! grep -v '^#' after | grep -qE '/|"v"|"a"'
verdict metrics-name-no-paths $?
[ "$(head_of /metrics | tr -d '\r' | sed -n 's/^Content-Type: //p')" = 'text/plain; version=0.0.4; charset=utf-8' ] && [ "$(status_of /other)" = 404 ] && [ "$(status_of /metrics POST)" = 405 ] &&
    [ "$(raw 'nonsense\r\n\r\n' | head -c 12)" = 'HTTP/1.1 400' ] && [ "$(raw "GET /metrics HTTP/1.1\r\nX: $(printf '%9000s')\r\n\r\n" | head -c 12)" = 'HTTP/1.1 400' ] && scrape /metrics >second
verdict metrics-answer-as-http $?
slow_ones && scrape /metrics >second
verdict metrics-wait-for-nobody $?
serve_end
ends_with 2 "${run[@]}" --metrics 0.0.0.0:0 -- true && grep -q -- '--metrics-public' log && ends_with 2 "${run[@]}" --metrics 127.0.0.1 -- true && ends_with 2 "${run[@]}" --metrics nonsense:1 -- true &&
    ends_with 0 "${run[@]}" --metrics 0.0.0.0:0 --metrics-public -- true && ends_with 0 "${run[@]}" --metrics '[::1]:0' -- true
verdict metrics-stay-on-this-machine $?
serve agent 127.0.0.1:0
ends_with 1 "${run[@]}" --metrics "127.0.0.1:$port" -- true && grep -q 'another port' log
verdict metrics-of-a-port-in-use $?
LD_PRELOAD=${ctl%/bin/*}/lib/overlay/liboverlay-shim.so OVERLAY_VOLUMES=$work/v cat v/a >/dev/null && scrape /metrics >second && metrics_are_sound second && grows overlay_files_opened_total 1 0
verdict metrics-of-agent $?
serve_end

# --- counters of processes ---
cat >reader.py <<'P'
import json, os, subprocess, sys
ctl, = sys.argv[1:]
fd = os.open("v/a", os.O_RDONLY)
for i in range(5000):
    os.pread(fd, 4096, i % 50 * 4096)
child = os.fork()
if child == 0:
    for i in range(1000):
        os.pread(os.open("v/a", os.O_RDONLY), 100, 0)
    os._exit(0)
os.waitpid(child, 0)
def status():
    return json.loads(subprocess.run([ctl, "status", "--json"], stdout=subprocess.PIPE, check=True).stdout)
found = status()
mine, = [p for p in found["processes"] if p["processId"] == os.getpid()]
assert mine["command"] == "python3" and mine["openFiles"] == 1, mine
assert mine["reads"] == 5000 and mine["readBytes"] == 5000 * 4096 and mine["hitsOfFilter"] > 4000, mine
assert found["ended"]["readBytes"] >= 100000, found["ended"]
text = subprocess.run([ctl, "status"], stdout=subprocess.PIPE, check=True, text=True).stdout
assert f"{os.getpid():7d} {os.getuid():6d} python3 " in text and "19.5 MiB" in text, text
once = subprocess.run([ctl, "top"], stdout=subprocess.PIPE, check=True, text=True).stdout
assert "\x1b" not in once and "python3" in once, once
P
ends_with 0 "${run[@]}" -- python3 reader.py "$ctl"
verdict status-counts-processes $?

# --- completion, for every command and option that there is ---
"$ctl" completion bash >c.bash && "$ctl" completion zsh >_overlay-ctl && "$ctl" completion fish >c.fish
verdict completion-is-printed $?
python3 "$here/lib/commands.py" "$ctl" >commands 2>log && [ "$(wc -l <commands)" -gt 20 ]
verdict commands-are-asked-of-the-program $?
cat >complete.sh <<'P'
. ./c.bash
complete_() { COMP_WORDS=(overlay-ctl "$@"); COMP_CWORD=$#; COMPREPLY=(); _overlay_ctl; }
status=0
while IFS='|' read -r path below options; do
    complete_ $path ''
    for word in $below; do [[ " ${COMPREPLY[*]} " == *" $word "* ]] || { echo "'$path' is not followed by $word"; status=1; }; done
    complete_ $path -
    for word in $options; do [[ " ${COMPREPLY[*]} " == *" $word "* ]] || { echo "'$path' does not have $word"; status=1; }; done
done <commands
complete_ init --cipher a; [ "${COMPREPLY[*]}" = "aes-256-gcm aegis-256" ] || [ "${COMPREPLY[*]}" = "aegis-256 aes-256-gcm" ] || { echo "ciphers: ${COMPREPLY[*]}"; status=1; }
complete_ init --key-file k; [ "${COMPREPLY[*]}" = key ] || { echo "files: ${COMPREPLY[*]}"; status=1; }
complete_ verify ''; [[ " ${COMPREPLY[*]} " == *" v "* && " ${COMPREPLY[*]} " != *" key "* ]] || { echo "directories: ${COMPREPLY[*]}"; status=1; }
complete_ run --volume v -- sor; [[ " ${COMPREPLY[*]} " == *" sort "* ]] || { echo "programs: ${COMPREPLY[*]}"; status=1; }
exit $status
P
bash --noprofile --norc complete.sh >log 2>&1 && echo 'PS1="$ "; . ./c.bash' >rc && typed 'overlay-ctl store re<TAB>' bash --noprofile --rcfile rc -i | grep -q 'store restore'
verdict completion-for-bash $?
if command -v zsh >/dev/null; then
    printf 'PS1="%% "; fpath=(%q $fpath); autoload -Uz compinit; compinit -u -D\n' "$work" >.zshrc
    ZDOTDIR=$work typed 'overlay-ctl store re<TAB><WAIT> --dr<TAB>' zsh -i >log && grep -q 'store restore' log && grep -qP -- 'restore[ \x08]+--dry-run' log
    verdict completion-for-zsh $?
else
    echo "skipped completion-for-zsh: there is no zsh"
fi
if command -v fish >/dev/null; then
    XDG_CONFIG_HOME=$work/c XDG_DATA_HOME=$work/d fish -c 'source c.fish; complete -C "overlay-ctl store re"; complete -C "overlay-ctl key add v --new-k"; complete -C "overlay-ctl init --cipher x"' >log 2>&1 &&
        grep -q '^restore' log && grep -q '^--new-key-file' log && grep -q '^xchacha20-poly1305' log
    verdict completion-for-fish $?
else
    echo "skipped completion-for-fish: there is no fish"
fi

# --- manual ---
mkdir man && ends_with 0 "$ctl" man --output man && python3 "$here/lib/man_has_all.py" commands man >log 2>&1
verdict man-has-every-command-and-option $?
if command -v groff >/dev/null; then
    for page in man/*.1; do groff -man -ww -Tutf8 -z "$page"; done >log 2>&1
    [ ! -s log ]
    verdict man-is-clean-for-groff $?
else
    echo "skipped man-is-clean-for-groff: there is no groff"
fi
if command -v mandoc >/dev/null; then
    mandoc -Tlint -W warning man/*.1 >log 2>&1
    verdict man-is-clean-for-mandoc $?
else
    echo "skipped man-is-clean-for-mandoc: there is no mandoc"
fi
[ "$(SOURCE_DATE_EPOCH=0 "$ctl" man key 2>>log | sed -n 's/^\.TH "[^"]*" 1 \([^ ]*\).*/\1/p')" = 1970-01-01 ]
verdict man-is-dated-by-its-sources $?

# --- exit codes and messages: golden/exit_codes.txt is a promise, golden/messages.txt is what people read ---
golden() { # golden NAME: standard input is what golden/NAME says
    sed -E -e "s#$work#WORK#g" -e 's/[0-9a-f]{32}/ID/g' -e 's#run/overlay[^ :]*#SOCKET#' -e 's#/[^ ]*overlay-[^ ]*\.sock#SOCKET#' >found
    [ -z "${UPDATE:-}" ] || cp found "$here/golden/$1"
    diff "$here/golden/$1" found >log
}
"$ctl" man | sed -n '/^\.SH EXIT STATUS/,/^\.SH SEE/p' | golden exit_codes.txt
verdict exit-codes-are-as-they-were $?
mkdir full && echo x >full/x && head -c 32 /dev/urandom >other && cp -r v storeless && rm storeless/.overlay/store.db*
say() { echo "\$ overlay-ctl $*"; timeout 60 "$ctl" "$@" </dev/null 2>&1; echo "[$?]"; }
{
    say nonsense
    say key add
    say key nonsense
    say init full --key-file key
    say init v --key-file key
    say init w --block-size 5000
    say init w
    say verify full --key-file key
    say verify missing --key-file key
    say verify v --key-file other
    say verify v --key-file missing
    say verify storeless --key-file key
    say key list full
    say key remove v 1 --key-file key
    say key remove v 7 --key-file key
    say key change v --key-file key --dry-run
    say key remove v 1 --key-file key --dry-run
    say status v
    say status
    say top v --interval 0
    say shred
    say shred v/a --key-file key
    say shred v/a --key-file key --dry-run
    say repair full --key-file key
    say run --volume missing --key-file key -- true
    say run --volume v --key-file key -- no-such-command
    say run --volume v --key-file key --metrics 0.0.0.0:1 -- true
    say agent
    say audit archive v full --key-file key --dry-run
    say audit archive v missing --key-file key
    say store restore v missing
    say import full
    say report pci v --key-file key --html --json
} | golden messages.txt
verdict messages-say-what-to-do $?

# --- --dry-run, of what it would do ---
"$ctl" audit enable v --key-file key >log && "$ctl" audit disable v --key-file key >log
state() { find v full -type f -not -path 'v/.overlay/store.db*' -exec sha256sum {} + | sort; find v/.overlay/store.db.audit | sort; "$ctl" key list v; "$ctl" keys inventory v; }
"$ctl" store backup v "$work/copy" >/dev/null && state >before &&
    for command in "shred v/a --key-file key" "key remove v 1 --key-file key" "key change v --key-file key" "key rotate v --key-file key" "store restore v copy" "repair v --reclaim --key-file key" \
        "audit archive v full --key-file key" "rekey v/a --key-file key" "import v --key-file key"; do
        ends_with 0 "$ctl" $command --dry-run && state >after && diff before after >>log || { echo "$command --dry-run" >>log; break; }
    done && diff before after >>log
verdict dry-run-changes-nothing $?

echo "$passed passed, $failed failed"
[ $failed = 0 ]
