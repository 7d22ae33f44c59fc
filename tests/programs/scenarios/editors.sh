# about: ed and vim: swap files, backups, recovery, writing in place and by renaming

case_ed() {
    need ed
    cp "$INPUTS/text.txt" a; ln a b
    printf '%s\n' '1,$s/page/leaf/' '$a' "added $MARKER" . '10,20d' '/tag/p' w '5,9w part' 'W part' q |
        ed -s a | cut -c 1-6
    printf 'r !echo from a command\nw\nq\n' | ed -s part; wc -l a b part; stat -c %h a
}

case_vim() {
    need vim
    cp "$INPUTS/text.txt" a; chmod 640 a; ln -s a soft
    vim -es -u NONE -i NONE -c '%s/page/leaf/g' -c 'normal Goend' -c wq a
    vim -es -u NONE -i NONE -c 'set backup backupcopy=no' -c '1,10d' -c wq soft
    vim -es -u NONE -i NONE -c 'set backup backupcopy=yes' -c '1,10d' -c 'w! copy' -c wq a
    vim -es -u NONE -i NONE --cmd 'set undofile undodir=.' -c '1d' -c wq copy
    ls -A; stat -c '%n %a %s' a copy; volatile 'case_vim/*~' 'case_vim/%*' 'case_vim/.*.un~' 'case_vim/*%*'
    checksum a copy
}

case_vim_swap() {
    need vim
    cp "$INPUTS/text.txt" a
    # Killed with a swap file: what was typed is recovered from it.
    mkfifo feed; vim -es -u NONE -i NONE -c 'set swapfile updatecount=1' a <feed 2>/dev/null &
    exec 3>feed
    printf 'a\nrecovered %s\n.\npreserve\n' "$MARKER" >&3
    for i in $(seq 60); do [ -s .a.swp ] && [ "$(stat -c %s .a.swp)" -gt 12288 ] && break; sleep 0.05; done; sleep 0.5
    { kill -9 $!; wait $!; } 2>/dev/null || echo "killed"
    exec 3>&-; rm feed; ls -A
    vim -es -u NONE -i NONE -r a -c 'w recovered' -c 'q!' 2>/dev/null || :
    grep -c "recovered $MARKER" recovered; rm -f .a.swp; wc -l a recovered
}
