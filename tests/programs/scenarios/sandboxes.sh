# about: programs that lock themselves in: Landlock, seccomp, dropped privileges; what they have open still works
# needs: python3

landlocked() { python3 "$PARTS/sandboxes/landlock.py" "$@"; }

has_landlock() { landlocked -- true 2>/dev/null || { echo "skipped: no landlock in this kernel" >>"$RESULTS/notes"; return 1; }; }

# What xz does since 5.6: nothing may be opened any more when it writes to its standard output.
case_landlock_redirected_output() {
    has_landlock || return 0
    landlocked -- seq -f "%g $MARKER" 3000 >out
    landlocked -- seq -f "%g $MARKER" 3000 >>out
    checksum out
    cp "$INPUTS/text.txt" in
    landlocked -- sh -c 'cat; echo "$0"' "$MARKER" <in >copy
    checksum copy
}

# Descriptors that are opened inside may write, but not change the length.
case_landlock_without_truncate() {
    has_landlock || return 0
    landlocked truncate -- cp "$INPUTS/text.txt" new
    checksum new
    landlocked truncate -- self 'f = open("grown", "x"); f.write("'"$MARKER"' " * 20000); f.close(); print(len(open("grown").read()))'
    status landlocked truncate -- truncate -s 10 new
    status landlocked truncate -- sh -c 'echo shorter >new'
    status landlocked truncate -- self 'import os; os.open("new", os.O_RDONLY | os.O_TRUNC)' 2>/dev/null
    checksum new
    status landlocked write -- sh -c 'echo x >refused'
    checksum grown
}

# Confined in the middle of its work, as a daemon is.
case_landlock_in_the_middle() {
    has_landlock || return 0
    cp "$INPUTS/text.txt" a
    cat >middle.py <<TEXT
import sys
a = open("a"); out = open("out", "w"); out.write("before $MARKER\n"); out.flush()
sys.argv = ["landlock.py", "--", "self", "print('confined')"]
exec(open("$PARTS/sandboxes/landlock.py").read())
out.write(a.read() * 3); out.close()
TEXT
    python3 middle.py
    checksum out
}

# Somebody else's file, opened for writing alone, in the hands of a process that may not open it.
case_given_descriptors() {
    need_other_users
    : >log; chmod 600 log
    chmod 755 . ..
    setpriv --reuid 65534 --regid 65534 --clear-groups sh -c "echo 'from nobody $MARKER'; seq 2000" >>log
    setpriv --reuid 65534 --regid 65534 --clear-groups sh -c "seq 5000" >over
    checksum log over
    stat -c '%s %u' log over
}

case_file_in_its_sandbox() {
    need file
    cp "$INPUTS/text.txt" a; gzip -nk a; cp "$INPUTS/random.bin" r; echo "#!/bin/sh $MARKER" >s
    file a a.gz s
    file -z a.gz
    file --mime-type a a.gz s
}
