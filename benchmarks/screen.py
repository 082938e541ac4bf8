"""Looks at a recording in a program of the terminal, types into it, and prints what that took, as JSON: `screen.py KIND FILE`.

The program runs on a terminal of its own, 120 by 40, so that all is counted that a person waits for: start, reading, drawing,
writing. Times are of the wall. Memory is the process' own (anonymous pages), not that of files it has mapped.

`respool`: `respool inspect`. `mitmproxy`: mitmproxy's console over a file of flows; runs under a Python that has mitmproxy, so
that nothing of respool is imported at the top.
"""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

KEYS = 100
REST = 0.15
"""Seconds of silence after which a screen is at rest, and the next key is typed."""
PATIENCE = 120.0
COMMANDS = {
    "respool": (["-m", "respool", "inspect"], re.compile(rb"thread_")),
    "mitmproxy": (
        ["-c", "from mitmproxy.tools.main import mitmproxy; mitmproxy()", "-n", "-r"],
        re.compile(rb"threads"),
    ),
}
SEARCHED = b"nothing says that"


class Screen:
    """A program on a terminal: what it has written since it was last asked."""

    def __init__(self, command: list[str]) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        said = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_ANIMATIONS": "none"}
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=said)
        os.close(theirs)

    def read(self, seconds: float) -> bytes:
        """What it writes within so many seconds; empty if that is nothing."""
        ready, _, _ = select.select([self._ours], [], [], seconds)
        return os.read(self._ours, 1 << 16) if ready else b""

    def until(self, wanted: re.Pattern[bytes]) -> float:
        """Seconds until what it wrote from now on has this."""
        began, written = time.perf_counter(), b""
        while not wanted.search(written):
            written += self.read(0.5)
            if time.perf_counter() - began > PATIENCE:
                raise TimeoutError(f"{wanted.pattern!r} was never shown; there is {written[-300:]!r}")
        return time.perf_counter() - began

    def rest(self) -> None:
        while self.read(REST):
            pass

    def type(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def end(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self._ours)


def memory(pid: int) -> float:
    """Megabytes of a process' own memory."""
    found = re.search(r"^Anonymous:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def worked(pid: int) -> float:
    """Milliseconds of processor time that the first thread of a process, which draws, has used."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e6


def moved(screen: Screen, keys: list[bytes]) -> tuple[list[float], list[float]]:
    """For each key the milliseconds until something is drawn, and those of processor time by then, each in order of length.

    The screen rests in between.
    """
    took: list[float] = []
    cost: list[float] = []
    for key in keys:
        before, began = worked(screen.process.pid), time.perf_counter()
        screen.type(key)
        if not screen.read(5.0):
            raise TimeoutError(f"nothing was drawn for {key!r}")
        took.append((time.perf_counter() - began) * 1e3)
        cost.append(worked(screen.process.pid) - before)
        screen.rest()
    return sorted(took), sorted(cost)


def looked(kind: str, path: Path) -> dict[str, float]:
    """The first screen, keys that move the cursor by a row and far away, and the memory after that."""
    words, first = COMMANDS[kind]
    began = time.perf_counter()
    screen = Screen([sys.executable, *words, str(path)])
    try:
        screen.until(first)
        found = {"first_ms": (time.perf_counter() - began) * 1e3, "first_cpu_ms": worked(screen.process.pid)}
        screen.rest()
        for name, keys in (("row", [b"j"] * KEYS), ("far", [b"G", b"g", b"\x1b[6~", b"\x1b[6~"] * (KEYS // 4))):
            took, cost = moved(screen, keys)
            last = len(keys) * 99 // 100
            found |= {f"{name}_p50_ms": took[len(keys) // 2], f"{name}_p99_ms": took[last]}
            found |= {f"{name}_cpu_p50_ms": cost[len(keys) // 2], f"{name}_cpu_p99_ms": cost[last]}
        return found | {"mb": memory(screen.process.pid)}
    finally:
        screen.end()


def searched(path: Path) -> dict[str, float]:
    """Looking for a text that no body holds, through all bodies."""
    screen = Screen([sys.executable, "-m", "respool", "inspect", str(path)])
    try:
        screen.until(COMMANDS["respool"][1])
        screen.rest()
        screen.type(b"/")
        screen.rest()
        screen.type(b'"' + SEARCHED + b'"')
        screen.rest()
        screen.type(b"\r")
        took = screen.until(re.compile(rb"0 of [0-9,]+ calls"))
        return {"search_s": took, "search_mb": memory(screen.process.pid)}
    finally:
        screen.end()


def main() -> int:
    kind, path = sys.argv[1:]
    print(json.dumps(searched(Path(path)) if kind == "searched" else looked(kind, Path(path))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
