"""listen.py HTTP HTTPS PREFIX START NODE...: starts load-balancer nodes with the host's ports.

Each gets its own listening sockets as descriptors 3 and 4, made in the host's namespace.
"""

import fcntl
import os
import socket
import sys

http, https, prefix, start, *nodes = sys.argv[1:]


def listening(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(port)))
    listener.listen(1024)
    return fcntl.fcntl(listener, fcntl.F_DUPFD_CLOEXEC, 10)


for node in nodes:
    actions = [(os.POSIX_SPAWN_DUP2, listening(port), 3 + index) for index, port in enumerate((http, https))]
    command = ["ip", "netns", "exec", prefix + node, "sh", f"{start}/{node}.sh"]
    os.posix_spawnp("ip", command, os.environ, file_actions=actions)
