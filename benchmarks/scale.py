"""The measures of files: a cassette of many calls, raw and packed, and the same calls in the files of other recorders."""

import json
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

from respool.benchmarks.bench import Bench
from respool.benchmarks.opening import write_vcr
from respool.benchmarks.processes import HERE, PYTHON
from respool.benchmarks.report import Ceiling, Finding, Ratio, Series
from respool.cassettes.exports.har import export_har
from respool.cassettes.packing import pack
from respool.cassettes.reader import Reader

LOOKS = {
    "open_ms": ("opening", "ms", 50),
    "open_mb": ("memory of opening", "MB", 30),
    "look_up_p50_us": ("look-up and decode, median", "us of CPU", None),
    "look_up_p99_us": ("look-up and decode, 99th of 100", "us of CPU", None),
    "bodies_p50_us": ("the same and both bodies, median", "us of CPU", None),
    "bodies_p99_us": ("the same and both bodies, 99th of 100", "us of CPU", None),
    "loop_p50_us": ("an empty loop in turns with that, median", "us of CPU", None),
    "loop_p99_us": ("an empty loop in turns with that, 99th of 100", "us of CPU", None),
    "conversation_p99_ms": ("one thread read whole, 99th of 100", "ms of CPU", 50),
}
SPANS = {
    "look_up": "look-up and decode, 99th of 100",
    "bodies": "the same and both bodies, 99th of 100",
    "loop": "an empty loop in turns with that, 99th of 100",
}
"""Of each look-up there is a figure for each process: what those come to, by `BY`."""
BY = {"median": median, "least": min}
LOOK_UP = 100
"""Microseconds: the limit of a look-up in a cassette as it was recorded, each by its least."""
SCANS = {
    "scan_s": ("opening without an index", "s of CPU", None),
    "both_s": ("opening without an index, and a look-up", "s of CPU", 5),
    "both_wall_s": ("the same, on the wall", "s", None),
    "sort_s": ("the one look-up of many that sorts", "s of CPU", None),
    "scan_mb": ("memory of all that, at most", "MB", 300),
}
SHARED_CALLS, SHARED_THREADS = 10_000, 200
VCR_CALLS = 500
SCAN_ROUNDS = 2


def scale(bench: Bench) -> Finding:
    """A cassette of many calls: opening, looking up, reading a thread, with its index and without; raw and packed."""
    finding = Finding("scale", [])
    raw = bench.corpus(bench.calls, max(1, bench.calls // 50))
    paths = {"raw": raw, "packed": _packed(bench, raw)}
    sizes = {kind: path.stat().st_size for kind, path in paths.items()}
    for kind, path in paths.items():
        cut = path.with_name(f"{path.stem}-cut.cassette")
        if not cut.exists():
            bench.say(f"  making a {kind} cassette without its index")
            subprocess.run(["cp", str(path), str(cut)], check=True)
            with cut.open("r+b") as file:
                file.truncate(sizes[kind] - 1)
        bench.say(f"  reading the {kind} one")
        for names, source, rounds, what in (
            (LOOKS, path, 2 * bench.rounds - 1, "respool"),
            (SCANS, cut, SCAN_ROUNDS, "scanned"),
        ):
            series = {name: Series(f"{said}, {kind}", unit) for name, (said, unit, _) in names.items()}
            runs = [_storage(what, source) for _ in range(rounds)]
            limits = {name: limit for name, (_, _, limit) in names.items()}
            for name, each in series.items():
                each.costs += [run[name] for run in runs]
            if what == "respool":
                for span, said in SPANS.items():
                    for by, of_all in BY.items():
                        slowest = _slowest([run["spans"][span] for run in runs], of_all)
                        series[f"{span}, {by}"] = Series(f"{said}, each by its {by}, {kind}", "us of CPU", [slowest])
                if kind == "raw":
                    limits["look_up, least"] = LOOK_UP
            for name, each in series.items():
                finding.series.append(each)
                if (limit := limits.get(name)) is not None:
                    finding.ceilings.append(Ceiling(f"{bench.calls:,} calls: {each.name}", each, limit))
    part = Series("size of packed by raw", "of raw", [sizes["packed"] / sizes["raw"]])
    finding.series.append(part)
    finding.ceilings.append(Ceiling(f"{bench.calls:,} calls: packed by raw, size", part, 0.2))
    finding.remarks = [
        f"{bench.calls:,} calls in {max(1, bench.calls // 50):,} threads: {sizes['raw']:,} bytes raw, {sizes['packed']:,} packed",
        "a new process each time, its modules imported and the file read into the page cache before the clock starts",
        (
            "look-ups are of calls by chance, pages of the index touched for the first time included; keys with more than 10 "
            "recordings are left out"
        ),
        (
            "look-up and decode: all recordings of a key are found, and the last of them is decoded; its bodies, which stand "
            "elsewhere in the file, are read when they are asked for"
        ),
        (
            "the loop adds numbers, as many as take as long as a look-up with both bodies: that its 99th of 100 is far above "
            "its median is the machine's doing, and so is as much of a look-up's"
        ),
        (
            "by its median, by its least: each process makes the same look-ups in the same order, and what counts of one of them "
            "is the median, or the least, of what it took in all of them. The least is what it takes on a processor that does "
            "nothing else meanwhile; where that is shared and runs at two speeds, the median is at one of them by chance"
        ),
    ]
    return finding


def sharing(bench: Bench) -> Finding:
    """The same kind of calls in the files of other recorders: size, time to load, memory, each for one call."""
    raw = bench.corpus(SHARED_CALLS, SHARED_THREADS)
    small = bench.corpus(VCR_CALLS, 10)
    tape, har, flows = (bench.folder / f"shared.{suffix}" for suffix in ("yaml", "har", "flows"))
    with Reader.open(raw) as reader, har.open("w", encoding="utf-8") as out:
        out.writelines(export_har(reader))
    files = {
        "respool, raw": ("opened", raw, SHARED_CALLS, PYTHON),
        "respool, packed": ("opened", _packed(bench, raw), SHARED_CALLS, PYTHON),
        "HAR, parsed as JSON": ("har", har, SHARED_CALLS, PYTHON),
        "VCR.py, YAML": ("vcr", tape, write_vcr(small, tape), PYTHON),
    }
    remarks = [
        "respool's is opened and reads a call when it is asked for; the others are loaded whole, as their programs do",
        f"VCR.py was given {VCR_CALLS} calls, the others {SHARED_CALLS:,}; figures are for one call",
    ]
    if bench.mitmproxy:
        bench.say("  turning the HAR into flows")
        _storage("mitmproxy_write", har, python=bench.mitmproxy)
        files["mitmproxy, flows"] = ("mitmproxy", flows, SHARED_CALLS, bench.mitmproxy)
    else:
        remarks.append("mitmproxy was left out: name a Python that has it with --mitmproxy")
    finding = Finding("sharing", [], remarks=remarks)
    times: dict[str, Series] = {}
    for name, (kind, path, calls, python) in files.items():
        times[name] = Series(f"{name}: loading", "us of CPU a call")
        room = Series(f"{name}: memory", "bytes a call")
        for _ in range(bench.rounds):
            figures = _storage(kind, path, python=python)
            times[name].costs.append(figures["ms"] * 1e3 / calls)
            room.costs.append(figures["mb"] * 2**20 / calls)
        size = Series(f"{name}: size", "bytes a call", [path.stat().st_size / calls])
        finding.series += [size, times[name], room]
    ours = times["respool, raw"]
    for name, series in times.items():
        if series is not ours:
            target = 1000 if name.startswith("VCR") else None
            finding.ratios.append(Ratio(f"loading: respool, raw : {name}", ours, series, target))
    return finding


def _slowest(runs: list[list[float]], of_all: Callable[[Iterable[float]], float]) -> float:
    """The 99th of 100 look-ups, each by what `of_all` makes of the figures that it has in all runs."""
    each = sorted(map(of_all, zip(*runs, strict=True)))
    return each[len(each) * 99 // 100]


def _packed(bench: Bench, raw: Path) -> Path:
    path = raw.with_name(f"{raw.stem}-packed.cassette")
    if not path.exists():
        bench.say("  packing it")
        with Reader.open(raw) as reader:
            pack(reader, path)
    return path


def _storage(kind: str, path: Path, *, python: str = PYTHON) -> dict[str, Any]:
    command = [python, str(HERE / "storage.py"), kind, str(path)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
