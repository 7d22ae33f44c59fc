#!/usr/bin/python3
"""make_tree.py DIRECTORY [COUNT]    a tree with one of everything that an import must keep, and COUNT small files
   make_tree.py attributes DIRECTORY  extended attributes of everything in it, one line each"""
import os
import random
import socket
import stat
import sys

# version 2; user::rw-, user:1234:r--, group::r--, mask::r--, other::---
ACCESS_LIST = bytes.fromhex("02000000" "01000600ffffffff" "02000400d2040000" "04000400ffffffff" "10000400ffffffff" "20000000ffffffff")
DEFAULT_LIST = ACCESS_LIST
# cap_net_raw+ep
CAPABILITIES = bytes.fromhex("0100000200200000000000000000000000000000")


def attribute(path, name, value):
    try:
        os.setxattr(path, name, value, follow_symlinks=False)
    except OSError as fault:
        if fault.errno not in (95, 1):
            raise
        print(f"no {name} here: {fault.strerror}", file=sys.stderr)


def write(path, data, mode=0o644):
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)


def make(root, count):
    random.seed(7)
    os.makedirs(f"{root}/d/deep/er")
    os.makedirs(f"{root}/many")
    write(f"{root}/small", b"small\n")
    write(f"{root}/empty", b"")
    write(f"{root}/big", random.randbytes(3_000_000))
    write(f"{root}/d/text", b"the same line, the same line\n" * 40_000)
    write(f"{root}/d/secret", b"for the owner\n", 0o600)
    write(f"{root}/d/read only", b"read only\n", 0o444)
    write(f"{root}/d/setuid", b"#!/bin/sh\n", 0o4755)
    write(f"{root}/d/setgid", b"#!/bin/sh\n", 0o2755)
    write(f"{root}/d/.overlay", b"a name that means something at a volume's root only\n")
    write(root.encode() + b"/d/not \xff utf-8 \x01 control", b"by bytes\n")
    write(f"{root}/d/deep/er/linked", b"several names\n" * 10)
    os.link(f"{root}/d/deep/er/linked", f"{root}/d/another name")
    os.link(f"{root}/d/deep/er/linked", f"{root}/third")
    os.symlink("d/text", f"{root}/symlink")
    os.symlink("no/where", f"{root}/dangling")
    os.mkfifo(f"{root}/fifo", 0o640)
    listener = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(f"{root}/d")
    listener.bind("socket")
    os.chdir(here)
    with open(f"{root}/sparse", "wb") as file:
        file.truncate(700 << 20)
        file.seek(500 << 20)
        file.write(b"in the middle")
    write(f"{root}/attributes", b"attributes\n")
    attribute(f"{root}/attributes", "user.colour", b"blue")
    attribute(f"{root}/attributes", "system.posix_acl_access", ACCESS_LIST)
    attribute(f"{root}/d", "system.posix_acl_default", DEFAULT_LIST)
    attribute(f"{root}/d", "user.directory", b"d")
    if os.getuid() == 0:
        write(f"{root}/capable", b"#!/bin/sh\n", 0o755)
        attribute(f"{root}/capable", "security.capability", CAPABILITIES)
        os.chown(f"{root}/d/text", 1234, 4321)
        os.lchown(f"{root}/symlink", 1234, 4321)
        os.chown(f"{root}/d/deep", 1234, 4321)
        os.mknod(f"{root}/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    for number in range(count):
        write(f"{root}/many/{number}", random.randbytes(random.randrange(1, 9000)))
    os.chmod(f"{root}/d/deep", 0o555)
    for folder, folders, files in os.walk(root.encode(), topdown=False):
        for name in files + folders:
            when = random.randrange(10**17, 10**18)
            os.utime(os.path.join(folder, name), ns=(when, when), follow_symlinks=False)


def list_attributes(root):
    for folder, folders, files in os.walk(root.encode()):
        for name in folders + files:
            path = os.path.join(folder, name)
            for attribute_name in sorted(os.listxattr(path, follow_symlinks=False)):
                print(os.path.relpath(path, root.encode()), attribute_name, os.getxattr(path, attribute_name, follow_symlinks=False).hex())


if sys.argv[1] == "attributes":
    list_attributes(sys.argv[2])
else:
    make(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0)
