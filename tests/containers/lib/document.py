#!/usr/bin/env python3
"""document.py FILE: a bash script of the document's sh blocks, in their order. A text block right behind one is what that prints.
The first block runs in the repository, the others in $ELSEWHERE; what each prints goes to $ELSEWHERE/NUMBER."""
import re
import shlex
import sys

text = open(sys.argv[1], encoding="utf-8").read()
blocks = re.findall(r"^```sh\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", text, re.S | re.M)
assert len(blocks) > 1, "no blocks"
print("set -eu")
for number, (commands, output) in enumerate(blocks, 1):
    # In this shell, not in one of its own: what a block sets the next ones use.
    print(f"{{\n{commands}}} >\"$ELSEWHERE/{number}\"")
    print(f"printf %s {shlex.quote(output)} | diff -u --label 'the document says' - --label 'block {number} printed' \"$ELSEWHERE/{number}\" >&2")
    print("cd \"$ELSEWHERE\"")
print(f"echo {len(blocks)} blocks")
