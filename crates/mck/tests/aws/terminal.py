"""Types into a client on a terminal of its own, as a person does, and prints what is on the screen."""

import os
import pty
import select
import sys
import time

DEADLINE = time.monotonic() + 60
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
screen = ""


def until(text):
    """Reads until a text comes that was not there."""
    global screen
    seen = len(screen)
    while text not in screen[seen:]:
        if not select.select([terminal], [], [], DEADLINE - time.monotonic())[0]:
            sys.exit(f"no {text!r} came:\n{screen}")
        screen += os.read(terminal, 4096).decode(errors="replace")


def type_in(text):
    os.write(terminal, text.encode())


until("]> ")
type_in("SELECT 'begun', SLEEP(50);\n")
until("SLEEP(50)")
time.sleep(1)
type_in("\x03")
until("]> ")
type_in("SELECT 4700 + 11;\n")
until("4711")
type_in("exit\n")
until("Bye")
_, status = os.waitpid(pid, 0)
print(screen)
sys.exit(os.waitstatus_to_exitcode(status))
