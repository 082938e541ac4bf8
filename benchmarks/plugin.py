"""What the pytest plugin costs: loading it, and what it does around each marked test.

`python benchmarks/plugin.py` prints processor time, medians with the smallest and largest. The calls of a test are no part of it.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from respool.proxy.plugin.host import Host
from respool.proxy.plugin.recording import Recording
from respool.proxy.plugin.replaying import Replay, Shelf
from respool.proxy.plugin.settings import Wanted

RUNS = 5
TAKES = 1000
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer k", "OpenAI-Beta": "assistants=v2"}


def loading() -> float:
    """Milliseconds that importing the plugin takes where pytest is imported and bytecode is cached."""
    code = "import time, pytest; t = time.process_time(); import respool.proxy.plugin; print((time.process_time() - t) * 1e3)"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", code]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)


def takes(host: Host, shelf: Shelf, wanted: Wanted) -> float:
    """Milliseconds, of the test's thread and the server's, to begin a take, to judge it and to end it."""
    began = time.process_time()
    for number in range(TAKES):
        take = Replay(host, shelf, wanted, f"test~{number}")
        take.tally()
        take.close(keep=True)
    return (time.process_time() - began) / TAKES * 1e3


def main() -> None:
    loading()  # leaves the bytecode behind
    told("loading", [loading() for _ in range(RUNS)])
    with tempfile.TemporaryDirectory() as name:
        host = Host()
        shelf = Shelf(host)
        path = Path(name, "one.cassette")
        wanted = Wanted(
            nodeid="test", path=path, shown="one", mode="replay", unplayed="fail", pace="instant", matching=()
        )
        recording = Recording(host, wanted, "recording", upstream="sandbox")
        for _ in range(10):
            request = urllib.request.Request(recording.handle.base_url + "/threads", b"{}", HEADERS)
            urllib.request.urlopen(request, timeout=30).close()
        recording.close(keep=True)
        told("a marked test", [takes(host, shelf, wanted) for _ in range(RUNS)])
        host.stop()


def told(what: str, figures: list[float]) -> None:
    print(f"{what}: {statistics.median(figures):.2f} ms ({min(figures):.2f} to {max(figures):.2f})", flush=True)


if __name__ == "__main__":
    main()
