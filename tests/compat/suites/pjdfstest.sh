# about: pjdfstest: what POSIX says of every call on files and directories, error by error (as root; PJDFSTEST=its built tree)
# packages: openssl
# limit: 1800

suite() {
    local script name
    if [ ! -x "${PJDFSTEST:-}/pjdfstest" ]; then
        printf 'RESULT\tall\tskip: PJDFSTEST does not name a built pjdfstest\n'
        return
    fi
    while IFS= read -r script; do
        name=${script#"$PJDFSTEST"/tests/}
        mkdir here && cd here || return
        sh "$script" 2>&1 | results "${name%.t}"
        cd .. && rm -rf here
    done < <(find "$PJDFSTEST/tests" -name '*.t' | LC_ALL=C sort)
}

# The lines of the Test Anything Protocol, named for script and number.
results() {
    awk -v name="$1" -v OFS='\t' '
        /^(not )?ok / {
            number = $1 == "not" ? $3 : $2
            outcome = /# SKIP/ ? "skip" : $1 == "not" ? "FAIL" : "ok"
            print "RESULT", name " " number, outcome
            if (outcome == "FAIL") print name ": " $0 > "/dev/stderr"
        }
        /^1\.\.0/ { print "RESULT", name, "skip" }'
}
