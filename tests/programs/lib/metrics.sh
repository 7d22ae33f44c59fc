# An agent with metrics, and what a scraper does with it. Sourced behind verbs.sh.

serve() { # serve run|agent ADDRESS: sets server and port; 'run' takes commands from a pipe
    rm -f commands.pipe served done.*
    mkfifo commands.pipe
    if [ "$1" = run ]; then
        "$ctl" run --volume v --key-file key --metrics "$2" -- bash -c 'while read -r number line; do eval "$line"; : >"done.$number"; done <commands.pipe' 2>served &
        server=$!
        exec 6>commands.pipe
    else
        "$ctl" agent --volume v --key-file key --metrics "$2" 2>served &
        server=$!
        exec 6>/dev/null
    fi
    number=0
    for _ in $(seq 200); do grep -q 'metrics are at' served && break; sleep 0.05; done
    port=$(sed -nE 's#.*http://.*:([0-9]+)/metrics#\1#p' served)
    [ -n "$port" ]
}
serve_end() { exec 6>&-; kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; return 0; }
work_in_it() { # work_in_it COMMAND: inside of 'run'
    number=$((number + 1))
    echo "$number $1" >&6
    for _ in $(seq 200); do [ -e "done.$number" ] && return; sleep 0.05; done
    return 1
}
client() { python3 -S - "$port" "$@" <<'P'
import http.client, sys
port, what, path, method = (sys.argv[1:] + ["GET"])[:4]
connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
connection.request(method, path)
answer = connection.getresponse()
body = answer.read()
assert len(body) == int(answer.getheader("Content-Length"))
print({"body": body.decode(), "head": str(answer.headers), "status": answer.status}[what], end="")
sys.exit(what == "body" and answer.status != 200)
P
}
scrape() { client body "$1" 2>>log; }
head_of() { client head "$1" 2>>log; }
status_of() { client status "$@" 2>>log; }
raw() { # raw BYTES: what is answered to them
    python3 -S -c 'import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10)
s.sendall(sys.argv[2].encode().decode("unicode_escape").encode("latin1"))
try:
    print(s.recv(4096).decode())
except ConnectionResetError:
    print("reset")' "$port" "$1" 2>>log
}
# Who says nothing, who says half, and more than are served at a time: none keeps others waiting for long.
slow_ones() { python3 -S - "$port" <<'P' >>log 2>&1
import http.client, socket, sys, time
address = ("127.0.0.1", int(sys.argv[1]))
slow = [socket.create_connection(address, timeout=20) for _ in range(6)]
for s in slow[:3]:
    s.sendall(b"GET /metr")
start = time.monotonic()
c = http.client.HTTPConnection(*address, timeout=20)
c.request("GET", "/metrics")
assert c.getresponse().status == 200 and time.monotonic() - start < 3
more = [socket.create_connection(address, timeout=20) for _ in range(40)]
assert b"503" in more[-1].recv(100)
for s in slow:
    while s.recv(4096): # they are let go of
        pass
assert time.monotonic() - start < 15
P
}
later() { mv "$1" after; }
grows() { # grows SAMPLE AT-LEAST [FROM]: between the files first and after, or from FROM
    python3 -S - "$@" <<'P' >>log 2>&1
import os, sys
def value(file, sample):
    for line in open(file):
        if line.startswith(sample + " "):
            return float(line.split()[-1])
    raise SystemExit(f"no {sample} in {file}")
sample, least = sys.argv[1], float(sys.argv[2])
last = value("after" if len(sys.argv) < 4 else "second", sample)
first = value("first", sample) if len(sys.argv) < 4 else float(sys.argv[3])
assert last - first >= least, (sample, first, last)
P
}
