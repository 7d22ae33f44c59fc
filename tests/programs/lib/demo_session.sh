# The demo's session: what a user might type in the vault. Each command is printed, then run.
set -u
cd "$1" || exit 1
export HOME=$DEMO GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat LC_ALL=C
failed=0

try() {
    echo "vault\$ $1"
    eval "$1" || { echo "(status $?)"; failed=1; }
}
have() { command -v "$1" >/dev/null || { echo "(no $1 on this machine)"; return 1; }; }

try "for i in {1..2000}; do echo \"payment \$i to account \$((i * 7919 % 10007))\"; done >ledger.txt; wc -l ledger.txt"
if have sqlite3; then
    try "sqlite3 app.db 'CREATE TABLE payments (id INTEGER PRIMARY KEY, line TEXT)'"
    try "sed 's/.*/INSERT INTO payments (line) VALUES (\"&\");/; 1i BEGIN;' ledger.txt | sed '\$a COMMIT;' | sqlite3 app.db"
    try "sqlite3 app.db 'SELECT count(*), max(line) FROM payments; PRAGMA integrity_check'"
fi
try "tar -xzf $DEMO/notes.tar.gz && ls -l notes | tail -n +2"
if have git; then
    try "git init -q -b main repo && cp notes/*.txt repo && cd repo && git add . && git -c user.name=me -c user.email=me@example.org commit -qm 'First notes' && git log --oneline --stat | tail -n 4; cd .."
fi
if have python3; then
    try "python3 -c 'import json; lines = open(\"ledger.txt\").read().split(\"\\n\"); json.dump(lines, open(\"report.json\", \"w\")); print(len(json.load(open(\"report.json\"))), \"entries\")'"
fi
try "grep -rc 'patient 0000[1-9]' notes"
try "sed -i 's/account 3/account X/' ledger.txt && sort -o ledger.txt ledger.txt && head -n 2 ledger.txt"
try "ls -A"
exit $failed
