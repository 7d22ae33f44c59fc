#!/usr/bin/env bash
# overlay-ctl at a terminal, typed at and looked at with tmux: prompts, progress, completion, top. Prints "ok NAME" or "FAIL NAME"; ends with a count.
set -u
here=$(cd "$(dirname "$0")" && pwd)
suite=terminal
. "$here/lib/verbs.sh"
if ! command -v tmux >/dev/null; then
    echo "skipped terminal: there is no tmux"
    echo "0 passed, 0 failed"
    exit 0
fi
. "$here/lib/screen.sh"
trap 'screen_close; rm -rf "$work"' EXIT
unset NO_COLOR COLUMNS LINES OVERLAY_AGENT
: >log
printf 'PS1="$ "; PATH=%q:$PATH; unset PROMPT_COMMAND; source <(overlay-ctl completion bash)\n' "${ctl%/*}" >rc
shell="bash --noprofile --rcfile $work/rc -i"
phrase='correct horse' wrong='battery staple'

screen_open 100 30 "$shell"
see '^\$ *$' && type_ 'overlay-ctl init v' && press Enter && see '^New passphrase: *$' && type_ "$phrase" && press Enter && see '^Again: *$' && type_ "$phrase" && press Enter &&
    see 'v is now an encrypted volume' && unseen "$phrase"
verdict init-asks-twice-and-shows-nothing $?
type_ 'overlay-ctl key list v'; press Enter
see '1 +passphrase +[0-9]{4}-' && see '^\$ *$' && press C-l && type_ 'overlay-ctl init w' && press Enter && see 'New passphrase' && type_ "$phrase" && press Enter && see 'Again' && type_ "$wrong" && press Enter &&
    see 'the two passphrases differ; nothing was done' && [ ! -e w/.overlay ] && unseen "$wrong"
verdict init-refuses-two-that-differ $?
press C-l
type_ 'overlay-ctl run --volume v -- true; echo ended with $?'; press Enter
see '^Passphrase: *$' && type_ "$wrong" && press Enter && see 'This is not the passphrase of the volume' && see "-> 'overlay-ctl key list VOLUME' shows" && see '^ended with 4$' && unseen "$wrong"
verdict wrong-passphrase-says-what-to-do $?
press C-l
type_ 'overlay-ctl run --volume v -- bash --norc'; press Enter
see 'Passphrase:' && type_ "$phrase" && press Enter && see '^bash-[0-9.]+[#$]' && type_ 'echo seen inside >v/a; cat v/a' && press Enter && see '^seen inside$' && press C-d && see '^\$ *$' &&
    [ "$(head -c 4 v/a | tail -c 3)" = OVL ] && unseen "$phrase"
verdict shell-in-a-volume $?
press C-l
type_ 'overlay-ctl key add v --new-key-file key'; press Enter
see '^Passphrase: *$' && type_ "${phrase}x" && press BSpace && press Enter && see '^Slot 2 was added: key file' && unseen "$phrase"
verdict key-add-with-a-corrected-passphrase $?

# Whatever ends the prompt, the terminal is as it was.
echoes() { press C-l; see '^\$ *$' && type_ "stty -a | grep -oE -- '-?\\becho\\b' | tr -d '\\n' | sed 's/^/stty says /'; : typed" && see ': typed' && press Enter && see '^stty says echo'; }
for how in C-c TERM HUP QUIT C-d; do
    press C-l
    type_ 'overlay-ctl key add v --new-key-file other'; press Enter
    see '^Passphrase: *$' && type_ 'half a sec' && if [ ${#how} = 3 ] && [ "${how:1:1}" = - ] && [ "$how" = C-c ]; then
        press C-c
    elif [ "$how" = C-d ]; then
        for _ in 1 2 3 4 5 6 7 8 9 10; do press BSpace; done
        press C-d
    else
        kill "-$how" "$(pgrep -f "^overlay-ctl key add v --new-key-file other" -P "$(tmux_ display-message -p '#{pane_pid}')")"
    fi
    [ $? = 0 ] && see '^\$ *$' && echoes && unseen 'half a sec' && [ ! -e other ]
    verdict "prompt-ended-by-$how-gives-the-echo-back" $?
done
press C-l
type_ 'overlay-ctl key list v >/dev/null; overlay-ctl inspect v/a --volume v | grep authentic'; press Enter
see 'Passphrase:' && press C-z && see 'Stopped' && echoes && press C-l && type_ fg && press Enter && type_ "$phrase" && see 'overlay-ctl inspect' && press Enter && see 'every block is authentic' && unseen "$phrase"
verdict prompt-that-was-stopped-goes-on $?

# Completion, as it is typed.
press C-l
type_ 'overlay-ctl key ro'; press Tab
see '^\$ overlay-ctl key rotate' && type_ 'v --key-f' && press Tab && see 'rotate v --key-file' && type_ 'ke' && press Tab && see '--key-file key *$' && type_ '--dry' && press Tab && press Enter &&
    see 'would be wrapped under version 2'
verdict completion-by-tab $?

# A rotation that takes long enough to be watched.
"$ctl" run --volume v --key-file key -- bash -c "exec $here/lib/many_keys.py \"\$OVERLAY_AGENT\" $(python3 -c 'import json; print(json.load(open("v/.overlay/config.json"))["volumeId"])') ${TERMINAL_KEYS:-300000}" >log 2>&1
press C-l
type_ 'overlay-ctl key rotate v --key-file key'; press Enter
see '^\[#*\.*\] [0-9]+ of [0-9]{6} keys, [0-9]+:[0-9]{2} left' && see '^Version 2 of the volume key is in use' 60 && see '^\$ *$' && unseen '#....'
verdict rotate-shows-how-far-it-is $?
tmux_ resize-window -x 40 -y 20
press C-l
type_ 'clear; overlay-ctl key rotate v --key-file key'; press Enter
see '^[0-9]+ of [0-9]{6} keys, |^\[[#.]+\] [0-9]+ of' && [ "$(screen | grep -cE 'of [0-9]{6} keys')" = 1 ] && see '^Version 3 of the volume key' 60
verdict narrow-window-has-one-line-of-progress $?
tmux_ resize-window -x 100 -y 30

mkfifo hold
"$ctl" run --volume v --key-file key -- bash -c 'printf %s "$OVERLAY_AGENT" >agent; exec 3<v/a; cat v/a v/a >/dev/null; : >ready; read -r _ <hold' >log 2>&1 &
for _ in $(seq 100); do [ -e ready ] && break; sleep 0.1; done
press C-l
type_ "echo before top; OVERLAY_AGENT=$(cat agent) overlay-ctl top --interval 0.2"; press Enter
see '^overlay agent [0-9]+, up 0\.00:00:[0-9]{2}: [0-9]+ processes' && see '^reading 0 B/s, writing 0 B/s' && see '^ +pid +user command +files' && ! screen | grep -q 'before top' && press q &&
    see '^before top' && ! screen | grep -q 'overlay agent' && echoes
verdict top-is-drawn-and-ends-with-q $?
press C-l
type_ "OVERLAY_AGENT=$(cat agent) overlay-ctl top"; press Enter
see '^overlay agent' && tmux_ resize-window -x 40 -y 8 && see '^overlay agent [0-9]+, up.{10,}$' && sleep 1.2 && [ "$(screen | sed -n 1p | wc -m)" -le 41 ] && [ "$(screen | grep -c '^overlay agent')" = 1 ] && press C-c &&
    tmux_ resize-window -x 100 -y 30 && echoes
verdict top-in-a-small-window-ended-by-ctrl-c $?
exec 5<>hold; echo >&5; wait; exec 5>&-

# Colours: on a terminal, and not where somebody said no.
press C-l
type_ 'overlay-ctl doctor | cat >piped; overlay-ctl doctor; echo ended'; press Enter
see '^ended' 60 && screen -e -S - | grep -q $'\e\[32mok' && ! grep -q $'\e' piped
verdict colours-on-a-terminal-alone $?
for setting in NO_COLOR=1 TERM=dumb; do
    screen_open 100 40 "env $setting $shell"
    see '^\$ *$' && type_ 'overlay-ctl doctor >/dev/null; overlay-ctl nonsense; overlay-ctl doctor; echo ended' && press Enter && see '^ended' 60 && see '^overlay-ctl: ' && ! screen -e -S - | grep -qE $'\e\[3[0-9]'
    verdict "no-colours-with-$setting" $?
done

echo "$passed passed, $failed failed"
[ $failed = 0 ]
