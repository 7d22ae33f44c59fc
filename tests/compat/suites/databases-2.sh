# about: OpenLDAP (LMDB), Berkeley DB, GDBM, TDB, Kyoto and Tokyo Cabinet, RRDtool, Xapian, SQLite's tools, DuckDB and libSQL (npm), PostgreSQL's base backup, archive and rewind: loads, kills in the middle, checks, dumps
# packages: slapd ldap-utils db5.3-util gdbmtool tdb-tools kyotocabinet-utils tokyocabinet-bin rrdtool python3-xapian sqlite3 sqlite3-tools postgresql-15 python3
# limit: 900

bin=/usr/lib/postgresql/15/bin
version() { dpkg-query -W -f '${Package} ${Version}, ' slapd db5.3-util gdbmtool tdb-tools rrdtool python3-xapian sqlite3 postgresql-15 | sed 's/, $//'; }

prepare() {
    [ -e node_modules/libsql ] || ! command -v npm || npm install --no-audit --no-fund @duckdb/node-api libsql
}

suite() {
    export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=$PWD TMPDIR=$PWD/temporary LC_ALL=C.UTF-8 TZ=UTC
    mkdir temporary
    small_ones; ldap; round_robin; search; lite; postgres
}

small_ones() {
    local n
    value "berkeley db" bash -c 'for t in btree hash recno; do seq 5000 | awk -v t=$t "{ if (t != \"recno\") printf \" k%d\n\", \$1; printf \" v%d\n\", \$1 * 7 }" | db5.3_load -T -t $t bdb.$t; db5.3_verify bdb.$t && db5.3_dump -p bdb.$t | sha256sum; db5.3_stat -d bdb.$t | grep -c .; done'
    value "berkeley db with an environment" bash -c 'mkdir env; seq 2000 | awk "{ print \" k\" \$1; print \" v\" \$1 }" | db5.3_load -T -t btree -h env e.db; db5.3_checkpoint -1 -h env 2>/dev/null; db5.3_archive -h env -s; db5.3_hotbackup -h env -b hot 2>/dev/null; ls hot 2>/dev/null | tr "\n" " "; db5.3_recover -h env; db5.3_verify -h env e.db && db5.3_dump -h env -p e.db | wc -l; db5.3_stat -h env -m 2>/dev/null | grep -c .; ls env'
    value "gdbm" bash -c '(seq 3000 | awk "{ print \"store k\" \$1 \" v\" \$1 * 3 }"; seq 1 2 3000 | awk "{ print \"delete k\" \$1 }"; echo count; echo "fetch k100"; echo reorganize; echo "export g.dump") | gdbmtool -q -n g.db; gdbmtool -q -r g.db count; gdbm_dump g.db | wc -l; gdbm_load g.dump g2.db && gdbmtool -q -r g2.db count'
    value "tdb" bash -c '(echo "create t.tdb"; seq 1500 | awk "{ print \"insert k\" \$1 \" v\" \$1 }"; seq 3 3 1500 | awk "{ print \"delete k\" \$1 }"; echo "transaction_start"; seq 200 | awk "{ print \"store k\" \$1 \" new\" }"; echo "transaction_commit"; echo "check"; echo "quit") | tdbtool >tdb.log 2>&1; grep -ci "database integrity is ok\|succeeded" tdb.log; tdbbackup t.tdb && tdbbackup -v t.tdb; tdbdump t.tdb | grep -c key; tdbdump t.tdb | tdbrestore t3.tdb; tdbdump t3.tdb | sort | sha256sum'
    value "kyoto cabinet" bash -c 'kchashmgr create k.kch; seq 3000 | awk "{ print \"k\" \$1 \"\t\" \$1 * 5 }" >kv; kchashmgr import k.kch kv >/dev/null;  kchashmgr get k.kch k77; kchashmgr check k.kch && kchashmgr list k.kch | sort | sha256sum; kctreemgr create k.kct; kctreemgr import k.kct kv >/dev/null; kctreemgr check k.kct && kctreemgr list -max 3 k.kct; kctreemgr copy k.kct k2.kct >/dev/null; cmp k.kct k2.kct; kcdirmgr create k.kcd; head -n 200 kv >kv2; kcdirmgr import k.kcd kv2 >/dev/null; kcdirmgr check k.kcd; kctreetest order -rnd k.t 3000 2>&1 | tail -n 1; kchashtest wicked -it 2 k.h 2000 2>&1 | tail -n 1; kchashtest tran -th 2 k.x 800 2>&1 | tail -n 1' 2>&1
    value "tokyo cabinet" bash -c 'tchmgr create t.tch; tchmgr importtsv t.tch kv >/dev/null; tchmgr get t.tch k99; tchmgr optimize t.tch; tchmgr list t.tch | sort | sha256sum; tcbmgr create t.tcb; tcbmgr importtsv t.tcb kv >/dev/null; tcbmgr list -m 3 t.tcb; tcfmgr create t.tcf 20; tcfmgr put t.tcf 5 x; tcfmgr get t.tcf 5; tcttest wicked t.tct 1500 2>&1 | tail -n 1; tcbtest wicked -td t.tb 3000 2>&1 | tail -n 1; tchmttest wicked t.mt 3 1500 2>&1 | tail -n 1' 2>&1
}

ldap() {
    local n victim
    mkdir -p ld/db
    printf 'include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\ninclude /etc/ldap/schema/inetorgperson.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile %s/ld/pid\ndatabase mdb\nsuffix dc=x\nrootdn cn=a,dc=x\nrootpw s\ndirectory %s/ld/db\nmaxsize 67108864\nindex objectClass,cn,uid eq\n' "$PWD" "$PWD" >ld/conf
    (printf 'dn: dc=x\nobjectClass: dcObject\nobjectClass: organization\no: x\ndc: x\n\n'; seq 2000 | awk '{ printf "dn: uid=u%d,dc=x\nobjectClass: inetOrgPerson\nuid: u%d\ncn: n%d\nsn: s\ndescription: %s\n\n", $1, $1, $1 % 10, "d" $1 }') >ld/ldif
    check "slapadd" slapadd -q -f ld/conf -l ld/ldif
    value "slapcat" bash -c 'slapcat -f ld/conf 2>/dev/null | grep -vE "entryUUID|entryCSN|Timestamp" | sha256sum'
    check "slapindex" slapindex -q -f ld/conf
    for n in 1 2; do
        slapd -f ld/conf -h "ldapi://$(sed 's,/,%2F,g' <<<"$PWD/ld/s$n")" -d 0 >/dev/null 2>&1 & victim=$!
        wait_until 20 ldapsearch -x -H "ldapi://$(sed 's,/,%2F,g' <<<"$PWD/ld/s$n")" -b dc=x -s base
        value "ldap $n: search" bash -c 'ldapsearch -LLL -x -H ldapi://$(sed "s,/,%2F,g" <<<"$PWD/ld/s'$n'") -b dc=x "(cn=n7)" uid 2>/dev/null | sort | sha256sum'
        value "ldap $n: modifies" bash -c 'seq 300 | awk "{ printf \"dn: uid=u%d,dc=x\nchangetype: modify\nreplace: sn\nsn: z'$n'\n\n\", \$1 }" | ldapmodify -x -H ldapi://$(sed "s,/,%2F,g" <<<"$PWD/ld/s'$n'") -D cn=a,dc=x -w s | grep -c modifying'
        kill_hard $victim
        value "ldap $n: after kill" bash -c 'slapcat -f ld/conf 2>/dev/null | grep -c "^sn: z'$n'"'
    done
}

round_robin() {
    value "rrdtool" bash -c 'rrdtool create r.rrd --start 1000000000 --step 60 DS:a:GAUGE:120:0:U DS:b:COUNTER:120:0:U RRA:AVERAGE:0.5:1:600 RRA:MAX:0.5:10:100; for i in $(seq 1 200); do echo "update r.rrd $((1000000000 + i * 60)):$((i * 3 % 50)):$((i * 100))"; done | rrdtool - | grep -c OK; rrdtool fetch r.rrd AVERAGE -s 1000000000 -e 1000012000 | sha256sum; rrdtool dump r.rrd r.xml; rrdtool restore r.xml r2.rrd; rrdtool fetch r2.rrd MAX -s 1000000000 -e 1000012000 | sha256sum; rrdtool tune r.rrd -r a:c; rrdtool resize r.rrd 0 GROW 100; rrdtool info resize.rrd | grep "rows"; rrdtool lastupdate r.rrd | tail -n 1; rrdtool graph g.png -s 1000000000 -e 1000012000 DEF:x=r2.rrd:a:AVERAGE LINE1:x#ff0000 >/dev/null 2>&1; file g.png | cut -d, -f1'
}

search() {
    cat >x.py <<'T'
import xapian, os, signal
for kind in ("x.glass", "y.glass"):
    d = xapian.WritableDatabase(kind, xapian.DB_CREATE_OR_OVERWRITE)
    g = xapian.TermGenerator(); g.set_stemmer(xapian.Stem("en"))
    for i in range(3000):
        t = xapian.Document(); g.set_document(t); g.index_text(f"word{i % 70} text number{i} common"); t.set_data(str(i)); t.add_value(0, str(i % 9)); d.add_document(t)
        if i % 700 == 0: d.commit()
    d.commit(); d.delete_document(5); d.commit(); d.close()
d = xapian.Database("x.glass"); e = xapian.Enquire(d); e.set_query(xapian.Query("word7")); print(d.get_doccount(), e.get_mset(0, 10).get_matches_estimated())
child = os.fork()
if child == 0:
    d = xapian.WritableDatabase("x.glass", xapian.DB_OPEN)
    while True:
        t = xapian.Document(); t.add_term("killed"); d.add_document(t); d.commit()
import time; time.sleep(1); os.kill(child, signal.SIGKILL); os.waitpid(child, 0)
d = xapian.WritableDatabase("x.glass", xapian.DB_OPEN); print(d.get_termfreq("word7"), d.get_termfreq("killed") > 0); d.close()
print(xapian.Database.check("x.glass")); xapian.Database("x.glass").compact("z.glass"); print(xapian.Database("z.glass").get_termfreq("common"))
T
    value "xapian" python3 x.py
}

lite() {
    value "sqldiff, dbhash, analyzer" bash -c 'for n in 1 2; do sqlite3 q$n.db "create table t (a integer primary key, b text); create index i on t (b); with recursive c (x) as (select 1 union all select x + 1 from c where x < 5000) insert into t select x, hex(x * '"'"'$n'"'"') from c;"; done; sqldiff --summary q1.db q2.db; sqldiff q1.db q2.db | wc -l; sqldiff --transaction q1.db q2.db >q.sql; sqlite3 q1.db <q.sql; sqldiff q1.db q2.db | wc -l; dbhash q1.db q2.db 2>/dev/null | cut -d" " -f1 | uniq | wc -l; sqlite3_analyzer q1.db 2>/dev/null | grep -c "^\*\*\*"; sqlite3 q1.db ".backup q3.db" ".recover" | sqlite3 q4.db; sqlite3 q4.db "pragma integrity_check; select count(*) from t"; sqlite3 q1.db "vacuum into '"'"'q5.db'"'"'" ".archive -cf q.sqlar kv" ".archive -tf q.sqlar"; cmp <(sqlite3 q5.db .dump) <(sqlite3 q2.db .dump) && echo same'
    [ -e "$SCRATCH/node_modules/libsql" ] || { result "libsql, duckdb" "skip: no npm"; return; }
    cat >s.js <<'T'
const path = process.env.SCRATCH + '/node_modules/';
const D = require(path + 'libsql'); const d = new D('bs.db'); d.pragma('journal_mode = wal'); d.exec('create table t (a, b)');
const i = d.prepare('insert into t values (?, ?)'); d.transaction(() => { for (let n = 0; n < 5000; n++) i.run(n, 'v' + n * n); })();
const r = d.prepare('select sum(a) s, max(b) m from t').get(); console.log(r.s, r.m); d.close(); 
T
    value "libsql" node s.js
    cat >d.js <<'T'
const path = process.env.SCRATCH + '/node_modules/';
const { DuckDBInstance } = require(path + '@duckdb/node-api');
(async () => {
    let d = await DuckDBInstance.create('duck.db'), c = await d.connect();
    for (const s of ["set threads = 2", "create table t as select i, i * 7 % 1000 as k, 'text ' || i as s from range(200000) r(i)", "checkpoint",
        "copy t to 'duck.csv' (header)", "copy t to 'duck.parquet' (format parquet)", "create table u as select * from read_csv_auto('duck.csv')",
        "delete from u where k < 100", "update u set s = 'x' where k = 200", "set memory_limit = '60MB'", "set temp_directory = 'duck.tmp'",
        "create table w as select * from u order by hash(s)"]) await c.run(s);
    const rows = async q => console.log(JSON.stringify((await c.runAndReadAll(q)).getRowsJson()));
    await rows("select count(*)::int, sum(i)::double, (select count(*)::int from 'duck.parquet' where k = 7) from w");
    c.closeSync(); d.closeSync();
    d = await DuckDBInstance.create('duck.db'); c = await d.connect();
    await rows("select sum(k)::double, count(distinct s)::int from u");
})();
T
    value "duckdb" node d.js
}

pg() { as_user postgres "$bin/$@"; }
psql_at() { as_user postgres psql -h "$PWD" -p "$1" -qAt -c "$2" postgres; }
postgres() {
    mkdir pg; own postgres pg; cd pg || return
    check "initdb" pg initdb -A trust -k --no-locale -E UTF8 -D "$PWD/a"
    as_user postgres mkdir wal
    printf "listen_addresses = ''\nunix_socket_directories = '%s'\nwal_log_hints = on\narchive_mode = on\narchive_command = 'cp %%p %s/wal/%%f'\nwal_keep_size = 64MB\nmax_wal_size = 64MB\n" "$PWD" "$PWD" >>a/postgresql.conf
    check "start" pg pg_ctl -w -s -D a -o "-p 7001" -l "$PWD/a.log" start
    psql_at 7001 "create table t as select i, md5(i::text) m from generate_series(1, 50000) i; create index on t (m)"
    check "base backup, streamed" pg pg_basebackup -h "$PWD" -p 7001 -D "$PWD/b" -X stream -R -c fast
    check "base backup, tar" pg pg_basebackup -h "$PWD" -p 7001 -D "$PWD/tarred" -Ft -z -X fetch -c fast
    check "verify backup" pg pg_verifybackup b
    check "standby starts" pg pg_ctl -w -s -D b -o "-p 7002" -l "$PWD/b.log" start
    psql_at 7001 "insert into t select i, 'more' from generate_series(50001, 60000) i"
    wait_until 60 bash -c '[ "$(psql -h "$PWD" -p 7002 -U postgres -qAt -c "select count(*) from t" postgres)" = 60000 ]'
    value "standby has it" psql_at 7002 "select count(*), sum(i) from t"
    check "promoted" pg pg_ctl -w -s -D b promote
    psql_at 7002 "insert into t select i, 'new line' from generate_series(1, 1000) i"
    psql_at 7001 "insert into t select i, 'lost' from generate_series(1, 3000) i; checkpoint"
    check "stopped" pg pg_ctl -w -s -D a -m fast stop
    psql_at 7002 checkpoint
    check "rewound" pg pg_rewind -D a --source-server="host=$PWD port=7002 user=postgres dbname=postgres"
    check "checksums" bash -c "$(declare -f as_user pg); bin=$bin; pg pg_ctl -w -s -D b stop; pg pg_checksums -c -D b >/dev/null"
    check "dumped write-ahead log" bash -c "$bin/pg_waldump -n 50 wal/\$(ls wal | head -n 1) | grep -q rmgr"
    as_user postgres mkdir -m 700 t && as_user postgres tar -xzf tarred/base.tar.gz -C t && as_user postgres tar -xzf tarred/pg_wal.tar.gz -C t/pg_wal 2>/dev/null
    as_user postgres touch t/recovery.signal && printf "restore_command = 'cp %s/wal/%%f %%p'\narchive_mode = off\n" "$PWD" >>t/postgresql.conf
    check "recovered from the archive" pg pg_ctl -w -s -t 60 -D t -o "-p 7003" -l "$PWD/t.log" start
    wait_until 60 bash -c '[ "$(psql -h "$PWD" -p 7003 -U postgres -qAt -c "select pg_is_in_recovery()" postgres)" = f ]'
    value "of the archive" psql_at 7003 "select count(*) >= 60000, count(distinct m) > 50000 from t"
    check "stopped again" pg pg_ctl -w -s -D t -m immediate stop
    cd ..
}
