. "$(dirname "$0")/full.sh"
sqlite3 a.db 'create table t (i integer primary key, b blob); with recursive n(i) as (select 1 union all select i + 1 from n where i < 500)
    insert into t select i, randomblob(1000) from n; select count(*), sum(length(b)) from t'
for mode in delete truncate; do
    sqlite3 a.db "pragma journal_mode = $mode"
    leave_room 600
    ended sqlite3 a.db 'with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000) insert into t (b) select randomblob(1000) from n'
    give_room
    sqlite3 a.db 'select count(*) from t; pragma integrity_check'
    sqlite3 a.db "insert into t (b) values ('$mode'); select count(*) from t"
done
