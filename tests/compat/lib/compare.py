#!/usr/bin/python3
"""compare.py SUITE WORK EXPLAINED: compares the two runs of a suite, writes WORK/result.json and a verdict; 1 if one is unexplained."""
import datetime
import fnmatch
import json
import os
import sys


def outcomes(prefix):
    """Test name → outcome. A name that comes twice keeps both. The suite's own end is a test as well."""
    found = {}
    with open(prefix + ".out", errors="replace") as lines:
        for line in lines:
            if line.startswith("RESULT\t"):
                _, name, outcome = (line.rstrip("\n").split("\t", 2) + ["", ""])[:3]
                found[name] = f"{found[name]} | {outcome}" if name in found else outcome
    status = text(prefix + ".status")
    found["(end of the suite)"] = "ok" if status == "0" else f"fail: exit status {status or 'unknown'}"
    return found


def text(path):
    if not os.path.exists(path):
        return ""
    with open(path, errors="replace") as file:
        return file.read().strip()


def kind(outcome):
    word = outcome.lower()
    if word.startswith(("fail", "not ok")):
        return "fail"
    return "skip" if word.startswith("skip") else "ok"


def counts(found):
    kinds = [kind(outcome) for name, outcome in found.items() if name != "(end of the suite)"]
    return {name: kinds.count(name) for name in ("ok", "fail", "skip")}


def explanations(path, suite):
    with open(path) as lines:
        rows = [line.rstrip("\n").split("\t", 2) for line in lines if line.strip() and not line.startswith("#")]
    return [(glob, why) for name, glob, why in rows if name == suite]


def differences(plain, sealed, known):
    for name in sorted(plain.keys() | sealed.keys()):
        before, after = plain.get(name, "missing"), sealed.get(name, "missing")
        if before != after:
            why = next((why for glob, why in known if fnmatch.fnmatchcase(name, glob)), None)
            yield {"test": name, "plain": before, "sealed": after, "explanation": why}


def seconds(prefix):
    return round(float(text(prefix + ".seconds") or 0), 1)


def main(suite, work, explained):
    plain, sealed = (outcomes(os.path.join(work, side)) for side in ("plain", "sealed"))
    found = list(differences(plain, sealed, explanations(explained, suite)))
    faults = text(os.path.join(work, "not-sealed"))
    if faults:
        found.append({"test": "(all files are sealed)", "plain": "ok", "sealed": faults[:600], "explanation": None})
    result = {"suite": suite, "date": datetime.date.today().isoformat(), "version": text(os.path.join(work, "version")),
              "plain": counts(plain), "sealed": counts(sealed),
              "plain_seconds": seconds(os.path.join(work, "plain")), "sealed_seconds": seconds(os.path.join(work, "sealed")),
              "differences": found}
    with open(os.path.join(work, "result.json"), "w") as file:
        json.dump(result, file, indent=1)
    open_ones = [one for one in found if one["explanation"] is None]
    empty = len(plain) == 1
    failed = bool(open_ones) or empty
    print(f"{'FAIL' if failed else 'ok'} {suite}: plain {shown(result['plain'])}, under Overlay {shown(result['sealed'])}, "
          f"{len(found) - len(open_ones)} differences explained, {len(open_ones)} not; "
          f"{result['plain_seconds']} s and {result['sealed_seconds']} s")
    if empty:
        print("     the suite gives no result in a plain directory")
    for one in open_ones[:40]:
        print(f"     {one['test']}: {one['plain'][:100]} → {one['sealed'][:200]}")
    return failed


def shown(numbers):
    return f"{numbers['ok']} ok {numbers['fail']} fail {numbers['skip']} skip"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
