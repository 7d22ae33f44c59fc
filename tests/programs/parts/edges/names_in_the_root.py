import errno, os

NAMES = ["", ".", "..", "missing/", "missing/x", "file/"]


def outcome(call, *arguments):
    try:
        call(*arguments)
        return "ok"
    except OSError as error:
        return errno.errorcode[error.errno]


open("file", "w").write(os.environ["MARKER"])
for call in os.rename, os.link:
    for name in NAMES:
        print(call.__name__, repr(name), outcome(call, "file", name), outcome(call, name, "file"))
root = os.open(".", os.O_RDONLY)
print(outcome(lambda: os.rename("file", "", dst_dir_fd=root)), outcome(lambda: os.link("file", "..", dst_dir_fd=root)))
os.unlink("file")
