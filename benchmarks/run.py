"""Runs the measures and prints what came out: `python benchmarks/run.py [--quick] [--write] [NAME...]`; `make bench`.

Tables go to stdout, progress to stderr. A target that is not met does not change the exit status: the figures are of one
machine and one moment. 1 says that something could not be measured or answered wrongly.
"""

import argparse
import compileall
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from respool.benchmarks import machine, report
from respool.benchmarks.bench import Bench
from respool.benchmarks.measures import MEASURES
from respool.benchmarks.processes import HERE, BenchmarkError
from respool.cassettes.errors import RespoolError

DOCUMENT = HERE.parent / "docs" / "benchmarks.md"
PACKAGES = ("cassettes", "cli", "inspector", "proxy")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure respool beside references, by turns, in one run.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"what to measure (default all): {', '.join(MEASURES)}"
    )
    parser.add_argument("--quick", action="store_true", help="visits of 0.5 seconds instead of 3")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds, 5 at least (default 5)")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/benchmarks.md too")
    parser.add_argument(
        "--nginx", default=shutil.which("nginx") or "", metavar="PATH", help="nginx, if not on the PATH"
    )
    parser.add_argument(
        "--calls", type=int, default=100_000, metavar="N", help="calls of the large cassette (default 100000)"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep cassettes there, and use those of an earlier run"
    )
    parser.add_argument("--mitmproxy", default="", metavar="PYTHON", help="a Python that has mitmproxy")
    return parser


def _measure(chosen: argparse.Namespace, names: list[str]) -> list[report.Finding]:
    findings = []
    with tempfile.TemporaryDirectory(prefix="respool-bench-") as folder:
        bench = Bench(
            chosen.keep or Path(folder),
            chosen.rounds,
            0.5 if chosen.quick else 3.0,
            machine.Processors(),
            chosen.nginx,
            _say,
            calls=chosen.calls,
            mitmproxy=chosen.mitmproxy,
        )
        for name in names:
            _say(f"{name}: {(MEASURES[name].__doc__ or '').splitlines()[0]}")
            findings.append(MEASURES[name](bench))
    return findings


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _terminated(number: int, frame: object) -> None:
    raise SystemExit(128 + number)  # so that every server is stopped on the way out


def main() -> int:
    parser = _parser()
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in MEASURES]
    if unknown:
        parser.error(f"there is no measure {unknown[0]!r}; there are {', '.join(MEASURES)}")
    if chosen.rounds < 5:
        parser.error("fewer than 5 rounds say nothing about the spread")
    if why := machine.unsuitable():
        parser.error(why)
    if chosen.write and chosen.names:
        parser.error("--write takes all measures: a table of some would drop the others")
    signal.signal(signal.SIGTERM, _terminated)
    before = machine.load_average()
    for package in PACKAGES:  # or what starts would be compiled each time, where Python is told to write no bytecode
        compileall.compile_dir(HERE.parent / package, quiet=2)
    try:
        findings = _measure(chosen, chosen.names or list(MEASURES))
    except (BenchmarkError, RespoolError) as error:
        _say(f"benchmarks: {error}")
        return 1
    facts = [
        *machine.facts(),
        (
            "method",
            f"{chosen.rounds} rounds of {0.5 if chosen.quick else 3:g} s a contender; median (smallest..largest)",
        ),
        ("load average", f"{before} before, {machine.load_average()} after (2 of it are the benchmark's own)"),
    ]
    for text in (report.plain(report.ratio_table(findings)), report.plain(report.cost_table(findings))):
        print(text + "\n")
    for remark in report.remarks(findings):
        print(f"- {remark}")
    for name, value in facts:
        print(f"- {name}: {value}")
    if chosen.write:
        report.write_document(DOCUMENT, findings, facts)
        _say(f"written to {DOCUMENT.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
