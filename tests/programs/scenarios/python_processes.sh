# about: python3 with several processes and threads: subprocess, fork and append, multiprocessing, sqlite3, dbm, shelve
# needs: python3
# case-limit: 90

case_subprocess() {
    python3 - <"$PARTS/python_processes/subprocess.py"
    checksum a b c d
}

case_append_after_fork() {
    python3 - <"$PARTS/python_processes/append_after_fork.py"
    sort shared | checksum; sort appended | checksum; volatile 'case_append_after_fork/*'
}

case_multiprocessing() {
    cp "$PARTS/python_processes/work.py" .
    python3 work.py; checksum f? t?
}

case_sqlite_module() {
    python3 - <"$PARTS/python_processes/sqlite_module.py"
    ls; volatile 'case_sqlite_module/*.db'
}

case_dbm_and_shelve() {
    python3 - <"$PARTS/python_processes/dbm_and_shelve.py"
    ls | wc -l; volatile 'case_dbm_and_shelve/other*' 'case_dbm_and_shelve/*.dat' 'case_dbm_and_shelve/*.dir'
}

case_passed_descriptors() {
    python3 - <"$PARTS/python_processes/passed_descriptors.py"
}

# The kernel asks for no room in the program that calls exec: with the limit below what is mapped already, it must work all the same.
case_exec_with_little_address_space() {
    echo "read $MARKER" >a
    python3 -c '
import os, resource
open("a").read()
resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))
os.execve("/bin/cat", ["cat", "a"], {})'
    status true
}

case_exec_and_root_changes() {
    echo "kept $MARKER" >a
    python3 -c '
import os
fd = os.open("a", os.O_RDONLY); os.set_inheritable(fd, True); os.dup2(fd, 0)
os.execve("/bin/cat", ["cat"], {})'
    [ "$(id -u)" = 0 ] || return 0
    python3 - <"$PARTS/python_processes/new_root.py"
    python3 - <"$PARTS/python_processes/left_root.py"
    python3 - <"$PARTS/python_processes/kept_directory.py"
    python3 - <"$PARTS/python_processes/dropped_privileges.py" 2>&1 | sed 's/.*Error/Error/'
}
