"""rights_before_the_close.py [capability]: set-user-id, set-group-id and capabilities that are set last, as cp, tar and install do."""
import os
import sys

CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")  # cap_net_raw, effective


def rights(path):
    mode = os.stat(path).st_mode & 0o7777
    return oct(mode), [name for name in os.listxattr(path) if name == "security.capability"]


for size in 10, 3000, 20000, 300000:
    for mode in 0o4755, 0o2755, 0o6711, 0o600:
        for is_synced in False, True:
            fd = os.open("file", os.O_RDWR | os.O_CREAT, 0o755)
            for _ in range(3):
                os.write(fd, b"text" * (size // 4))
            os.ftruncate(fd, 2 * size)
            os.fchmod(fd, mode)
            if len(sys.argv) > 1 and mode & 0o111:  # what nobody may execute is not asked for any
                os.setxattr(fd, "security.capability", CAPABILITY)
            if is_synced:
                os.fsync(fd)
            synced = rights("file")
            os.close(fd)
            print(size, oct(mode), is_synced, synced, rights("file"))
            fd = os.open("file", os.O_WRONLY)
            os.write(fd, b"changed")
            os.close(fd)
            print("after a write", rights("file"))
            os.unlink("file")
