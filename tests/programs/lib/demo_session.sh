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
    try "sqlite3 -cmd 'CREATE TABLE payments (line TEXT)' app.db '.import ledger.txt payments'"
    try "sqlite3 app.db 'SELECT count(*), max(line) FROM payments; PRAGMA integrity_check'"
fi
try "tar -xzf $DEMO/notes.tar.gz && ls -l notes | tail -n +2"
if have git; then
    git config --global user.name me
    git config --global user.email me@example.org
    try "git init -q -b main repo && cp notes/*.txt repo && git -C repo add ."
    try "git -C repo commit -qm 'First notes' && git -C repo log --oneline --stat | tail -n 4"
fi
if have python3; then
    try "python3 -c 'import json; json.dump(open(\"ledger.txt\").readlines(), open(\"report.json\", \"w\"))'"
    try "python3 -c 'import json; print(len(json.load(open(\"report.json\"))), \"entries\")'"
fi
try "grep -rc 'patient 0000[1-9]' notes"
try "sed -i 's/account 3/account X/' ledger.txt && sort -o ledger.txt ledger.txt && head -n 2 ledger.txt"
try "ls -A"
exit $failed
