# about: nginx on a Unix socket, sendfile on and off, threads, directio, open_file_cache, ranges, gzip, uploads with WebDAV, log rotation; each answer digested
# packages: nginx-light curl
# limit: 600

version() { nginx -v 2>&1 | sed 's/.*nginx.\([0-9.]*\).*/\1/'; }

get() { curl -sS --max-time 30 --unix-socket "$PWD/socket" "$@"; }

serve() { # serve NAME DIRECTIVES
    mkdir -p run
    cat >nginx.conf <<TEXT
daemon off; pid $PWD/run/pid; error_log $PWD/run/error.log warn; worker_processes 2; $([ "$(id -u)" != 0 ] || echo 'user root;')
events { worker_connections 64; }
http {
    types { text/plain txt; application/octet-stream bin; }
    client_body_temp_path $PWD/run/body; proxy_temp_path $PWD/run/proxy; fastcgi_temp_path $PWD/run/f; uwsgi_temp_path $PWD/run/u; scgi_temp_path $PWD/run/s;
    client_max_body_size 64m; client_body_buffer_size 16k;
    proxy_cache_path $PWD/run/cache keys_zone=c:1m;
    access_log $PWD/run/access.log;
    $2
    server {
        listen unix:$PWD/socket;
        root $PWD/site;
        location / { autoindex on; }
        location /put/ { dav_methods PUT DELETE MKCOL COPY MOVE; create_full_put_path on; client_body_in_file_only clean; }
        location /proxied/ { proxy_pass http://unix:$PWD/socket:/; proxy_cache c; proxy_cache_valid 200 1m; proxy_buffers 4 4k; proxy_busy_buffers_size 4k; proxy_max_temp_file_size 64m; }
    }
}
TEXT
    nginx -p "$PWD/run" -e "$PWD/run/error.log" -c "$PWD/nginx.conf" >&2 &
    server=$!
    wait_until 30 get -o /dev/null http://x/small.txt || cat run/error.log >&2
    requests "$1"
    kill -QUIT $server; wait $server
    rm -f socket
    result "$1: errors" "$(grep -c . run/error.log) $(sed 's/.*\] [0-9#]*: //; s/\*[0-9]* //' run/error.log | cut -c 1-100 | sort -u | paste -sd' ' | sed "s,$PWD,,g")"
    result "$1: requests logged" "$(grep -c . run/access.log)"
    rm -rf run
}

digest() { sha256sum | cut -c 1-16; }
requests() {
    local file range
    for file in small.txt big.bin odd.bin empty.txt sparse.bin; do
        result "$1: $file" "$(get "http://x/$file" | digest)"
        result "$1: $file again" "$(get "http://x/$file" | digest)"
        result "$1: $file length" "$(get -I "http://x/$file" | grep -i content-length | tr -d '\r')"
        result "$1: proxied $file" "$(get "http://x/proxied/$file" | digest)"
        result "$1: proxied $file from the cache" "$(get "http://x/proxied/$file" | digest)"
    done
    for range in 0-0 5-16390 16383-16384 4000000-4099999 -100 0-9,100-109,70000-80000; do
        result "$1: range $range" "$(get -r "$range" http://x/big.bin | sed 's/^--[0-9]*\(-*\)/--/' | grep -av '^--' | digest)"
    done
    result "$1: put" "$(get -o /dev/null -w '%{http_code}' -T site/odd.bin http://x/put/a/b/odd.bin) $(digest <site/put/a/b/odd.bin)"
    result "$1: copy" "$(get -o /dev/null -w '%{http_code}' -X COPY -H 'Destination: /put/c.bin' http://x/put/a/b/odd.bin) $(digest <site/put/c.bin)"
    result "$1: move" "$(get -o /dev/null -w '%{http_code}' -X MOVE -H 'Destination: /put/d.bin' http://x/put/c.bin) $(digest <site/put/d.bin)"
    result "$1: delete" "$(get -o /dev/null -w '%{http_code}' -X DELETE http://x/put/a/)  $(find site/put | wc -l)"
    result "$1: listing" "$(get http://x/ | sed -n 's/.*<a href="\([^"]*\)".* \([-0-9]*\)\r*$/\1 \2/p' | paste -sd' ')"
    result "$1: not modified" "$(get -o /dev/null -w '%{http_code}' -z "$(date -Rd tomorrow)" http://x/big.bin)"
    result "$1: many at once" "$(seq 60 | xargs -P 8 -I{} sh -c 'curl -sS --max-time 60 --unix-socket "$0" "http://x/big.bin?{}" | sha256sum' "$PWD/socket" | sort | uniq -c | tr -s ' ' | cut -c 1-24)"
    result "$1: changed file" "$(echo "changed by $1" >site/changing.txt; get http://x/changing.txt)"
    mv run/access.log run/access.1; kill -USR1 "$(cat run/pid)"; wait_until 10 test -e run/access.log
    get http://x/small.txt >/dev/null
    result "$1: log reopened" "$(grep -c . run/access.log)"
    cat run/access.1 >>run/access.log
}

suite() {
    mkdir -p site/put
    seq 100 >site/small.txt
    awk 'BEGIN { for (i = 0; i < 600000; i++) print i * 7919 % 1000003 }' >site/big.bin
    head -c 70001 site/big.bin >site/odd.bin
    : >site/empty.txt
    truncate -s 3000000 site/sparse.bin; printf end >>site/sparse.bin
    serve "plain read" "sendfile off;"
    serve "sendfile" "sendfile on; tcp_nopush on;"
    serve "sendfile in chunks" "sendfile on; sendfile_max_chunk 30k; output_buffers 1 8k;"
    serve "threads" "aio threads; sendfile on;"
    serve "threads, write" "aio threads; aio_write on; sendfile off;"
    serve "directio" "directio 4k; sendfile on; output_buffers 2 64k;"
    serve "aio and directio" "aio on; directio 4k; sendfile on;"
    serve "open file cache" "open_file_cache max=50; open_file_cache_min_uses 1; open_file_cache_valid 0; sendfile on;"
    serve "gzip" "gzip on; gzip_min_length 1; sendfile on;"
}
