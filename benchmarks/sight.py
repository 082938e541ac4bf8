"""The measure of the inspector: what a person waits for who looks at a large cassette, beside mitmproxy's console."""

import json
import subprocess
from pathlib import Path

from respool.benchmarks.bench import Bench
from respool.benchmarks.processes import HERE, PYTHON
from respool.benchmarks.report import Ceiling, Finding, Ratio, Series
from respool.cassettes.exports.har import export_har
from respool.cassettes.reader import Reader

LOOKS = {
    "first_ms": ("first screen", "ms", 1000),
    "row_p50_ms": ("a key to the next row, median", "ms", 16),
    "row_p99_ms": ("a key to the next row, 99th of 100", "ms", 50),
    "row_cpu_p50_ms": ("the same, median", "ms of CPU", None),
    "far_p50_ms": ("a key to another page, median", "ms", 16),
    "far_p99_ms": ("a key to another page, 99th of 100", "ms", 50),
    "far_cpu_p50_ms": ("the same, median", "ms of CPU", None),
    "mb": ("memory after that", "MB", 250),
}
BESIDE_CALLS, BESIDE_THREADS = 10_000, 200
ROUNDS = 2


def sight(bench: Bench) -> Finding:
    """The inspector over a cassette of many calls, and over fewer beside mitmproxy's console."""
    finding = Finding("sight", [])
    large = bench.corpus(bench.calls, max(1, bench.calls // 50))
    bench.say("  looking at the large cassette")
    for name, series in _series(bench, "respool", large).items():
        said, _, limit = LOOKS[name]
        finding.series.append(series)
        if limit is not None:
            finding.ceilings.append(Ceiling(f"inspector, {bench.calls:,} calls: {said}", series, limit))
    small = bench.corpus(BESIDE_CALLS, BESIDE_THREADS)
    bench.say("  looking for a text in all bodies")
    search = Series("inspector: looking through all bodies", "us a call")
    for _ in range(ROUNDS):
        search.costs.append(_screen("searched", small)["search_s"] * 1e6 / BESIDE_CALLS)
    finding.series.append(search)
    finding.remarks = [
        "wall time on a terminal of 120 by 40: from the start to the first rows, from a key to the first that is written for it",
        "memory is the process' own, not that of the file it has mapped",
    ]
    if bench.mitmproxy:
        flows = _flows(bench, small)
        bench.say("  looking at the same calls with mitmproxy")
        try:
            theirs = _series(bench, "mitmproxy", flows, bench.mitmproxy)
        except subprocess.CalledProcessError:
            finding.remarks.append("mitmproxy was left out: its console showed no call of the file within two minutes")
            return finding
        ours = _series(bench, "respool", small)
        for name, (said, _, _) in LOOKS.items():
            finding.ratios.append(Ratio(f"{said}: inspector : mitmproxy, 10,000 calls", ours[name], theirs[name]))
            finding.series += [ours[name], theirs[name]]
    else:
        finding.remarks.append("mitmproxy was left out: name a Python that has it with --mitmproxy")
    return finding


def _series(bench: Bench, kind: str, path: Path, python: str = PYTHON) -> dict[str, Series]:
    name = "inspector" if kind == "respool" else kind
    found = {key: Series(f"{name}, {path.stem}: {said}", unit) for key, (said, unit, _) in LOOKS.items()}
    for number in range(ROUNDS):
        for key, figure in _screen(kind, path, python).items():
            if key in found:
                found[key].costs.append(figure)
        bench.say(f"  round {number + 1} of {ROUNDS}")
    return found


def _flows(bench: Bench, cassette: Path) -> Path:
    """The same calls as mitmproxy keeps them."""
    har = bench.folder / f"{cassette.stem}.har"
    with Reader.open(cassette) as reader, har.open("w", encoding="utf-8") as out:
        out.writelines(export_har(reader))
    subprocess.run([bench.mitmproxy, str(HERE / "storage.py"), "mitmproxy_write", str(har)], check=True)
    return har.with_suffix(".flows")


def _screen(kind: str, path: Path, python: str = PYTHON) -> dict[str, float]:
    command = [python, str(HERE / "screen.py"), kind, str(path)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
