# about: MariaDB: system tables, InnoDB and Aria under several clients, kill -9 under load with recovery and checks, mariadb-check, dump and restore
# packages: mariadb-server mariadb-client python3
# limit: 600

version() { mariadbd --version | sed 's/.*Ver \([0-9.]*\).*/\1/'; }

sql() { mariadb -u root -S "$PWD/socket" -N "$@"; }

start() { # start OPTION...
    as_user mysql mariadbd --no-defaults --datadir="$PWD/data" --socket="$PWD/socket" --skip-networking --pid-file="$PWD/pid" \
        --tmpdir="$PWD/tmp" --innodb-buffer-pool-size=32M --innodb-log-file-size=16M "$@" >>server.log 2>&1 &
    server=$!
    wait_until 120 sql -e 'select 1'
}
stop() { mariadb-admin -u root -S "$PWD/socket" shutdown; wait $server; }
kill_server() { local process; process=$(cat pid); kill -9 "$process"; wait $server 2>/dev/null; wait_until 20 gone "$process"; }

tables() {
    sql -e "create database job; use job;
        create table account (id int primary key, balance int not null, note varchar(200), key (balance)) engine=innodb;
        create table history (n int auto_increment primary key, a int, b int, amount int) engine=innodb;
        create table packed (id int primary key, body text) engine=innodb row_format=compressed;
        create table aria (id int primary key, body text) engine=aria transactional=1;
        create table isam (id int primary key, body text, fulltext (body)) engine=myisam;
        insert into account select seq, 1000, repeat('note ', seq % 30) from seq_1_to_2000;
        insert into packed select seq, repeat(md5(seq), 40) from seq_1_to_500;
        insert into aria select seq, repeat(md5(seq), 10) from seq_1_to_1000;
        insert into isam select seq, concat('word', seq, ' common') from seq_1_to_1000"
}

transfers() { # transfers CLIENT COUNT: statements that keep the sum of all balances
    awk -v seed="$1" -v count="$2" 'BEGIN { srand(seed); for (n = 1; n <= count; n++) { a = int(rand() * 2000) + 1; b = int(rand() * 2000) + 1
        if (a > b) { t = a; a = b; b = t }
        if (a == b) continue
        printf "begin; update account set balance = balance - %d where id = %d; update account set balance = balance + %d where id = %d; ", n % 9, a, n % 9, b
        printf "insert into history (a, b, amount) values (%d, %d, %d); commit;\n", a, b, n % 9 } }'
}

load() { # load COUNT: three clients
    local client
    for client in 1 2 3; do transfers "$client" "$1" | sql -f job & clients[client]=$!; done
    wait "${clients[@]}"
}

consistent() { sql job -e 'select sum(balance) from account; select count(*) > 0 from history'; }
# A table's last line counts; in front of it are warnings about transactions that the kill left open.
checked() { mariadb-check -u root -S "$PWD/socket" --check --extended job | grep -E ' OK$|^(status|error) ' | awk '{ print $1, $NF }'; }

suite() {
    mkdir job
    own mysql job
    cd job
    as_user mysql mkdir data tmp
    check "install" as_user mysql mariadb-install-db --no-defaults --datadir="$PWD/data" --auth-root-authentication-method=normal --skip-test-db
    start
    check "tables" tables
    check "load" load 300
    value "consistent" consistent
    value "history" sql job -e 'select count(*) from history'
    value "rows" sql job -e 'select sum(crc32(body)) from packed; select sum(crc32(body)) from aria; select count(*) from isam where match (body) against ("word77")'
    value "checked" checked
    check "alter, optimize, truncate" sql job -e 'alter table packed row_format=dynamic; alter table account add column more int default 7, algorithm=copy;
        optimize table aria, isam, account; create table copy as select * from account; truncate copy; drop table copy'
    check "outfile and infile" sql job -e "select * from account into outfile '$PWD/tmp/out'; create table again like account;
        load data infile '$PWD/tmp/out' into table again; select count(*) from again"
    check "big sort on disk" sql job -e 'set tmp_memory_table_size=1024, sort_buffer_size=1024*32; select count(*) from (select a.id, b.id x, a.note from account a, packed b where b.id < 20 order by a.note, b.id limit 30000) q'
    mariadb-dump -u root -S "$PWD/socket" job >dump.sql
    check "restore" restore
    stop
    for round in 1 2 3; do
        start --innodb-flush-log-at-trx-commit=$((round - 1))
        load 100000 2>/dev/null &
        client=$!
        sleep 3
        kill_server
        wait $client
        start
        value "kill $round: consistent" consistent
        value "kill $round: checked" checked
        stop
    done
    for method in O_DSYNC O_DIRECT littlesync; do
        start --innodb-flush-method=$method
        check "$method: load" load 100
        stop
    done
    start --innodb-use-native-aio=1 --log-bin=binary
    check "binary log: load" load 100
    check "binary log: read" mariadb-binlog --no-defaults -v data/binary.000001
    stop
}

restore() { sql -e 'create database other' && sql other <dump.sql && [ "$(sql other -e 'select count(*) from account')" = 2000 ]; }
