# about: Apache, Squid, Varnish, lighttpd, ProFTPD, BIND (zones with journals, signing), Knot, rsyslog, journald's files, Exim, Dovecot (Maildir, mdbox, indexes), Samba, Mosquitto, memcached's restart file, etcd (Go): what they store, after kills too
# packages: apache2 squid varnish lighttpd lighttpd-mod-deflate lighttpd-mod-webdav proftpd-core bind9 bind9utils bind9-dnsutils knot rsyslog systemd-journal-remote exim4-daemon-light dovecot-imapd samba smbclient mosquitto mosquitto-clients memcached etcd-server curl python3
# limit: 900

version() { dpkg-query -W -f '${Package} ${Version}, ' apache2 squid varnish lighttpd proftpd-core bind9 knot rsyslog systemd-journal-remote exim4-daemon-light dovecot-core samba mosquitto memcached | sed 's/, $//'; }

suite() {
    export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=$PWD TMPDIR=$PWD/temporary LC_ALL=C.UTF-8 TZ=UTC
    mkdir temporary
    chmod 1777 temporary
    web; caches; names; logs; mail; shares; queues
}

# ended PROCESS: politely
ended() { kill "$1" 2>/dev/null; wait_until 20 gone "$1" || kill_hard "$1"; wait "$1" 2>/dev/null; }
get() { curl -s --max-time 20 "$@"; }

web() {
    local process method
    mkdir -p w/site w/logs w/dav && seq 200000 >w/site/big && echo hello >w/site/index.html && seq 300 >w/site/small && chmod -R a+rwX w
    for method in prefork event; do
        cat >w/conf <<T
ServerRoot $PWD/w
ServerName x
LoadModule mpm_${method}_module /usr/lib/apache2/modules/mod_mpm_$method.so
$(for m in authz_core authn_core authz_host dir mime alias autoindex deflate filter dav dav_fs dav_lock env; do [ -e /usr/lib/apache2/modules/mod_$m.so ] && echo "LoadModule ${m}_module /usr/lib/apache2/modules/mod_$m.so"; done)
Listen 127.0.0.1:18081
PidFile $PWD/w/pid
DocumentRoot $PWD/w/site
ErrorLog $PWD/w/logs/error
LogFormat "%r %>s %B" short
CustomLog $PWD/w/logs/access short
User www-data
Group www-data
TypesConfig /etc/mime.types
EnableMMAP $([ $method = event ] && echo on || echo off)
EnableSendfile $([ $method = event ] && echo on || echo off)
DavLockDB $PWD/w/logs/lockdb
Alias /dav $PWD/w/dav
<Directory $PWD/w>
Require all granted
Options +Indexes
</Directory>
<Location /dav>
Dav on
</Location>
AddOutputFilterByType DEFLATE text/plain
T
        chown -R www-data w/logs w/dav 2>/dev/null
        setsid apache2 -f "$PWD/w/conf" -DFOREGROUND >>w/out 2>&1 & process=$!
        wait_until 20 get -f http://127.0.0.1:18081/
        value "apache $method: answers" bash -c 'u=http://127.0.0.1:18081; curl -s $u/; curl -s $u/big | sha256sum; curl -s -r 1000-2000,5000-5100 $u/small | grep -c .; curl -s -r -100 $u/big | sha256sum; curl -s --compressed $u/big | sha256sum; curl -s -I $u/big | grep -i length; for i in 1 2 3 4 5 6; do curl -s $u/big | sha256sum & done | sort -u; wait'
        value "apache $method: dav" bash -c 'u=http://127.0.0.1:18081/dav; seq 50000 >up; curl -s -o /dev/null -w "%{http_code} " -T up $u/a; curl -s $u/a | cmp - up && echo same; for m in "MKCOL $u/c" "COPY $u/a" "MOVE $u/a2" "PROPFIND $u/c" "DELETE $u/c"; do set -- $m; curl -s -o /dev/null -w "%{http_code} " -X $1 -H "Destination: $u/a2" -H "Depth: 1" $2; done; ls w/dav | tr "\n" " "; rm -rf w/dav/*'
        value "apache $method: graceful with rotated log" bash -c "mv w/logs/access w/logs/old; apache2 -f '$PWD/w/conf' -k graceful; sleep 2; curl -s -o /dev/null http://127.0.0.1:18081/small; sleep 0.5; cat w/logs/access; grep -c . w/logs/old | head -c 1"
        ended $process
    done
    printf 'server.document-root = "%s/w/site"\nserver.port = 18082\nserver.bind = "127.0.0.1"\nserver.modules = ("mod_deflate", "mod_accesslog", "mod_webdav", "mod_dirlisting")\naccesslog.filename = "%s/w/lacc"\nserver.upload-dirs = ("%s/temporary")\nmimetype.assign = ("" => "text/plain")\ndeflate.cache-dir = "%s/w/lcache"\ndeflate.mimetypes = ("text/plain")\ndeflate.allowed-encodings = ("gzip")\n$HTTP["url"] =~ "^/up" { webdav.activate = "enable" }\n' "$PWD" "$PWD" "$PWD" "$PWD" >w/lconf
    mkdir -p w/site/up w/lcache
    lighttpd -D -f w/lconf >>w/out 2>&1 & process=$!
    wait_until 20 get -f http://127.0.0.1:18082/small
    value "lighttpd" bash -c 'u=http://127.0.0.1:18082; curl -s $u/big | sha256sum; curl -s --compressed $u/big | sha256sum; curl -s --compressed $u/big | sha256sum; curl -s -r 5-99 $u/small | sha256sum; seq 90000 >up; curl -s -o /dev/null -w "%{http_code} " -T up $u/up/x; curl -s $u/up/x | cmp - up && echo same; find w/lcache -type f | wc -l'
    ended $process
}

caches() {
    local process
    (cd w/site && exec python3 -m http.server -b 127.0.0.1 18083 >/dev/null 2>&1) & origin=$!
    wait_until 20 get -f http://127.0.0.1:18083/small
    mkdir -p sq/{ufs,aufs,logs,run}
    printf 'http_port 127.0.0.1:18084\nhttp_access allow all\ncache_mem 1 MB\nmaximum_object_size_in_memory 1 KB\ncache_dir ufs %s/sq/ufs 50 4 4\ncache_dir aufs %s/sq/aufs 50 4 4\naccess_log stdio:%s/sq/logs/access\ncache_log %s/sq/logs/cache\npid_filename %s/sq/run/pid\ncoredump_dir %s/sq\ncache_effective_user proxy\nshutdown_lifetime 1 second\nrefresh_pattern . 1000 100%% 10000 override-expire ignore-reload\nnetdb_filename none\npinger_enable off\n' "$PWD" "$PWD" "$PWD" "$PWD" "$PWD" "$PWD" >sq/conf
    own proxy sq
    check "squid: makes its directories" squid -z -N -f sq/conf
    squid -N -f sq/conf >/dev/null 2>&1 & process=$!
    wait_until 20 get -f -x http://127.0.0.1:18084 http://127.0.0.1:18083/index.html
    value "squid: caches" bash -c 'for i in 1 2 3; do for f in big small; do curl -s -x http://127.0.0.1:18084 http://127.0.0.1:18083/$f | sha256sum; done; done | sort | uniq -c; sleep 0.5; grep -c HIT sq/logs/access'
    ended $process
    squid -N -f sq/conf >/dev/null 2>&1 & process=$!
    wait_until 20 get -f -x http://127.0.0.1:18084 http://127.0.0.1:18083/index.html
    value "squid: again" bash -c 'curl -s -x http://127.0.0.1:18084 http://127.0.0.1:18083/big | sha256sum; sleep 0.5; tail -n 1 sq/logs/access | grep -o TCP_[A-Z_]*'
    ended $process
    mkdir va; own vcache va
    varnishd -F -n "$PWD/va/n" -a 127.0.0.1:18085 -b 127.0.0.1:18083 -s file,"$PWD/va/store",64M -p default_ttl=1000 -p vcc_allow_inline_c=off >va.log 2>&1 & process=$!
    wait_until 40 get -f http://127.0.0.1:18085/small
    value "varnish: file storage" bash -c 'for i in 1 2 3; do curl -s http://127.0.0.1:18085/big | sha256sum; done | uniq; curl -s -D- -o /dev/null http://127.0.0.1:18085/big | grep -ci "x-varnish: [0-9]* [0-9]"'
    ended $process; ended $origin
}

names() {
    local process
    mkdir -p dns/keys; chmod 777 dns dns/keys
    printf '$TTL 300\n@ IN SOA ns x 1 3600 600 86400 300\n  IN NS ns\nns IN A 127.0.0.1\n' >dns/z.zone; seq 500 | sed 's/.*/h& IN A 127.0.1.1/' >>dns/z.zone
    printf 'options { directory "%s/dns"; pid-file "%s/dns/pid"; listen-on port 18053 { 127.0.0.1; }; listen-on-v6 { none; }; session-keyfile "%s/dns/session"; recursion no; dnssec-validation no; key-directory "%s/dns/keys"; managed-keys-directory "%s/dns"; };\ncontrols { };\nzone "z" { type primary; file "z.zone"; allow-update { any; }; };\nzone "s" { type primary; file "s.zone"; dnssec-policy default; inline-signing yes; };\n' "$PWD" "$PWD" "$PWD" "$PWD" "$PWD" >dns/conf
    cp dns/z.zone dns/s.zone; own bind dns
    (cd dns && exec setpriv --reuid bind --regid bind --init-groups named -g -c conf -n 1 >log 2>&1) & process=$!
    wait_until 20 dig -p 18053 @127.0.0.1 ns.z +short
    value "bind: updates" bash -c 'seq 200 | sed "s/.*/update add n&.z. 60 A 127.0.2.1/; 50~50a send" | (echo server 127.0.0.1 18053; cat; echo send) | nsupdate; dig -p 18053 @127.0.0.1 n77.z +short; dig -p 18053 @127.0.0.1 axfr z | grep -c "IN.A"; ls dns/*.jnl | grep -c z.zone'
    value "bind: signed" bash -c 'for i in $(seq 100); do dig -p 18053 @127.0.0.1 h5.s +dnssec +short | grep -q "A 13" && break; sleep 0.2; done; dig -p 18053 @127.0.0.1 h5.s +dnssec +short | wc -l; ls dns/s.zone.signed dns/keys | wc -l'
    kill -9 "$(cat dns/pid)"; wait $process 2>/dev/null
    value "bind: journal after kill" bash -c 'named-journalprint dns/z.zone.jnl | grep -c "^add n[0-9]"'
    (cd dns && exec setpriv --reuid bind --regid bind --init-groups named -g -c conf -n 1 >>log 2>&1) & process=$!
    wait_until 20 dig -p 18053 @127.0.0.1 ns.z +short
    value "bind: again" bash -c 'dig -p 18053 @127.0.0.1 n199.z +short; dig -p 18053 @127.0.0.1 axfr z | grep -c "IN.A"'
    kill "$(cat dns/pid)"; wait $process 2>/dev/null
    mkdir -p kn; own knot kn
    printf 'server:\n  listen: 127.0.0.1@18054\n  rundir: %s/kn\n  user: knot:knot\ndatabase:\n  storage: %s/kn\n  journal-db-max-size: 64M\n  kasp-db-max-size: 16M\n  timer-db-max-size: 16M\nlog:\n - target: %s/kn/log\n   any: info\nacl:\n - id: u\n   address: 127.0.0.1\n   action: [update, transfer]\nzone:\n - domain: z\n   storage: %s/kn\n   file: z.zone\n   acl: u\n   dnssec-signing: on\n   zonefile-load: difference-no-serial\n   journal-content: all\n' "$PWD" "$PWD" "$PWD" "$PWD" >kn.conf
    cp dns/s.zone kn/z.zone; own knot kn
    knotd -c kn.conf >kn.out 2>&1 & process=$!
    wait_until 20 bash -c 'dig -p 18054 @127.0.0.1 h7.z +short | grep -q 127'
    value "knot: updates and signs" bash -c 'seq 50 | sed "s/.*/update add n&.z. 60 A 127.0.2.1/" | (echo server 127.0.0.1 18054; echo zone z; cat; echo send) | nsupdate; dig -p 18054 @127.0.0.1 n7.z +short; dig -p 18054 @127.0.0.1 n7.z +dnssec +short | wc -l; knotc -c kn.conf zone-flush z >/dev/null; sleep 1; grep -c "^n[0-9]" kn/z.zone'
    kill_hard $process
    value "knot: journal after kill" bash -c 'kjournalprint -c kn.conf kn/journal z 2>/dev/null | grep -c "n[0-9]*\.z"; keymgr -c kn.conf z list 2>/dev/null | wc -l'
}

logs() {
    local process
    mkdir -p lg/spool
    printf 'module(load="imuxsock" SysSock.Use="off")\ninput(type="imuxsock" Socket="%s/lg/sock" CreatePath="off" RateLimit.Interval="0")\nglobal(workDirectory="%s/lg/spool")\ntemplate(name="t" type="string" string="%%msg%%\\n")\naction(type="omfile" file="%s/lg/out" template="t" sync="on")\naction(type="omfile" file="%s/lg/out.gz" template="t" zipLevel="6" veryRobustZip="on")\nmain_queue(queue.type="Disk" queue.filename="q" queue.maxFileSize="64k" queue.checkpointInterval="50")\n' "$PWD" "$PWD" "$PWD" "$PWD" >lg/conf
    rsyslogd -n -f lg/conf -i "$PWD/lg/pid" >lg/log 2>&1 & process=$!
    wait_until 20 test -S lg/sock
    seq 1000 | sed 's/^/message /' | logger -u lg/sock -t x
    wait_until 60 grep -q 'message 1000$' lg/out
    value "rsyslog: disk queue" bash -c 'sort lg/out | uniq | wc -l; wc -l <lg/out'
    ended $process
    value "rsyslog: compressed" bash -c 'zcat lg/out.gz 2>/dev/null | wc -l; ls lg/spool | wc -l'
    seq 3000 | awk '{ printf "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=11111111111111111111111111111111\nMESSAGE=entry %d\nPRIORITY=%d\nLONG=%s\n\n", 1600000000000000 + $1 * 1000000, $1 * 1000000, $1, $1 % 8, substr("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 1, $1 % 30) }' >lg/export
    local options
    for options in "" "--compress=no" "--seal=no --split-mode=none"; do
        rm -rf lg/j; mkdir lg/j
        value "journal written ($options)" bash -c "/lib/systemd/systemd-journal-remote $options -o \$PWD/lg/j/a.journal lg/export 2>&1 | grep -c -i error; journalctl -q --file lg/j/a.journal -o cat | sha256sum; journalctl -q --file lg/j/a.journal --verify >/dev/null 2>&1; echo \$?; journalctl -q --file lg/j/a.journal PRIORITY=3 -o json | wc -l; journalctl -q -D lg/j -n 3 -r -o cat --no-pager; journalctl -q --file lg/j/a.journal --since @1600000100 --until @1600000199 -o cat | wc -l; journalctl -q --file lg/j/a.journal -F PRIORITY | sort | tr '\n' ' '; journalctl -q --file lg/j/a.journal -g 'entry 29[0-9]\$' -o cat | wc -l"
    done
    value "journal appended, exported" bash -c '/lib/systemd/systemd-journal-remote -o $PWD/lg/j/a.journal lg/export 2>/dev/null; journalctl -q --file lg/j/a.journal -o export | grep -ac ^MESSAGE=; journalctl -q --file lg/j/a.journal --verify >/dev/null 2>&1; echo $?; stat -c %s lg/j/a.journal; journalctl --file lg/j/a.journal --header | grep -c -E "Entry objects|State"'
}

mail() {
    local process n
    mkdir -p ex/spool ex/home; chmod 1777 ex ex/spool ex/home
    printf 'spool_directory = %s/ex/spool\nlog_file_path = %s/ex/%%slog\nprimary_hostname = x\nqualify_domain = x\ndomainlist local_domains = x\nacl_smtp_rcpt = accept\nlocal_interfaces = 127.0.0.1\ntrusted_users = root\nkeep_environment =\nbegin routers\nl:\n driver = accept\n domains = x\n transport = ${if eq{$local_part}{mbox}{mb}{md}}\nbegin transports\nmb:\n driver = appendfile\n file = %s/ex/mbox\n user = Debian-exim\nmd:\n driver = appendfile\n directory = %s/ex/home/box\n maildir_format\n user = Debian-exim\nbegin retry\n* * F,1h,1m\n' "$PWD" "$PWD" "$PWD" "$PWD" >ex.conf
    own Debian-exim ex; chmod 1777 ex; chmod 755 .; own Debian-exim ex/spool
    for n in $(seq 12); do printf 'Subject: %d\n\n%s\n' "$n" "$(seq $((n * 50)))" | exim -C "$PWD/ex.conf" -oMr x -odi -f a@x mbox@x box@x >>ex.out 2>&1; done
    value "exim: delivers" bash -c 'grep -c "^From " ex/mbox; grep -c "^[0-9]*$" ex/mbox; ls ex/home/box/new | wc -l; cat ex/home/box/new/* | grep -c "^Subject"; exim -C $PWD/ex.conf -bp | wc -l; ls ex/spool/input 2>/dev/null | wc -l; grep -c Completed ex/mainlog; ls ex/spool/db | wc -l'
    for n in maildir mdbox sdbox mbox; do
        mkdir -p "dv/$n"; chmod 777 dv dv/$n
        printf 'base_dir = %s/dv/base\nstate_dir = %s/dv/base\nlog_path = %s/dv/log\nprotocols = imap\nssl = no\nmail_location = %s:%s/dv/%s/mail%s\nmail_uid = mail\nmail_gid = mail\nfirst_valid_uid = 1\nfirst_valid_gid = 1\nmail_privileged_group =\nmmap_disable = no\nmail_fsync = always\nnamespace inbox {\n inbox = yes\n separator = /\n}\npassdb {\n driver = static\n args = nopassword=y\n}\nuserdb {\n driver = static\n args = uid=mail gid=mail home=%s/dv/%s\n}\ndefault_internal_user = mail\ndefault_login_user = mail\n' "$PWD" "$PWD" "$PWD" $n "$PWD" $n "$([ $n = mbox ] && echo ":INBOX=$PWD/dv/mbox/in")" "$PWD" $n >dv.conf
        own mail dv/$n
        setsid dovecot -F -c "$PWD/dv.conf" >>dv.out 2>&1 & process=$!
        wait_until 20 test -S dv/base/auth-userdb
        value "dovecot $n: saves, searches, moves" bash -c 'a="doveadm -c $PWD/dv.conf"; u="-u x"; for i in $(seq 30); do printf "From: a@x\nSubject: m%d\nDate: Sat, 01 Feb 2020 00:00:%02d +0000\n\n%s\n" $i $i "$(seq $i $((i * 90)))" | $a save $u -m INBOX; done; $a mailbox create $u T; $a search $u mailbox INBOX subject m1 | wc -l; $a search $u mailbox INBOX body 2222 | wc -l; $a move $u T mailbox INBOX subject m2; $a flags add $u "\\Seen" mailbox INBOX subject m1; $a mailbox status $u "messages unseen" "*" | sort | tr "\n" " "; $a expunge $u mailbox INBOX seen; $a purge $u 2>&1; $a fetch $u text mailbox T | sha256sum; $a mailbox status $u messages INBOX T; $a index $u INBOX; $a force-resync $u "*" >/dev/null 2>&1; $a fetch $u "hdr.subject size.physical" mailbox INBOX | sha256sum; $a dump dv/*/mail/dovecot.list.index 2>/dev/null | head -n 1 | wc -c >/dev/null' 2>&1
        value "dovecot $n: copied" bash -c "doveadm -c \$PWD/dv.conf backup -u x mdbox:\$PWD/dv/$n/copy >&2; doveadm -c \$PWD/dv.conf -o mail_location=mdbox:\$PWD/dv/$n/copy fetch -u x text mailbox T | sha256sum"
        ended $process
    done
}

shares() {
    local process
    mkdir -p sm/{share,private,lock,state,cache,run,log}
    printf '[global]\nserver role = standalone server\nworkgroup = W\nnetbios name = x\ninterfaces = 127.0.0.1\nbind interfaces only = yes\nsmb ports = 18445\nprivate dir = %s/sm/private\nlock directory = %s/sm/lock\nstate directory = %s/sm/state\ncache directory = %s/sm/cache\npid directory = %s/sm/run\nncalrpc dir = %s/sm/run/rpc\nlog file = %s/sm/log/l\nmap to guest = bad user\nguest account = root\npassdb backend = tdbsam:%s/sm/private/p.tdb\ndisable netbios = yes\n[s]\npath = %s/sm/share\nguest ok = yes\nread only = no\nforce user = root\nea support = yes\nstore dos attributes = yes\nuse sendfile = yes\nstrict sync = yes\n' $(for _ in 1 2 3 4 5 6 7 8 9; do echo "$PWD"; done) >sm.conf
    check "samba: password database" bash -c '(echo p; echo p) | smbpasswd -c $PWD/sm.conf -s -a root'
    value "samba: databases" bash -c 'pdbedit -s $PWD/sm.conf -L | cut -d: -f1; for f in $(find sm -name "*.tdb" | sort); do tdbtool $f check 2>&1 | grep -c "integrity is OK"; done | sort | uniq -c; net -s $PWD/sm.conf groupmap list 2>/dev/null | wc -l'
    setsid smbd -F --no-process-group -s "$PWD/sm.conf" >sm.out 2>&1 & process=$!
    wait_until 20 smbclient -p 18445 -N //127.0.0.1/s -c ls
    value "samba: files" bash -c 'seq 300000 >up; smbclient -p 18445 -N //127.0.0.1/s -c "put up a; mkdir d; cd d; put up b; rename b c; get c ../got; cd ..; put up x; del x; allinfo a; setmode a +r; posix; chmod 600 a; ls" >smb.log 2>&1; cmp up got 2>/dev/null; cmp up sm/share/d/c && cmp up sm/share/a && echo same; find sm/share -type f | sort | tr "\n" " "; smbclient -p 18445 -N //127.0.0.1/s -Tc t.tar >/dev/null 2>&1; tar -tf t.tar | sort | tr "\n" " "; getfattr -d -m user sm/share/a 2>/dev/null | grep -c DOSATTRIB'
    ended $process
    value "samba: databases after" bash -c 'for f in $(find sm -name "*.tdb" | sort); do tdbtool $f check 2>&1 | grep -q "integrity is OK" || echo bad $f; done; tdbbackup -v sm/private/*.tdb | wc -l'
    mkdir -p ft/root; chmod 777 ft/root
    printf 'ServerType standalone\nPort 18021\nDefaultAddress 127.0.0.1\nUseReverseDNS off\nUser root\nGroup root\nPidFile %s/ft/pid\nScoreboardFile %s/ft/score\nDelayTable none\nTransferLog %s/ft/xfer\nSystemLog %s/ft/log\nWtmpLog off\nAllowOverwrite on\nAllowStoreRestart on\nAllowRetrieveRestart on\nUseSendfile on\nHiddenStores on\nPassivePorts 18100 18150\n<Anonymous %s/ft/root>\nUser root\nGroup root\nUserAlias anonymous root\nRootLogin on\nRequireValidShell off\n</Anonymous>\nRootLogin on\nAuthOrder mod_auth_unix.c\n' "$PWD" "$PWD" "$PWD" "$PWD" "$PWD" >ft.conf
    proftpd -n -q -c "$PWD/ft.conf" >ft.out 2>&1 & process=$!
    wait_until 10 get -f ftp://127.0.0.1:18021/
    value "proftpd" bash -c 'u=ftp://127.0.0.1:18021; curl -s -T up $u/f; curl -s $u/f | cmp - up && echo same; head -c 100000 up | curl -s -T - $u/g; curl -s -C 100000 -T up $u/g; cmp ft/root/g up && echo resumed; curl -s -C 500000 $u/f | sha256sum; curl -s -Q "RNFR f" -Q "RNTO h" $u/ | wc -l; curl -s --append -T t.tar $u/h; stat -c %s ft/root/h; ls -A ft/root'
    ended $process
}

queues() {
    local process
    mkdir -p mq; chmod 777 mq
    printf 'listener 18883 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location %s/mq/\nautosave_interval 1\nuser root\n' "$PWD" >mq.conf
    mosquitto -c mq.conf >mq.log 2>&1 & process=$!
    wait_until 20 mosquitto_pub -p 18883 -t x -m y
    value "mosquitto: stores" bash -c 'for i in 1 2 3 4 5; do mosquitto_pub -p 18883 -q 1 -r -t keep/$i -m v$i; done; timeout 2 mosquitto_sub -p 18883 -c -i me -q 1 -t q >/dev/null; for i in 1 2 3; do mosquitto_pub -p 18883 -q 1 -t q -m m$i; done; sleep 3; ls mq'
    kill_hard $process
    mosquitto -c mq.conf >mq.log 2>&1 & process=$!
    wait_until 20 mosquitto_pub -p 18883 -t x -m y
    value "mosquitto: after kill" bash -c 'mosquitto_sub -p 18883 -c -i me -q 1 -t q -C 3 -W 5; mosquitto_sub -p 18883 -t keep/# -C 5 -W 5 | sort | tr "\n" " "'
    ended $process
    memcached -u root -s "$PWD/mc.sock" -e "$PWD/mc" -m 64 >mc.log 2>&1 & process=$!
    wait_until 20 test -S mc.sock
    cat >mc.py <<'T'
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect("mc.sock"); f = s.makefile("rwb")
if sys.argv[1] == "set":
    for i in range(3000): v = b"v" * (i % 900); f.write(b"set k%d 0 0 %d\r\n%s\r\n" % (i, len(v), v)); f.flush(); f.readline()
n = 0
for i in range(3000):
    f.write(b"get k%d\r\n" % i); f.flush(); h = f.readline()
    if h.startswith(b"VALUE"): n += f.readline() == b"v" * (i % 900) + b"\r\n"; f.readline()
print(n)
T
    value "memcached: memory in a file" python3 mc.py set
    kill -USR1 $process; wait_until 20 gone $process; wait $process 2>/dev/null; rm -f mc.sock
    memcached -u root -s "$PWD/mc.sock" -e "$PWD/mc" -m 64 >>mc.log 2>&1 & process=$!
    wait_until 20 test -S mc.sock
    value "memcached: restarted with it" python3 mc.py get
    ended $process
    etcd --data-dir "$PWD/et" --listen-client-urls http://127.0.0.1:18379 --advertise-client-urls http://127.0.0.1:18379 --listen-peer-urls http://127.0.0.1:18380 --initial-advertise-peer-urls http://127.0.0.1:18380 --initial-cluster default=http://127.0.0.1:18380 >et.log 2>&1 & process=$!
    wait_until 10 get -f http://127.0.0.1:18379/version
    value "etcd" bash -c 'for i in 1 2 3 4 5; do curl -s http://127.0.0.1:18379/v3/kv/put -d "{\"key\":\"$(printf k$i | base64)\",\"value\":\"dg==\"}" | grep -c revision; done; find et -type f | wc -l'
    kill_hard $process
}
