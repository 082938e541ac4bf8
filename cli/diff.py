"""`respool diff`: what two cassettes say differently. Findings on stdout; exit status 1 where there are any."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..cassettes.amounts import counted
from ..cassettes.errors import UsageError
from .running import narrate, progress_of

if TYPE_CHECKING:
    from ..cassettes.comparison import Tolerance


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "diff",
        help="compare two cassettes by what they mean",
        description="Tell what differs between two recordings: texts, tool calls and outputs, steps, how runs ended, settings, "
        "tokens, errors, and what only one has. Ids, times, numbers of polls and headers do not count. Exit status 1 where "
        "something differs, 0 where nothing does.",
    )
    parser.add_argument("first", type=Path, metavar="A", help="the cassette that was")
    parser.add_argument("second", type=Path, metavar="B", help="the cassette that is")
    parser.add_argument(
        "--latency-tolerance",
        type=_tolerance,
        metavar="AMOUNT",
        help="tell of runs, and of calls of no thread, whose time differs by more: 50%%, 500ms, 2s (default: times do not count)",
    )
    parser.add_argument("--json", action="store_true", help="a JSON object a line instead of text")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..cassettes.comparison import compare, report
    from .opening import opened

    with opened(arguments.first) as first, opened(arguments.second) as second:
        findings = compare(
            first, second, tolerance=arguments.latency_tolerance, progress=progress_of("comparing", "threads")
        )
    for line in (finding.line() for finding in findings) if arguments.json else report(findings):
        print(line)
    if findings:
        narrate(f"respool: {counted(len(findings), 'difference')} between {arguments.first} and {arguments.second}")
    return 1 if findings else 0


def _tolerance(text: str) -> "Tolerance":
    from ..cassettes.comparison.scene import Tolerance
    from ..cassettes.ranges import BadValue, duration

    if text.endswith("%"):
        amount = text[:-1]
        if amount.isascii() and amount.isdigit() and len(amount) <= 4:
            return Tolerance(share=int(amount) / 100)
        raise UsageError(
            f"--latency-tolerance: {text} is no share", "give one such as 50%, or a duration such as 500ms"
        )
    try:
        return Tolerance(us=duration(text)[0])
    except BadValue as error:
        raise UsageError(f"--latency-tolerance: {error}, or a share such as 50%") from error
