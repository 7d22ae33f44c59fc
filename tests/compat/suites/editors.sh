# about: Emacs (saving, backups, locks, auto-save, dired, archives), nano, joe and less on a terminal of tmux and screen, ed, sed, patch, bash's history
# packages: emacs-nox nano joe ed tmux screen less patch sed expect
# limit: 600

version() { dpkg-query -W -f '${Package} ${Version}, ' emacs-nox nano joe tmux screen | sed 's/, $//'; }

suite() {
    export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=$PWD TMPDIR=$PWD/temporary LC_ALL=C.UTF-8 TERM=xterm SHELL=/bin/bash
    mkdir temporary
    printf 'set -g default-shell /bin/bash\nset -g escape-time 0\n' >.tmux.conf
    emacs_suite; terminals; lines
}

em() { timeout 60 emacs -Q --batch "$@" 2>&1; }

emacs_suite() {
    mkdir e
    seq 3000 >e/a.txt
    value "emacs saves" bash -c 'emacs -Q --batch e/a.txt --eval "(progn (goto-char (point-max)) (insert \"end\\n\") (save-buffer))" 2>&1 | sed "s,$PWD,,"; sha256sum <e/a.txt; ls -A e | tr "\n" " "'
    value "emacs numbered backups" bash -c 'for i in 1 2 3; do emacs -Q --batch --eval "(setq version-control t delete-old-versions t kept-new-versions 2 kept-old-versions 1)" e/a.txt --eval "(progn (insert \"$i\") (save-buffer))" 2>/dev/null; done; ls -A e | tr "\n" " "; head -c 3 e/a.txt'
    value "emacs backup by copying, of a link" bash -c 'ln e/a.txt e/hard; ln -s a.txt e/soft; emacs -Q --batch --eval "(setq backup-by-copying t)" e/soft --eval "(progn (insert \"L\") (save-buffer))" 2>/dev/null; stat -c "%h %F" e/a.txt e/soft; cmp e/hard e/a.txt && echo same'
    value "emacs lock" em e/a.txt --eval '(progn (insert "x") (princ (format "%s %s\n" (file-locked-p buffer-file-name) (not (null (file-symlink-p "e/.#a.txt"))))) (set-buffer-modified-p nil) (unlock-buffer) (princ (file-symlink-p "e/.#a.txt")))'
    value "emacs auto-save" bash -c 'emacs -Q --batch e/a.txt --eval "(progn (auto-save-mode 1) (insert \"auto\") (do-auto-save t) (princ (file-exists-p \"e/#a.txt#\")))" 2>/dev/null; head -c 4 "e/#a.txt#"; ls -A e | grep -c "#"'
    value "emacs recovers" em --eval '(progn (fset (quote yes-or-no-p) (lambda (&rest _) t)) (setq make-backup-files nil) (recover-file "e/a.txt") (princ (buffer-substring 1 5)) (save-buffer))'
    value "emacs dired" bash -c 'mkdir -p e/d/e; touch e/d/x e/d/y; emacs -Q --batch --eval "(progn (require (quote dired)) (dired \"e/d\") (dired-copy-file \"e/a.txt\" \"e/d/copied\" nil) (dired-rename-file \"e/d/x\" \"e/d/z\" nil) (dired-delete-file \"e/d/y\") (dired-delete-file \"e/d/e\" (quote always)) (dired-compress-file \"e/d/copied\"))" >/dev/null 2>&1; ls e/d | tr "\n" " "'
    value "emacs byte-compiles" bash -c 'echo "(defun f (n) (if (< n 2) n (+ (f (- n 1)) (f (- n 2)))))" >e/f.el; emacs -Q --batch -f batch-byte-compile e/f.el 2>/dev/null; emacs -Q --batch -l e/f.elc --eval "(princ (f 15))"; rm e/f.elc'
    value "emacs coding systems and big file" bash -c 'seq 400000 >e/big; emacs -Q --batch --eval "(progn (find-file \"e/big\") (goto-char (point-max)) (insert \"\\u00e4\\u20ac\\n\") (set-buffer-file-coding-system (quote utf-16le-dos)) (save-buffer) (write-region 100 200 \"part\" nil (quote quiet)) (write-region \"more\" nil \"part\" t))" >/dev/null 2>&1; sha256sum e/big e/part'
    value "emacs visits compressed and archived" bash -c 'gzip -nc e/a.txt >e/a.gz; tar -cf e/t.tar -C e a.txt part; emacs -Q --batch --eval "(progn (find-file \"e/a.gz\") (insert \"gz\") (save-buffer) (find-file \"e/t.tar\") (princ (buffer-name)))" 2>/dev/null; gzip -dc e/a.gz | head -c 2'
    value "emacs desktop, bookmarks, recent files" bash -c 'emacs -Q --batch --eval "(progn (require (quote desktop)) (require (quote bookmark)) (require (quote recentf)) (find-file \"e/a.txt\") (bookmark-set \"b\") (setq bookmark-default-file (expand-file-name \"bm\")) (bookmark-save) (recentf-mode 1) (recentf-add-file \"a.txt\") (setq recentf-save-file (expand-file-name \"rf\")) (recentf-save-list) (desktop-save \".\"))" >/dev/null 2>&1; ls -A e | grep -cE "^(bm|rf|.emacs.desktop)"'
    value "emacs processes and directories" em --eval '(progn (make-directory "e/p/q/r" t) (with-temp-file "e/p/q/r/f" (insert "x")) (copy-directory "e/p" "e/p2") (delete-directory "e/p" t) (princ (directory-files-recursively "e/p2" "")) (princ (shell-command-to-string "cat e/p2/q/r/f")) (set-file-modes "e/p2/q/r/f" #o600) (princ (file-modes "e/p2/q/r/f")) (princ (file-attribute-size (file-attributes "e/p2/q/r/f"))))'
    value "emacs file notification" em --eval '(progn (require (quote filenotify)) (let (seen) (file-notify-add-watch (expand-file-name "e") (quote (change)) (lambda (ev) (push (nth 1 ev) seen))) (with-temp-file "e/noted" (insert "n")) (dotimes (_ 30) (read-event nil nil 0.05)) (princ (delete-dups (nreverse seen)))))'
    value "emacs refuses a changed file" em --eval '(progn (find-file "e/part") (set-visited-file-modtime 0) (insert "x") (princ (verify-visited-file-modtime)) (set-buffer-modified-p nil))'
}

# typed KEYS... in a tmux session named t
typed() { tmux -S "$PWD/mux" send-keys -t t "$@"; sleep 0.5; }
opened() { tmux -S "$PWD/mux" new-session -d -s t -x 100 -y 30 "$*" && sleep 1; }
ended() { wait_until 20 bash -c "! tmux -S '$PWD/mux' has-session -t t 2>/dev/null"; }

terminals() {
    seq 100 >n.txt
    opened nano -B n.txt; typed added Enter C-o Enter C-x; check "nano ends" ended
    value "nano saved" bash -c 'head -n 2 n.txt; ls n.txt*'
    opened nano -G n.txt; typed lock; value "nano locks" bash -c 'ls -A | grep -c "n.txt.swp"'; typed C-x n; ended; value "nano unlocks" bash -c 'ls -A | grep -c swp; true'
    opened nano n.txt; typed unsaved; kill -HUP "$(tmux -S "$PWD/mux" list-panes -t t -F '#{pane_pid}')"; ended; value "nano hung up" bash -c 'head -c 7 n.txt.save'
    opened joe n.txt; typed joe C-k x; check "joe ends" ended; value "joe saved" bash -c 'head -c 8 n.txt; ls n.txt~'
    opened less -N n.txt; typed G; value "less at the end" bash -c 'tmux -S "$PWD/mux" capture-pane -p -t t | tail -n 3 | head -n 2'
    typed '/^ *42' Enter; value "less finds" bash -c 'tmux -S "$PWD/mux" capture-pane -p -t t | head -n 1'; typed q; ended
    value "less history" bash -c 'cat .lesshst .local/state/lesshst 2>/dev/null | grep -c 42'
    : >followed; opened less +F followed; seq 30 >>followed; sleep 1.5; value "less follows" bash -c 'tmux -S "$PWD/mux" capture-pane -p -t t | grep -c "^[0-9]"'; typed C-c; typed q; ended
    opened bash --norc -i; typed 'HISTFILE=$HOME/hist; shopt -s histappend; set -o history' Enter 'echo one >o' Enter 'seq 5 | tee -a o' Enter 'history -a' Enter exit Enter; ended
    value "bash history" bash -c 'grep -c "echo one\|seq 5" hist; cat o'
    opened emacs -nw -Q --eval "'(setq native-comp-deferred-compilation nil)'" n.txt; typed typed-; typed C-x C-s; sleep 1; typed C-x C-c; check "emacs on a terminal ends" ended; value "emacs on a terminal saved" bash -c 'head -c 6 n.txt'
    printf 'seq 3\nwc -l <n.txt\n' >typed.sh; opened "script -qc 'sh typed.sh' typescript"; ended; value "script" bash -c 'grep -c . typescript'
    tmux -S "$PWD/mux" new-session -d -s t -x 100 -y 30 'bash --norc' && tmux -S "$PWD/mux" pipe-pane -t t "cat >>$PWD/piped"
    typed 'seq 1000' Enter; sleep 1; tmux -S "$PWD/mux" set-buffer "clip" \; save-buffer "$PWD/clip"; value "tmux pipes and saves" bash -c 'cat clip; grep -c 999 piped'
    typed exit Enter; ended
    value "screen logs" bash -c 'export SCREENDIR=$PWD/screens; mkdir -m 700 screens; screen -L -Logfile $PWD/slog -dmS s bash --norc -c "seq 77; sleep 1"; sleep 3; grep -c 77 slog'
    value "expect" bash -c 'expect -c "log_file -noappend xlog; spawn -noecho cat; send \"hello\n\"; expect hello; expect hello; close" >/dev/null; grep -c hello xlog'
}

lines() {
    value "sed -i" bash -c 'seq 1000 >s; sed -i.bak "s/^\(.*\)5$/\1five/; 3,7d" s; sed -i -s -n "1p;\$p" s s.bak; cat s s.bak'
    value "sed -i through a link" bash -c 'seq 5 >t; ln -s t u; sed -i --follow-symlinks 1d u; readlink u; wc -l <t'
    value "sed w, r" bash -c 'seq 20 >t; sed -n -e "/1/w w1" -e "5r t" -e "5p" t | wc -l; cat w1 | tr "\n" " "'
    value "ed" bash -c 'seq 100 >t; printf "%s\n" "1,5d" "\$a" "end" "." "g/7/s//x/" "w" "r t" "w t2" "e t2" "1,\$n" "q" | ed -s t | tail -n 1; wc -l t t2; cat t | sha256sum'
    value "ed saves when hung up" bash -c 'rm -f ed.hup; mkfifo p; ed -s t <p >/dev/null & e=$!; exec 7>p; printf "a\nlost\n.\n" >&7; sleep 0.5; kill -HUP $e; wait $e; exec 7>&-; tail -n 1 ed.hup; rm p'
    value "patch" bash -c 'mkdir -p o n; seq 200 | tee o/a >n/a; seq 50 >o/b; seq 60 >n/c; sed -i "20s/.*/twenty/;150d" n/a; diff -Naur o n >d; cp -r o q; patch -sd q -p1 <d; diff -r q n && echo same; patch -sRd q -p1 <d; diff -r q o && echo back; ls q'
    value "patch with fuzz, rejects, backups" bash -c 'sed -i "18,19d;\$d" o/a; sed -i "s/^22$/else/" o/a; patch -bp1 -d o <d >/dev/null; ls o | tr "\n" " "; cat o/a | sha256sum'
    value "diff3, merge, sdiff" bash -c 'seq 30 >m0; sed 5d m0 >m1; sed "25s/.*/x/" m0 >m2; diff3 -m m1 m0 m2 | sha256sum; merge -p m1 m0 m2 2>/dev/null | wc -l; sdiff -s m1 m2 | wc -l; cmp -l m0 m1 2>&1 | wc -l'
}
