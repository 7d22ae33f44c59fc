import signal
import sys

sys.stdout.write(open("a").read(6) + "\n")
print(signal.getsignal(signal.SIGPIPE), signal.getsignal(signal.SIGSEGV))
