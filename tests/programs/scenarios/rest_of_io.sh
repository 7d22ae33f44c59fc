# about: what few programs do with files: O_DIRECT, flags that change, times, handles, leases, events, allocation, passing, attributes
# needs: gcc python3

run_part() {
    gcc -O1 -w -D_GNU_SOURCE -pthread "$PARTS/rest_of_io/$1.c" -o "$OUTSIDE/$1"
    "$OUTSIDE/$1" "$PWD" || echo "status $?"
    rm "$OUTSIDE/$1"
}

case_direct() { run_part direct; }

case_flags() { run_part flags; }

case_times() { run_part times; }

case_vectors() { run_part vectors; }

case_names() { run_part names; }

case_extents() { run_part extents; }

case_passing() { run_part passing; }

case_watching() { run_part watching; }

case_attributes() {
    echo "$MARKER" >file
    setfacl -m u:1234:rw,g:1234:r file
    setfattr -n user.note -v "a note" file
    getfacl -c file
    getfattr -d file
    stat -c '%A %s' file
    cp -a file copy
    getfacl -c copy
    getfattr -n user.note --only-values copy
    tar --acls --xattrs -cf archive.tar file
    mkdir out
    tar --acls --xattrs -xf archive.tar -C out
    getfacl -c out/file
    getfattr -n user.note --only-values out/file
    rm archive.tar
    chmod 4755 file
    setcap cap_net_raw+ep copy
    getcap copy
    # What a write takes away from such a file, and what a chmod makes of a list.
    echo more >>copy
    getcap copy
    chmod 2711 copy
    stat -c '%A %s' file copy
    getfacl -c copy
    setfacl -b copy
    stat -c %A copy
    mkdir folder
    setfacl -d -m u:1234:rwx folder
    echo inherited >folder/file
    getfacl -c folder/file
    status setfattr -n trusted.note -v root file
    status getfattr -n user.missing file
    status setfattr -n user.large -v "$(head -c 100 /dev/zero | tr '\0' x)" file
    status setfattr -x user.note file
    status getfattr -n user.note file
}

case_set_id_bits_outlive_the_close() {
    need setpriv
    mkdir theirs
    chmod 777 "$PWD" theirs
    setpriv --reuid 1234 --regid 1234 --clear-groups python3 - <<'PROGRAM'
import os
for size in (0, 100, 6000, 6144, 20480, 100001):
    name = f"theirs/{size}"
    file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    os.write(file, (os.environ["MARKER"].encode() * 100000)[:size])
    os.fchmod(file, 0o6755)
    os.fsync(file) if size == 20480 else None
    os.close(file)
    print(size, oct(os.stat(name).st_mode))
    file = os.open(name, os.O_RDWR)
    os.write(file, b"x")
    os.close(file)
    print(size, oct(os.stat(name).st_mode))
PROGRAM
}

case_rights_before_the_close() {
    need_other_users
    python3 "$PARTS/rest_of_io/rights_before_the_close.py" capability
    chmod 777 "$PWD"
    setpriv --reuid 1234 --regid 1234 --clear-groups python3 - <"$PARTS/rest_of_io/rights_before_the_close.py"
    chmod 755 "$PWD"
}

case_other_users() {
    need setpriv
    chmod 755 "$PWD"
    echo "$MARKER" >theirs
    echo "$MARKER" >set_user_id
    chmod 6777 set_user_id
    chmod 666 theirs
    setpriv --reuid 1234 --regid 1234 --clear-groups sh -c 'echo written >>set_user_id; echo written >>theirs; [ -w theirs ]; echo $?; touch theirs; echo $?'
    stat -c '%A %s' set_user_id theirs
    setpriv --reuid 1234 --regid 1234 --clear-groups python3 - <<'PROGRAM'
import os
print(os.access("theirs", os.W_OK, effective_ids=True), os.access("theirs", os.X_OK), os.access("theirs", os.W_OK))
for call in (lambda: os.chmod("theirs", 0o600), lambda: os.setxattr("theirs", "trusted.a", b""), lambda: os.utime("theirs", (1, 1))):
    try:
        call()
        print("done")
    except OSError as error:
        print(error.errno)
os.truncate("theirs", 3)
print(os.stat("theirs").st_size)
PROGRAM
    chmod 600 theirs
    setpriv --reuid 1234 --regid 1234 --clear-groups sh -c 'cat theirs; echo x >>theirs' || echo "status $?"
}
