"""Stands in for the session-manager-plugin: forwards a free port of this machine to the port that the
test names, in the place of the one that the session is for, and says what the real one says."""

import json
import os
import signal
import socket
import sys
import threading
import time

if sys.argv[1] == "--version":
    print("1.2.707.0")
    sys.exit()

variable, region, operation, profile, request, endpoint = sys.argv[1:]
session = json.loads(os.environ[variable])
kind, target, log = (os.environ[f"MCK_TEST_PLUGIN_{it}"] for it in ("KIND", "TARGET", "LOG"))
assert (operation, profile) == ("StartSession", ""), sys.argv
assert session["TokenValue"] and session["StreamUrl"].startswith("wss://")


def note(event):
    with open(log, "a") as file:
        file.write(json.dumps({"event": event, "request": json.loads(request)}) + "\n")


def end(*_):
    note("ended")
    print("Terminate signal received, exiting.", flush=True)
    os._exit(0)


def hand_on(one, other, limit):
    try:
        while piece := one.recv(4096):
            limit[0] -= len(piece)
            if kind == "breaks" and limit[0] < 0:
                print("the data channel was closed", file=sys.stderr, flush=True)
                os._exit(1)
            if kind == "slow" and limit[0] < 0:
                time.sleep(0.05)
            other.sendall(piece)
    except OSError:
        pass
    for it in (one, other):
        try:
            it.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


signal.signal(signal.SIGINT, end)
note("started")
print(f"\nStarting session with SessionId: {session['SessionId']}", flush=True)
if kind == "dies":
    print("Plugin with name Port not found. Step name: Port", flush=True)
    sys.exit(1)
listener = socket.create_server((os.environ["SSM_PLUGIN_LOCAL_HOST"], 0))
port = listener.getsockname()[1]
print(f"Port {port} opened for sessionId {session['SessionId']}.", end="", flush=True)
print("\nWaiting for connections...", flush=True)
while True:
    client, _ = listener.accept()
    try:
        server = socket.create_connection(("127.0.0.1", int(target)))
    except OSError:
        print("\nConnection to destination port failed, check SSM Agent logs.", flush=True)
        client.close()
        continue
    limit = [100_000]
    threading.Thread(target=hand_on, args=(client, server, [1 << 60]), daemon=True).start()
    threading.Thread(target=hand_on, args=(server, client, limit), daemon=True).start()
