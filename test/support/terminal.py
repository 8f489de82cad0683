"""Runs a command at a terminal of its own and plays the person in front of it.

argv[1] is JSON: command, attached (has the command a controlling terminal?), and steps: what to
wait for on the screen, then what to type, or the number of a signal to send. The answer on stdout is JSON too.
"""
import fcntl
import json
import os
import pty
import select
import signal
import sys
import termios
import time

SECONDS = 20
script = json.loads(sys.argv[1])
master, slave = pty.openpty()
settings = termios.tcgetattr(slave)
answer, answering = os.pipe()
pid = os.fork()

if pid == 0:
    os.setsid()
    if script["attached"]:
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    os.dup2(answering, 1)
    os.dup2(slave, 2)
    os.closerange(3, 256)
    os.execvp(script["command"][0], script["command"])

os.close(answering)
deadline = time.monotonic() + SECONDS
shown = {master: b"", answer: b""}
signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
signal.alarm(SECONDS)


def look():
    for fd in select.select([master, answer], [], [], 0.01)[0]:
        shown[fd] += os.read(fd, 65536)


def wait_for(text, start):
    while text not in shown[master][start:]:
        if time.monotonic() > deadline:
            raise SystemExit(f"never seen: {text}, but {shown}")
        look()


echoes = []
start = 0
for wanted, typed in script["steps"]:
    wait_for(wanted.encode(), start)
    start = len(shown[master])
    echoes.append(bool(termios.tcgetattr(slave)[3] & termios.ECHO))
    if isinstance(typed, int):
        os.kill(pid, typed)
    else:
        os.write(master, typed.encode())

while True:
    look()
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        break
look()
look()

print(
    json.dumps(
        {
            "screen": shown[master].decode(),
            "answer": shown[answer].decode(),
            "status": os.waitstatus_to_exitcode(status),
            "echoes": echoes,
            "restored": termios.tcgetattr(slave) == settings,
        }
    )
)
