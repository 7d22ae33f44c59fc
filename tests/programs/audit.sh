#!/usr/bin/env bash
# overlay-ctl audit and report, on volumes that programs are using. Prints "ok NAME" or "FAIL NAME"; ends with a count.
set -u
here=$(cd "$(dirname "$0")" && pwd)
suite=audit
. "$here/lib/verbs.sh"
key=(--key-file key)
inside() { timeout -k 5 120 "$ctl" run --volume v "${key[@]}" -- bash -c "$1" >>log 2>&1; }
records() { # records EXPRESSION: true of r, the list of all records
    "$ctl" audit show v --json >records 2>>log && python3 -c 'import json, sys; r = [json.loads(line) for line in open("records")]; sys.exit(not eval(sys.argv[1]))' "$1" || { tail -n 20 records >>log; return 1; }
}
log_file=v/.overlay/store.db.audit/00000001.jsonl

"$ctl" init v "${key[@]}" >log 2>&1
ends_with 5 "$ctl" audit verify v "${key[@]}" && grep -q 'never on' log && inside 'seq 1000 >v/before; cat v/before' && [ ! -e "$log_file" ]
verdict audit-is-off-until-it-is-switched-on $?
ends_with 0 "$ctl" audit enable v "${key[@]}" && ends_with 0 "$ctl" audit verify v "${key[@]}" && grep -q '0 findings; the log is on' log && [ "$(stat -c '%a %a' "$log_file" v/.overlay/store.db.audit | paste -sd' ')" = '600 600 700 700' ]
verdict audit-enable $?
ends_with 4 "$ctl" audit disable v --key-file /bin/true && ends_with 2 "$ctl" audit enable v --format x && ends_with 2 "$ctl" audit show v --since never
verdict audit-refuses-what-makes-no-sense $?

inside 'mkdir v/d; for i in {1..40}; do echo $i >v/d/$i; done; cat v/before >/dev/null; cp v/d/7 v/copy'
records 'sum(e["event"] == "created" for e in r) == 41 and any(e["event"] == "grant" and e["path"] == "before" and e["exe"].endswith("/cat") and e["result"] == "ok" for e in r)'
verdict audit-records-who-was-given-which-key $?
records 'any(e["event"] == "administration" and e["detail"] == "run" and e["result"] == "begun" for e in r) and any(e["detail"] == "run" and e["result"] == "ended with status 0" for e in r if "detail" in e)'
verdict audit-records-commands-and-their-ends $?
inside 'cat v/d/*' && records '[e["path"] for e in r if e["event"] == "grant"][-40:] == sorted("d/%d" % i for i in range(1, 41))'
verdict audit-records-each-file-that-is-opened $?
"$ctl" verify v "${key[@]}" >/dev/null 2>&1; "$ctl" key list v >/dev/null
"$ctl" key add v "${key[@]}" --new-key-file second --label spare >>log 2>&1
records 'any(e.get("detail", "").startswith("key add v") for e in r) and any(e.get("detail", "").startswith("verify v") and e["result"] == "ended with status 0" for e in r)' && ! grep -qF "$(xxd -p -c 64 second)" records
verdict audit-records-administration-and-verification $?

"$ctl" audit show v --exe '*/cp' --path 'd/*' >shown 2>log && [ "$(wc -l <shown)" = 1 ] && grep -q 'grant .*uid '"$(id -u)"' .*cp  d/7' shown && [ "$("$ctl" audit show v --user 54321 | wc -l)" = 0 ] &&
    [ "$("$ctl" audit show v --since 1h | wc -l)" -gt 80 ] && [ "$("$ctl" audit show v --since 2100-01-01 | wc -l)" = 0 ] && [ "$("$ctl" audit show v --event log | wc -l)" = 1 ]
verdict audit-show-filters $?
"$ctl" audit export v --format cef >cef 2>log && "$ctl" audit export v --format syslog >syslog 2>>log && "$ctl" audit export v >json 2>>log &&
    python3 - >>log 2>&1 <<'P'
import json, re
records = [json.loads(line) for line in open("json")]
cef, syslog = open("cef").read().splitlines(), open("syslog").read().splitlines()
assert len(records) == len(cef) == len(syslog)
for record, event, line in zip(records, cef, syslog):
    parts = event.split("|")
    assert parts[0] == "CEF:0" and parts[4] == record["event"] and len(parts) == 8 and f"externalId={record['sequence']} " in parts[7] and f"suid={record['uid']} " in parts[7], event
    found = re.fullmatch(r'<(\d+)>1 (\S+) (\S+) overlay (\d+) (\S+) \[overlay@32473 ((?:\w+="(?:[^"\\\]]|\\.)*" ?)*)\]', line)
    assert found and found[2] == record["time"] and int(found[1]) // 8 == 13 and found[5] == record["event"], line
P
verdict audit-export-as-json-cef-and-syslog $?

# Agents that work at the same time write one chain; those that are killed leave nothing that looks like a change.
for i in 1 2 3; do inside "for n in {1..30}; do echo \$n >v/by$i.\$n; done" & done
wait
records 'sum(e["event"] == "created" and e["path"].startswith("by") for e in r) == 90' && ends_with 0 "$ctl" audit verify v "${key[@]}"
verdict audit-of-several-agents-is-one-chain $?
for i in 1 2 3 4 5 6; do
    { timeout -s KILL "0.$((i + 2))" "$ctl" run --volume v "${key[@]}" -- bash -c 'while :; do echo x >v/x$RANDOM; done' >>log 2>&1; } 2>/dev/null
done
ends_with 0 "$ctl" audit verify v "${key[@]}" && inside 'cat v/before' && ends_with 0 "$ctl" audit verify v "${key[@]}"
verdict audit-of-killed-agents-is-sound $?

# A running agent notices the switch; what it denies is there at once.
"$ctl" agent --volume v "${key[@]}" --ready-fd 3 3>ready 2>>log &
agent=$!
for _ in {1..100}; do [ -s ready ] && break; sleep 0.1; done
served=(env LD_PRELOAD="$(dirname "$ctl")/../lib/overlay/liboverlay-shim.so" OVERLAY_VOLUMES="$work/v" OVERLAY_ENGINE="$(dirname "$ctl")/../lib/overlay/liboverlay-engine.so" OVERLAY_LOG=/dev/null)
"${served[@]}" bash -c 'echo shredded >v/gone' && sleep 1 && python3 - <<'P' 2>>log
import sqlite3
store = sqlite3.connect("v/.overlay/store.db")
store.execute("DELETE FROM file WHERE path = 'gone'")
store.commit()
P
! "${served[@]}" cat v/gone >>log 2>&1 && records 'any(e["event"] == "denied" and e["result"] == "no such key" and e["exe"].endswith("/cat") for e in r)'
verdict audit-records-denials $?
ends_with 0 "$ctl" audit disable v "${key[@]}" && sleep 2 && "${served[@]}" bash -c 'cat v/before >/dev/null' && records 'r[-1]["event"] == "log" and r[-1]["detail"] == "off"' &&
    ends_with 0 "$ctl" audit enable v "${key[@]}" && sleep 2 && "${served[@]}" bash -c 'cat v/before >/dev/null' && sleep 1 && records 'r[-1]["event"] == "grant" and r[-1]["path"] == "before"'
verdict audit-switched-off-and-on-under-a-running-agent $?
kill $agent; wait $agent

# The chain goes on over a new volume key, and over an older store that is put back.
ends_with 0 "$ctl" store backup v older.db && inside 'cat v/before' && ends_with 0 "$ctl" key rotate v "${key[@]}" && ends_with 0 "$ctl" store backup v newer.db && inside 'cat v/copy' && ends_with 0 "$ctl" audit verify v "${key[@]}" &&
    records 'any(e.get("detail", "").startswith("key rotate v") and e["result"] == "ended with status 0" for e in r)'
verdict audit-goes-on-when-the-volume-key-is-changed $?
ends_with 0 "$ctl" store restore v newer.db --accept-rollback && ends_with 0 "$ctl" audit verify v "${key[@]}" && inside 'cat v/before' && ends_with 0 "$ctl" audit verify v "${key[@]}"
verdict audit-goes-on-when-an-older-store-is-put-back $?

# Tampering.
cp "$log_file" whole
sed -i '5s/"uid":[0-9]*/"uid":4242/' "$log_file" && ends_with 5 "$ctl" audit verify v "${key[@]}" && grep -q 'file 1, line 5: record 5 was changed' log && cp whole "$log_file"
verdict audit-verify-finds-an-edit $?
sed -i 9d "$log_file" && ends_with 5 "$ctl" audit verify v "${key[@]}" && grep -q 'record 9 is missing' log && cp whole "$log_file"
verdict audit-verify-finds-a-loss $?
head -n -3 whole >"$log_file" && ends_with 5 "$ctl" audit verify v "${key[@]}" && grep -q 'the end is missing' log && ends_with 3 "$ctl" run --volume v "${key[@]}" -- true && grep -q 'accept-loss' log
verdict audit-that-was-cut-stops-everything $?
ends_with 0 "$ctl" audit enable v --accept-loss "${key[@]}" && ends_with 0 "$ctl" run --volume v "${key[@]}" -- true && ends_with 5 "$ctl" audit verify v "${key[@]}" && grep -q 'records .* are missing' log
verdict audit-goes-on-behind-an-accepted-loss $?
mkdir archive && ends_with 0 "$ctl" audit archive v archive "${key[@]}" && [ "$(ls archive)" = 00000001.jsonl ] && [ "$(ls v/.overlay/store.db.audit)" = "$(printf '00000002.jsonl\nlock')" ] &&
    ends_with 5 "$ctl" audit verify v "${key[@]}" && grep -q ' 1 findings' log && ends_with 5 "$ctl" audit verify v "${key[@]}" --archive archive && grep -q "in 2 files, 1 findings" log
verdict audit-archive-keeps-the-chain $?

# Evidence.
inside 'cat v/before'
echo plain '<b>&"' >'v/plain <b>&"'
for framework in pci hipaa gdpr; do
    ends_with 0 "$ctl" report $framework v "${key[@]}" --html --output $framework.html && ends_with 0 "$ctl" report $framework v "${key[@]}" --json --output $framework.json && [ "$(stat -c %a $framework.html)" = 600 ] &&
        python3 - $framework >>log 2>&1 <<'P'
import html.parser, json, re, sys
name = sys.argv[1]
report, page = json.load(open(f"{name}.json")), open(f"{name}.html").read()
assert report["framework"] == name and len(report["requirements"]) >= 10
by_id = {row["id"]: row for row in report["requirements"]}
assert all(row["standing"] in ("supported", "attention", "not-covered") and row["evidence"] and row["notCovered"] and row["asks"] for row in by_id.values())
sealing = by_id[{"pci": "3.5.1", "hipaa": "164.312(a)(2)(iv)", "gdpr": "Art. 32(1)(a)"}[name]]
assert sealing["standing"] == "attention" and "1 files are plain" in sealing["evidence"], sealing
assert report["inventory"]["plainFiles"] == 1 and report["inventory"]["sealedFiles"] > 100 and sum(report["keys"]["filesByKeyAge"].values()) >= 100
assert report["audit"]["isOn"] and report["audit"]["findings"] == 1 and any(program.endswith("/cat") for program in report["audit"]["grantsByProgram"])

class Page(html.parser.HTMLParser):
    open_tags, text, svg = [], "", 0
    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "img", "link", "iframe") and not any(key in ("src", "href") or key.startswith("on") for key, _ in attributes), (tag, attributes)
        self.svg += tag == "svg"
        if tag not in ("meta", "br", "rect"):
            self.open_tags.append(tag)
    def handle_endtag(self, tag):
        if tag not in ("rect",):
            assert self.open_tags.pop() == tag, tag
    def handle_data(self, data):
        self.text += data
parsed = Page()
parsed.feed(page)
assert parsed.open_tags == [] and parsed.svg >= 4 and "default-src 'none'" in page
def told(text):  # the one report is a record in the other
    return re.sub("[0-9]+", "#", text)
for row in by_id.values():
    assert row["id"] in parsed.text and told(row["evidence"]) in told(parsed.text) and row["notCovered"] in parsed.text, row
assert 'plain <b>&"' in parsed.text and "<b>&" not in page
P
    verdict report-$framework $?
done
rm 'v/plain <b>&"'
ends_with 2 "$ctl" report pci v "${key[@]}" --html --json && ends_with 2 "$ctl" report sox v "${key[@]}" && ends_with 4 "$ctl" report pci v --key-file second-missing
verdict report-refuses-what-makes-no-sense $?
ends_with 0 "$ctl" report pci v "${key[@]}" --json && python3 -c 'import json; r = json.load(open("log")); assert r["inventory"]["plainFiles"] == 0 and {row["id"]: row for row in r["requirements"]}["3.5.1"]["standing"] == "supported"' 2>>log
verdict report-of-a-volume-without-plaintext $?

# A full disk: nobody is given a key that is not recorded.
if [ "$(id -u)" = 0 ] && mkdir disk && mount -t tmpfs -o size=8m none disk 2>/dev/null; then
    "$ctl" init disk/v "${key[@]}" --store disk/store.db >log 2>&1 && "$ctl" run --volume disk/v "${key[@]}" -- bash -c 'echo kept >disk/v/f' && "$ctl" audit enable disk/v "${key[@]}" >>log 2>&1
    head -c 100m /dev/zero >disk/ballast 2>/dev/null
    ends_with 3 "$ctl" run --volume disk/v "${key[@]}" -- cat disk/v/f && ! grep -q kept log && rm disk/ballast && ends_with 0 "$ctl" run --volume disk/v "${key[@]}" -- cat disk/v/f && grep -q kept log && ends_with 0 "$ctl" audit verify disk/v "${key[@]}"
    verdict audit-on-a-full-disk-fails-closed $?
    umount disk
else
    echo "skip audit-on-a-full-disk: needs root and a tmpfs"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
