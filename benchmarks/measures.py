"""The measures: each runs its contenders by turns, round after round, and returns what came out.

What is compared and why stands in `docs/benchmarks.md`. A replay first proves that it answers rightly and a recording is
counted at its end; wrong results end the run, since the speed of wrong answers is of no interest.
"""

import resource
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from respool.benchmarks.bench import Bench, Contender, check_replay, contender, take_turns
from respool.benchmarks.live import live
from respool.benchmarks.minute import POLLS, SECONDS, STATES, write_minute
from respool.benchmarks.opening import write_vcr
from respool.benchmarks.processes import HERE, PYTHON, RESPOOL, BenchmarkError
from respool.benchmarks.redaction import redaction
from respool.benchmarks.report import Ceiling, Finding, Ratio, Series
from respool.benchmarks.scale import scale, sharing
from respool.benchmarks.sight import sight
from respool.cassettes.reader import Reader

VCR_CALLS = 500
LAUNCHES = 5
"""Launches of each program in one round of `startup`; the round's figure is their median."""
SMALL = (200, 10)
LARGE = (10_000, 200)
"""Calls and threads of the two cassettes."""


PLAIN = ("--port", "0", "--no-late-binding")
"""Each connection plays other threads than its neighbours, by their recorded ids, and many threads begin alike."""


def replay(bench: Bench) -> Finding:
    """Replaying plain calls, from a small cassette and from a large one, beside servers that always say the same."""
    with ExitStack() as stack:
        generator = bench.generator(stack)
        contenders: list[Contender] = []
        length = 0
        for calls, threads in (SMALL, LARGE):
            path = bench.corpus(calls, threads)
            server = stack.enter_context(bench.serving("respool replay", RESPOOL, "replay", str(path), *PLAIN))
            contenders.append(contender(bench, f"respool replay, {calls:,} calls", server, path))
            length = max(length, check_replay(generator, contenders[-1], calls))
        body = max(20, length - 160)
        small = bench.corpus(*SMALL)
        bare = stack.enter_context(bench.reference("constant", "--length", str(body)))
        contenders.append(contender(bench, "bare aiohttp, constant answer", bare, small))
        static = bench.nginx_serving(stack, f'return 200 "{"x" * body}";')
        if static is not None:
            contenders.append(contender(bench, "nginx, return 200", static, small))
        take_turns(bench, generator, contenders)
    series = [contender.series for contender in contenders]
    ratios = [
        Ratio("replay of 200 calls : bare aiohttp", series[0], series[2], 0.7),
        Ratio("replay of 10,000 calls : bare aiohttp", series[1], series[2], 0.7),
        Ratio("replay of 10,000 calls : of 200", series[1], series[0], 1.0),
    ]
    remarks = [
        "late binding is off: the load names recorded ids out of their order, which no client of a replay does",
        f"plain calls only (no streams); an answer with its head has {length:,} bytes in the mean, and the references' as many",
        "32 connections, each playing whole threads in sessions of its own; all answers had the recorded status",
    ]
    if static is not None:
        ratios.append(Ratio("replay of 200 calls : nginx", series[0], series[3]))
    else:
        remarks.append("nginx is not installed here and was left out")
    return Finding("replay", series, ratios, remarks=remarks)


def streams(bench: Bench) -> Finding:
    """Replaying streamed runs without their pauses, beside aiohttp writing as many pieces."""
    path = bench.corpus(1000, 20, streams=True)
    with Reader.open(path) as reader:
        told = [call.response for call in map(reader.interaction, reader.rows()) if call.response]
        found = [(len(response.marks), response.body.length) for response in told if response.marks]
    pieces = sum(count for count, _ in found) // len(found)
    length = sum(size for _, size in found) // len(found)
    with ExitStack() as stack:
        generator = bench.generator(stack)
        ours = stack.enter_context(bench.serving("respool replay", RESPOOL, "replay", str(path), "--port", "0"))
        bare = stack.enter_context(bench.reference("stream", "--length", str(length), "--pieces", str(pieces)))
        contenders = [
            contender(bench, "respool replay, streamed runs", ours, path, streams=True),
            contender(bench, "bare aiohttp, as many chunks", bare, path, streams=True),
        ]
        check_replay(generator, contenders[0], len(found))
        take_turns(bench, generator, contenders)
    series = [contender.series for contender in contenders]
    remark = f"a stream has {length:,} bytes in {pieces} pieces in the mean, and the reference's as many"
    return Finding(
        "streams", series, [Ratio("replay of streams : bare aiohttp", series[0], series[1])], remarks=[remark]
    )


def record(bench: Bench) -> Finding:
    """Recording plain calls, beside the plain way to write a proxy, which keeps nothing."""
    path = bench.corpus(*SMALL)
    tape = bench.folder / "recorded.cassette"
    tape.unlink(missing_ok=True)
    with ExitStack() as stack:
        generator = bench.generator(stack)
        upstream = stack.enter_context(bench.reference("upstream", driven=True))
        to = ("--upstream", upstream.url + "/v1", "--port", "0")
        commands = {
            "respool record": (RESPOOL, "record", *to, "--cassette", str(tape)),
            "respool live (keeps nothing)": (RESPOOL, "serve", "--mode", "live", *to, "--control", "off"),
        }
        servers = [(name, stack.enter_context(bench.serving(name, *command))) for name, command in commands.items()]
        naive = stack.enter_context(bench.reference("forward", "--upstream", upstream.url))
        servers.append(("naive aiohttp client and server", naive))
        around = f"upstream u {{ server 127.0.0.1:{upstream.port}; keepalive 64; keepalive_requests 1000000000; }}"
        passing = bench.nginx_serving(
            stack, 'proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection "";', around=around
        )
        if passing is not None:
            servers.append(("nginx, proxy_pass", passing))
        contenders = [contender(bench, name, server, path, sessions=False) for name, server in servers]
        sent = take_turns(bench, generator, contenders, brief=True)[0]
    with Reader.open(tape) as reader:
        kept = len(reader)
    tape.unlink()
    if kept != sent:
        raise BenchmarkError(f"{sent:,} calls went through the recorder, and its cassette holds {kept:,}")
    series = [contender.series for contender in contenders]
    ratios = [
        Ratio("record : naive aiohttp forwarder", series[0], series[2], 0.8),
        Ratio("record : live", series[0], series[1]),
    ]
    remarks = [f"each of the {sent:,} calls that went through the recorder is in its sealed cassette"]
    if passing is not None:
        ratios.append(Ratio("record : nginx proxy_pass", series[0], series[3]))
    else:
        remarks.append("nginx is not installed here and was left out")
    return Finding("record", series, ratios, remarks=remarks)


def startup(bench: Bench) -> Finding:
    """`respool --help` from start to end, beside an interpreter that does nothing."""
    commands = {"respool --help": [RESPOOL, "--help"], "python -c pass": [PYTHON, "-c", "pass"]}
    wall = {name: Series(f"{name}, wall time", "ms") for name in commands}
    cpu = {name: Series(f"{name}, CPU", "ms") for name in commands}
    for command in commands.values():
        _launch(command)  # compiles what is not compiled yet
    for _ in range(bench.rounds):
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(LAUNCHES):
            for name, command in commands.items():
                took[name].append(_launch(command))
        for name, pairs in took.items():
            wall[name].costs.append(median(pair[0] for pair in pairs))
            cpu[name].costs.append(median(pair[1] for pair in pairs))
    ours, bare = commands
    return Finding(
        "startup",
        [*wall.values(), *cpu.values()],
        [Ratio("respool --help : python -c pass, by CPU", cpu[ours], cpu[bare])],
        [Ceiling("respool --help, wall time", wall[ours], 100)],
        [
            f"a round's figure is the median of {LAUNCHES} launches, by turns; wall time is what the load on the machine makes it"
        ],
    )


def _launch(command: list[str]) -> tuple[float, float]:
    """Run a command to its end; the milliseconds on the wall and on the processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall * 1e3, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


def opening(bench: Bench) -> Finding:
    """Opening a cassette of 10,000 calls and reading one, beside VCR.py loading its YAML."""
    path = bench.corpus(*LARGE)
    tape = bench.folder / "vcr.yaml"
    calls = write_vcr(bench.corpus(VCR_CALLS, 10), tape)
    ours = Series("respool, 10,000 calls", "ms")
    theirs = Series(f"VCR.py, {calls:,} calls", "ms")
    scaled = Series(f"VCR.py, {calls:,} calls, times {LARGE[0] / calls:g}", "ms", note="by proportion, not measured")
    for _ in range(bench.rounds):
        ours.costs.append(_opened("respool", path))
        theirs.costs.append(_opened("vcr", tape))
        scaled.costs.append(theirs.costs[-1] * LARGE[0] / calls)
    return Finding(
        "opening",
        [ours, theirs, scaled],
        [Ratio("opening 10,000 calls : VCR.py by proportion", ours, scaled)],
        [Ceiling("opening 10,000 calls and reading one", ours, 50)],
        [
            "a new process each time, its modules imported before the clock starts, the files in the page cache",
            f"VCR.py loads all calls, respool the one that is asked for; VCR.py was timed with {calls:,} of them",
            f"its time was multiplied by {LARGE[0] / calls:g}, since it grows at least in proportion",
        ],
    )


def _opened(kind: str, path: Path) -> float:
    command = [PYTHON, str(HERE / "opening.py"), kind, str(path)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def minute(bench: Bench) -> Finding:
    """Playing a run that took a minute with the `openai` package, beside the minute."""
    path = bench.folder / "minute.cassette"
    path.unlink(missing_ok=True)  # of an earlier run, in a folder that is kept
    write_minute(path)
    recorded = Series("the run when it was recorded", "ms", note="by its recorded times, not measured")
    played = {kind: Series(f"create_and_poll, {kind} client", "ms") for kind in ("sync", "async")}
    with bench.serving("respool replay", RESPOOL, "replay", str(path), "--port", "0") as server:
        command = [PYTHON, str(HERE / "minute.py"), f"http://127.0.0.1:{server.port}"]
        for _ in range(bench.rounds):
            told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
            recorded.costs.append(SECONDS * 1e3)
            for series, took in zip(played.values(), told, strict=True):
                series.costs.append(float(took))
    return Finding(
        "minute",
        [recorded, *played.values()],
        [Ratio(f"create_and_poll, {kind} : the recorded minute", series, recorded) for kind, series in played.items()],
        [Ceiling(f"create_and_poll of a minute, {kind}", series, 200) for kind, series in played.items()],
        [
            "wall time of a new client in a process that has played once: the package imports much of itself at its first call",
            f"the cassette has {POLLS} polls that told {STATES} states",
        ],
    )


MEASURES = {
    measure.__name__: measure
    for measure in (replay, streams, record, redaction, startup, opening, minute, sharing, scale, sight, live)
}
