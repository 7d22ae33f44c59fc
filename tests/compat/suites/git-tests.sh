# about: Git's own tests t0000 to t3999 (basics, refs, index, working trees, objects, branches, stash, rebase), their repositories in the directory
# packages: gcc make libc6-dev dpkg-dev zlib1g-dev libcurl4-openssl-dev libexpat1-dev libpcre2-dev perl gettext
# limit: 5400

version() { git/git --version | sed 's/git version \(.*\)/\1 (built from source)/'; }

prepare() {
    [ -e git ] || { debian_source git source && mv -T source/git-*/ git; } || return
    [ -x git/t/helper/test-tool ] || nice make -C git -j2 NO_TCLTK=1 NO_GETTEXT=1 NO_PYTHON=1 NO_INSTALL_HARDLINKS=1 all
}

# Repositories lie in the directory under test; Git itself, the scripts and what they tell do not.
suite() {
    local script name home=$PWD
    export GIT_TEST_OPTS='' TMPDIR=$PWD
    mkdir "$SCRATCH/told" 2>/dev/null
    cd "$SCRATCH/git/t" || return
    for script in ${GIT_TESTS:-t[0-3][0-9][0-9][0-9]-*.sh}; do
        name=${script%.sh}
        timeout -k 10 600 ./"$script" --root="$home" --no-color >"$SCRATCH/told/$name" 2>&1 </dev/null
        printf 'RESULT\t%s\tstatus %s\n' "$name" $?
        results "${name%%-*}" <"$SCRATCH/told/$name"
        chmod -R u+rwx "$home/trash directory.$name" 2>/dev/null
        rm -rf "$home/trash directory.$name"
    done
}

# The lines of the Test Anything Protocol, named for script and number; what Git knows to be broken is no failure.
results() {
    awk -v name="$1" -v OFS='\t' '
        /^(not )?ok [0-9]+/ {
            number = $1 == "not" ? $3 : $2
            outcome = /# TODO known breakage/ ? "known breakage" : /# skip/ ? "skip" : $1 == "not" ? "FAIL" : "ok"
            print "RESULT", name " " number, outcome
            if (outcome == "FAIL") print name ": " $0 > "/dev/stderr"
        }'
}
