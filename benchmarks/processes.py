"""Processes that a benchmark starts: pinned, ready when they say so, and stopped at the end whatever happens."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import IO

from respool.benchmarks.load import Job
from respool.benchmarks.machine import cpu_us

HERE = Path(__file__).resolve().parent
PYTHON = sys.executable
RESPOOL = str(Path(sys.executable).with_name("respool"))
READY_SECONDS = 60.0
STOP_SECONDS = 40.0


class BenchmarkError(Exception):
    """A measurement could not be taken: a process did not start, died, or gave wrong answers."""


@dataclass(frozen=True, slots=True)
class Server:
    """A process that serves. `url` is what it printed when it was ready."""

    name: str
    pid: int
    url: str

    @property
    def port(self) -> int:
        return int(self.url.split("//", 1)[1].split("/", 1)[0].rpartition(":")[2])


@contextmanager
def started(name: str, command: Sequence[str], processor: int, *, narration: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a command on one processor; its stderr goes to `narration`. On leaving: SIGTERM, and SIGKILL if that is not enough."""
    with narration.open("a") as said:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            # Set before the program starts, so that no thread of it is born elsewhere; this process has no threads.
            preexec_fn=lambda: os.sched_setaffinity(0, {processor}),  # noqa: PLW1509  # see above
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise BenchmarkError(f"{name} did not stop within {STOP_SECONDS:.0f} s of SIGTERM") from None


@contextmanager
def serving(name: str, command: Sequence[str], processor: int, *, narration: Path) -> Iterator[Server]:
    """Run a server that prints its URL when it is ready. Raises BenchmarkError with its last words when it does not."""
    with started(name, command, processor, narration=narration) as process:
        url = _line(process.stdout, READY_SECONDS).strip()
        if not url.startswith("http://127.0.0.1:"):
            words = narration.read_text().strip().splitlines()[-3:]
            raise BenchmarkError(f"{name} did not start: {' / '.join(words) or 'it said nothing'}")
        yield Server(name, process.pid, url)


def _line(stream: IO[str] | None, seconds: float) -> str:
    if stream is None:
        return ""
    with DefaultSelector() as selector:
        selector.register(stream, EVENT_READ)
        return stream.readline() if selector.select(seconds) else ""


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of the load generator to a server. `cpu_us` is the server's processor time for one request."""

    cpu_us: float
    rate: float
    p99_ms: float
    requests: int
    bytes_each: float
    wrong: int
    inexact: int


class Generator:
    """The load generator's process; one job at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def visit(self, server: Server, job: Job) -> Visit:
        """Play a job against a server. Raises BenchmarkError when answers are missing."""
        before = cpu_us(server.pid)
        counted = self._run(job)
        used = cpu_us(server.pid) - before
        if "failed" in counted:
            raise BenchmarkError(f"{server.name}: {counted['failed']}")
        requests = int(counted["requests"])
        if not requests or counted["broken"]:
            raise BenchmarkError(f"{server.name}: {requests} answers, {counted['broken']} connections broken off")
        return Visit(
            cpu_us=used / requests,
            rate=requests / counted["seconds"],
            p99_ms=counted["p99_ms"],
            requests=requests,
            bytes_each=counted["received"] / requests,
            wrong=int(counted["wrong"]),
            inexact=int(counted["inexact"]),
        )

    def check(self, server: Server, job: Job) -> Visit:
        """A visit in which every answer must have the recorded status, so that the right thing is measured."""
        visit = self.visit(server, job)
        if visit.wrong:
            raise BenchmarkError(f"{server.name}: {visit.wrong} of {visit.requests} answers have the wrong status")
        return visit

    def _run(self, job: Job) -> dict:
        if self._process.stdin is None:
            raise BenchmarkError("the load generator has no stdin")
        self._process.stdin.write(json.dumps(asdict(job)) + "\n")
        self._process.stdin.flush()
        line = _line(self._process.stdout, job.seconds + 120)
        if not line:
            raise BenchmarkError("the load generator said nothing")
        return json.loads(line)
