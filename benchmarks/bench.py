"""The bench: where and how long to measure, the contenders that are set up on it, and the rounds in which they take turns."""

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from respool.benchmarks.corpus import write_corpus
from respool.benchmarks.load import Job
from respool.benchmarks.machine import Processors
from respool.benchmarks.processes import (
    HERE,
    PYTHON,
    BenchmarkError,
    Generator,
    Server,
    Visit,
    serving,
    started,
)
from respool.benchmarks.report import Series

LONGEST_VISIT = 200_000
"""Requests that one visit makes at most, however fast the server."""
BRIEF = 0.25
"""Seconds of a visit where a round is made of many."""


@dataclass(frozen=True, slots=True)
class Bench:
    """`folder` is for files of the run, `seconds` a visit's length, `calls` those of the large cassette.

    `nginx` is the program's path, `mitmproxy` that of a Python that has it; either may be empty.
    """

    folder: Path
    rounds: int
    seconds: float
    processors: Processors
    nginx: str
    say: Callable[[str], None]
    calls: int = 100_000
    mitmproxy: str = ""

    @property
    def narration(self) -> Path:
        """Where the stderr of all processes goes."""
        return self.folder / "narration.txt"

    def corpus(self, interactions: int, threads: int, *, streams: bool = False) -> Path:
        path = self.folder / f"{interactions}{'-streams' * streams}.cassette"
        if not path.exists():
            self.say(f"  making a cassette of {interactions:,} calls")
            write_corpus(path, interactions, threads, streams=streams)
        return path

    def serving(self, name: str, *command: str, driven: bool = False) -> AbstractContextManager[Server]:
        """A server on the processor of what is measured, or (`driven`) on that of the load."""
        processor = self.processors.driven if driven else self.processors.served
        return serving(name, command, processor, narration=self.narration)

    def reference(self, kind: str, *options: str, driven: bool = False) -> AbstractContextManager[Server]:
        return self.serving(f"reference {kind}", PYTHON, str(HERE / "references.py"), kind, *options, driven=driven)

    def generator(self, stack: ExitStack) -> Generator:
        command = [PYTHON, str(HERE / "load.py")]
        process = started("load generator", command, self.processors.driven, narration=self.narration)
        return Generator(stack.enter_context(process))

    def nginx_serving(self, stack: ExitStack, location: str, *, around: str = "") -> Server | None:
        """nginx as one process with one location; `around` stands beside its server. None where there is no nginx."""
        if not self.nginx:
            return None
        port = _free_port()
        folder = self.folder / f"nginx-{port}"
        folder.mkdir()
        places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        settings = folder / "nginx.conf"
        settings.write_text(
            f"daemon off; master_process off; pid {folder}/pid; events {{ worker_connections 1024; }}\n"
            "http { access_log off; default_type application/json; keepalive_requests 1000000000;\n"
            + "".join(f"{place}_temp_path {folder}/{place};\n" for place in places)
            + f"{around}\nserver {{ listen 127.0.0.1:{port} backlog=1024; location / {{ {location} }} }} }}\n"
        )
        command = [self.nginx, "-p", str(folder), "-c", str(settings), "-e", str(folder / "error.log")]
        process = started("nginx", command, self.processors.served, narration=self.narration)
        running = stack.enter_context(process)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return Server("nginx", running.pid, f"http://127.0.0.1:{port}")
            time.sleep(0.05)
        raise BenchmarkError("nginx did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass(frozen=True, slots=True)
class Contender:
    series: Series
    server: Server
    job: Job


def contender(
    bench: Bench, name: str, server: Server, cassette: Path, *, streams: bool = False, sessions: bool = True
) -> Contender:
    job = Job(server.port, str(cassette), bench.seconds, LONGEST_VISIT, streams=streams, sessions=sessions)
    return Contender(Series(name, "us of CPU a request"), server, job)


def take_turns(
    bench: Bench, generator: Generator, contenders: Sequence[Contender], *, brief: bool = False
) -> list[int]:
    """Visit every contender in each round, first once to warm it up, and put the figures in its series.

    With `brief` a round is made of many short visits by turns, and twice as long: a shared processor changes its speed by the
    second, and so all contenders meet each of its moods. Returns how many requests each has had.
    """
    jobs = [replace(contender.job, seconds=BRIEF) if brief else contender.job for contender in contenders]
    visits = round(2 * bench.seconds / BRIEF) if brief else 1
    totals = [generator.visit(contender.server, job).requests for contender, job in zip(contenders, jobs, strict=True)]
    turn = 0
    for number in range(bench.rounds):
        made: list[list[Visit]] = [[] for _ in contenders]
        for _ in range(visits):
            # Every other turn goes backwards, so that none always follows the same one.
            order = range(len(contenders)) if turn % 2 == 0 else range(len(contenders) - 1, -1, -1)
            for place in order:
                made[place].append(generator.visit(contenders[place].server, jobs[place]))
            turn += 1
        for place, series in enumerate(contender.series for contender in contenders):
            requests = sum(visit.requests for visit in made[place])
            totals[place] += requests
            series.costs.append(sum(visit.cpu_us * visit.requests for visit in made[place]) / requests)
            series.rates.append(requests / sum(visit.requests / visit.rate for visit in made[place]))
        bench.say(f"  round {number + 1} of {bench.rounds}")
    return totals


def check_replay(generator: Generator, contender: Contender, calls: int) -> int:
    """Play the whole corpus on four connections, and demand that each answer has the recorded status and is in its place.

    This warms the server up, too. Returns the bytes of an answer in the mean, head included.
    """
    job = contender.job
    whole = Job(job.port, job.cassette, 120.0, 4 * calls, connections=4, streams=job.streams)
    visit = generator.check(contender.server, whole)
    if visit.inexact:
        what = f"{visit.inexact} of {visit.requests} answers came ahead of their place"
        raise BenchmarkError(f"{contender.series.name}: {what}, although all was played in order")
    return round(visit.bytes_each)
