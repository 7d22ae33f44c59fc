#!/usr/bin/env python3
"""typed.py TEXT COMMAND...: runs a program on a terminal of its own, types TEXT ("<TAB>", "<ENTER>" and "<WAIT>" are what they say), and prints
what it showed, without escape sequences. For what only happens on a terminal, where tmux would be too much."""
import os
import pty
import re
import select
import signal
import sys
import time

QUIET, LONGEST = 0.7, 20.0


def shown(terminal, quiet):
    """What comes until nothing has come for a while."""
    data, end = b"", time.monotonic() + LONGEST
    while time.monotonic() < end and select.select([terminal], [], [], quiet)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # all have closed it
            break
        if not part:
            break
        data += part
    return data


def main():
    text, command = sys.argv[1], sys.argv[2:]
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm", COLUMNS="200", LINES="50")
        os.execvp(command[0], command)
    data = shown(terminal, 1.5)
    for part in re.split("(<[A-Z]+>)", text):
        if part == "<WAIT>":
            data += shown(terminal, QUIET)
        elif part:
            os.write(terminal, {"<TAB>": b"\t", "<ENTER>": b"\r"}.get(part, part.encode()))
    data += shown(terminal, QUIET)
    os.kill(child, signal.SIGKILL)
    os.close(terminal)
    os.waitpid(child, 0)
    plain = re.sub(rb"\x1b\][^\x07]*\x07|\x1b\[[0-9;?>=]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78]", b"", data)
    sys.stdout.write(plain.decode(errors="replace").replace("\r", "\n"))


main()
