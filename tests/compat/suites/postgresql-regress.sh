# about: PostgreSQL's own regression suite (its parallel schedule) and isolation tests, against a server whose data lies in the directory
# packages: postgresql-15 postgresql-server-dev-15 libpq-dev gcc libc6-dev dpkg-dev
# limit: 1500

bin=/usr/lib/postgresql/15/bin
pgxs=/usr/lib/postgresql/15/lib/pgxs/src/test

version() { $bin/postgres --version | sed 's/.*) \([0-9.]*\).*/\1/'; }

prepare() {
    [ -e regress.so ] || debian_source postgresql-15 . || return
    mv -T postgresql-15-*/src/test/regress regress && mv -T postgresql-15-*/src/test/isolation isolation || return
    gcc -O2 -shared -fPIC -w -I"$($bin/pg_config --includedir-server)" -I"$($bin/pg_config --includedir)" -Iregress \
        -o regress.so regress/regress.c || return
    chmod -R a+rX .
}

suite() {
    export LANG=C LC_ALL=C
    mkdir regress isolation
    own postgres regress isolation
    cd regress
    as_user postgres $pgxs/regress/pg_regress --temp-instance="$PWD/instance" --inputdir="$SCRATCH/regress" \
        --outputdir="$PWD" --bindir=$bin --dlpath="$SCRATCH" --max-concurrent-tests=20 \
        --schedule="$SCRATCH/regress/parallel_schedule" --no-locale --encoding=UTF8 >../regress.log 2>&1
    cat ../regress.log regression.diffs >&2
    outcomes regress <../regress.log
    cd ../isolation
    as_user postgres $pgxs/isolation/pg_isolation_regress --temp-instance="$PWD/instance" --inputdir="$SCRATCH/isolation" \
        --outputdir="$PWD" --bindir=$bin --schedule="$SCRATCH/isolation/isolation_schedule" --no-locale >../isolation.log 2>&1
    cat ../isolation.log output_iso/regression.diffs >&2
    outcomes isolation <../isolation.log
}

# "test NAME ... ok 12 ms", or "     NAME ... FAILED 12 ms" in a group
outcomes() {
    sed -nE 's/^ *(test )? *([a-z0-9_-]+) +\.\.\. +(ok|FAILED|failed).*/\2 \3/p' | while read -r name outcome; do
        if [ "$outcome" = ok ]; then result "$1/$name" ok; else result "$1/$name" fail; fi
    done
}
