# A terminal that is typed at and looked at, with tmux. Sourced behind verbs.sh.
# What is typed comes to the program as from a keyboard; what is seen is what a person would see.

export TMUX_TMPDIR=$work
tmux_() { tmux -L overlay -f /dev/null "$@"; }

screen_open() { # screen_open WIDTH HEIGHT COMMAND: a new terminal
    tmux_ kill-server 2>/dev/null
    # A server that is about to end would take the new session along.
    for _ in $(seq 50); do tmux_ list-sessions >/dev/null 2>&1 || break; sleep 0.1; done
    tmux_ new-session -d -x "$1" -y "$2" "$3"
}
screen_close() { tmux_ kill-server 2>/dev/null; return 0; }
type_() { tmux_ send-keys -l -- "$1"; }       # text, as it is
press() { tmux_ send-keys "$@"; }          # keys by name: Enter, C-c, Tab
screen() { tmux_ capture-pane -p "$@"; }   # what is seen; -e with colours, -S - with what has scrolled away
see() { # see PATTERN [SECONDS]: waits until a line of the screen matches
    local end=$((SECONDS + ${2:-10}))
    while ((SECONDS <= end)); do
        screen | grep -qE -- "$1" && return
        sleep 0.1
    done
    { echo "not seen: $1"; screen; } >log
    return 1
}
unseen() { # unseen TEXT: nowhere, nor in what has scrolled away
    screen -S - | grep -qF -- "$1" || return 0
    { echo "seen: $1"; screen -S -; } >log
    return 1
}
