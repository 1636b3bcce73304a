"""What all benchmarks share: an environment of their own, the clock, the verdict."""

import contextlib
import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
HOST = "shop.localhost"
POLL_SECONDS = 0.005


def build():
    """The release build of mck, or the one that MCK names."""
    if "MCK" in os.environ:
        return Path(os.environ["MCK"]).resolve()
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "mck"], cwd=REPOSITORY, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    return target / "release" / "mck"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Bench:
    """A storefront of its own: project, ports and state are nobody else's."""

    def __init__(self, folder, extra=""):
        self.mck = build()
        self.folder = Path(folder)
        self.project = f"bench{os.getpid()}"
        self.id = f"{self.project}-local"
        self.http, self.https = free_port(), free_port()
        self.state = self.folder / "state"
        self.environment = dict(os.environ, MCK_STATE_DIR=str(self.state))
        source = REPOSITORY / "examples" / "storefront"
        (self.folder / "magecloudkit.toml").write_text(
            f'project = "{self.project}"\n'
            f'[app.shop]\npreset = "storefront"\nsource = "{source}"\n{extra}'
            "[environment.local]\n"
            f"[environment.local.local]\nhttp-port = {self.http}\nhttps-port = {self.https}\n"
        )

    @property
    def home(self):
        return self.state / self.id

    def run(self, *arguments):
        """Runs mck and gives the seconds that it took; its words are shown when it fails."""
        begin = time.monotonic()
        done = subprocess.run(
            [self.mck, *arguments], cwd=self.folder, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        took = time.monotonic() - begin
        if done.returncode != 0:
            sys.exit(f"mck {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}")
        return took

    def destroy(self):
        if self.home.exists():
            self.run("destroy", "--yes")


@contextlib.contextmanager
def bench(extra=""):
    """A Bench in a folder of its own; whatever happens, nothing of it stays."""
    if os.geteuid() != 0:
        sys.exit("the benchmarks start servers in network namespaces: run them as root")
    # A terminated benchmark cleans up as one that fails does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="mck-bench-") as folder:
        # Servers that are not root pass through; what is secret inside has modes of its own.
        os.chmod(folder, 0o711)
        it = Bench(folder, extra)
        try:
            yield it
        finally:
            it.destroy()


def answers(port):
    """The status with which the storefront's home page answers; none when nobody does."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": HOST})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def time_to_first_200(port, start, limit=120):
    """Calls `start` and gives (seconds to the first 200, what `start` gave)."""
    found = []
    stop = threading.Event()
    begin = time.monotonic()

    def poll():
        while not stop.is_set():
            if answers(port) == 200:
                found.append(time.monotonic() - begin)
                return
            time.sleep(POLL_SECONDS)

    poller = threading.Thread(target=poll, daemon=True)
    poller.start()
    try:
        result = start()
        poller.join(limit)
    finally:
        stop.set()
    if not found:
        sys.exit(f"no 200 from port {port} within {limit} s")
    return found[0], result


def spread(values, unit="s", digits=2):
    """`median (least to most)`."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} {unit} ({low:.{digits}f} to {high:.{digits}f})"


class Verdict:
    """The bars, and whether all were held."""

    def __init__(self):
        self.held = True

    def bar(self, what, value, limit, unit="", at_least=False, digits=2):
        good = value >= limit if at_least else value <= limit
        self.held &= good
        sign = "at least" if at_least else "at most"
        word = "held" if good else "MISSED"
        print(f"{word}: {what}: {value:.{digits}f}{unit}; bar: {sign} {limit:g}{unit}", flush=True)

    def exit(self):
        sys.exit(0 if self.held else 1)


def rounds(default):
    """How many rounds the command line asks for."""
    return int(sys.argv[1]) if len(sys.argv) > 1 else default
