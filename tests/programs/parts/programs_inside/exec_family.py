"""Every way to start a program: by name, by descriptor, with and without an environment, in a child that shares memory."""
import os
import subprocess


def child(run):
    pid = os.fork()
    if pid == 0:
        try:
            run()
        except OSError as error:
            print("refused:", error.strerror, flush=True)
        os._exit(99)
    print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


program = os.open("who", os.O_RDONLY)
inherited = os.open("who", os.O_RDONLY)
os.set_inheritable(inherited, True)
script = os.open("script.sh", os.O_RDONLY)
inherited_script = os.open("script.sh", os.O_RDONLY)
os.set_inheritable(inherited_script, True)
os.environ["DESCRIPTORS"] = "2"
child(lambda: os.execv("who", ["a", "b"]))
child(lambda: os.execve("./who", ["no environment"], {}))
child(lambda: os.execve(program, ["by descriptor"], os.environ))
child(lambda: os.execve(inherited, ["by inherited descriptor"], os.environ))
child(lambda: os.execve(script, ["a script by a descriptor that closes"], os.environ))
child(lambda: os.execve(inherited_script, ["a script by descriptor"], os.environ))
child(lambda: os.execv("who", ["x" * 100000]) if len(os.environ) else None)
os.environ["PATH"] += ":" + os.getcwd()
child(lambda: os.execvp("who", ["found in PATH"]))

for path in ("./who", "./script.sh", "./refused.txt", "./missing"):
    try:
        print(os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn(path, ["spawned"], os.environ), 0)[1]), flush=True)
    except OSError as error:
        print("refused:", error.strerror, flush=True)
print(subprocess.run(["./who", "sub"], capture_output=True, text=True, close_fds=False).stdout)
print(subprocess.run(["./script.sh", "sub"], capture_output=True, text=True, cwd=".").stdout)
print(subprocess.run("./who shell | head -n 1", shell=True, capture_output=True, text=True).stdout)

for _ in range(60):
    os.waitpid(os.posix_spawn("./script.sh", ["spawned"], {"QUIET": "1"}), 0)
    size = next(line for line in open("/proc/self/status") if line.startswith("VmSize"))
    first = size if _ == 20 else (first if _ > 20 else "")
print("a parent keeps nothing of its spawned children:", first == size)
