import os
import subprocess
import sys

marker = os.environ["MARKER"]
with open("a", "w") as f:
    subprocess.run(["echo", "child", marker], stdout=f, check=True)
    f.write("parent\n")
print(open("a").read())
with open("a") as f:
    print(f.readline(), end="")
    f.seek(0)
    print(subprocess.run(["cat"], stdin=f, capture_output=True, text=True).stdout)
fd = os.open("b", os.O_RDWR | os.O_CREAT)
os.set_inheritable(fd, True)
subprocess.run([sys.executable, "-c", f"import os; os.write({fd}, b'inherited {marker}')"], close_fds=False, check=True)
os.write(fd, b" and on")
print(os.pread(fd, 200, 0))
subprocess.run(
    [sys.executable, "-c", f"import os; print(os.pread({fd}, 9, 0), os.fstat({fd}).st_size)"], pass_fds=[fd], check=True
)
pid = os.posix_spawn(
    "/bin/sh",
    ["sh", "-c", "echo spawned; echo error >&2"],
    os.environ,
    file_actions=[(os.POSIX_SPAWN_OPEN, 1, "c", os.O_WRONLY | os.O_CREAT, 0o600), (os.POSIX_SPAWN_DUP2, 1, 2)],
)
os.waitpid(pid, 0)
print(open("c").read(), oct(os.stat("c").st_mode))
print(os.system("echo by system >>c"), os.popen("cat c").read())
p = subprocess.Popen("sort -o d", shell=True, stdin=subprocess.PIPE, text=True)
p.communicate("".join(f"{i} {marker}\n" for i in range(3000, 0, -1)))
print(os.path.getsize("d"), p.returncode)
env = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
print(
    subprocess.run(["cat", "c"], env={}, capture_output=True).stdout,
    subprocess.run(["cat", "c"], env=env, capture_output=True).stdout,
)
