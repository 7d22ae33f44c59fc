#!/usr/bin/env python3
"""many_keys.py SOCKET VOLUME-ID COUNT: has an agent make so many keys for new files (metadata/Protocol/AgentMessage.cs), and makes no files."""
import socket
import struct
import sys

HELLO, TAKE_NEW_KEYS, MOST = 1, 4, 128


def ask(connection, kind, fields):
    connection.send(struct.pack("<HHI", kind, 0, 0 if kind == HELLO else 1) + fields)
    answer = connection.recv(8192)
    assert struct.unpack_from("<HH", answer) == (kind | 0x8000, 0), answer[:8]
    return answer[8:]


def main():
    path, volume, wanted = sys.argv[1], bytes.fromhex(sys.argv[2]), int(sys.argv[3])
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.connect(path)
        ask(connection, HELLO, b"OVLA" + struct.pack("<HH", 1, 1))
        while wanted > 0:
            wanted -= struct.unpack_from("<H", ask(connection, TAKE_NEW_KEYS, volume + struct.pack("<H", min(MOST, wanted))))[0]


main()
