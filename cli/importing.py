"""`respool import`: recordings of other tools become a cassette."""

import argparse
import sys
from pathlib import Path

from ..cassettes.amounts import counted
from . import running
from .redacting import add_redaction, cleaning_of


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "import",
        help="turn recordings of other tools, HAR or JSON Lines into a cassette",
        description="Read recordings made with VCR.py, Ruby's VCR, cassetter, Azure's test proxy or mitmproxy, HAR 1.2, and what "
        "`respool export --jsonl` wrote; the format is recognised. Several files that form one conversation become one cassette.",
    )
    parser.add_argument("sources", type=Path, nargs="+", metavar="FILE", help="recordings to read")
    parser.add_argument("destination", type=Path, metavar="OUT.cassette", help="the cassette to write")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing cassette")
    add_redaction(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..cassettes.imports import import_files

    terminal = sys.stderr.isatty()

    def progress(done: int, total: int) -> None:
        if terminal:
            print(f"\rimporting {done:,} of {total:,}", end="" if done < total else "\n", file=sys.stderr, flush=True)

    report = import_files(
        arguments.sources,
        arguments.destination,
        progress=progress,
        overwrite=arguments.overwrite,
        cleaning=cleaning_of(arguments, arguments.destination),
    )
    formats = ", ".join(sorted(set(report.formats)))
    running.narrate(f"respool: {counted(report.interactions, 'call')} from {formats} to {arguments.destination}")
    for note in report.notes:
        running.narrate(f"  {note}")
    return 0
