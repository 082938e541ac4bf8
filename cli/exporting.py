"""`respool export`: a cassette in other tools' words or as a page, on stdout or in a new file."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..cassettes.errors import UsageError
from .running import narrate, progress_of

if TYPE_CHECKING:
    from ..cassettes.exports import Lost
    from ..cassettes.reader import Reader

_FORMATS = (
    ("html", "one page for any browser: conversations, waterfalls, raw exchanges, search"),
    ("har", "HAR 1.2"),
    ("jsonl", "JSON Lines: one call a line, nothing lost"),
    ("curl", "a shell script that makes the calls with curl"),
    ("python", "a Python script that holds the conversation with the openai package"),
    ("pytest", "a test that holds the conversation against this cassette"),
    ("markdown", "the conversation, to paste"),
)


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "export",
        help="turn a cassette into an HTML page, HAR, JSON Lines, curl, Python, a pytest test or Markdown",
        description="Write a cassette in another form. `respool import` reads HAR and JSON Lines back.",
    )
    formats = parser.add_mutually_exclusive_group(required=True)
    for name, what in _FORMATS:
        formats.add_argument(f"--{name}", dest="format", action="store_const", const=name, help=what)
    parser.add_argument("cassette", type=Path, metavar="CASSETTE")
    parser.add_argument("destination", type=Path, nargs="?", metavar="OUT", help="the file to write (default: stdout)")
    parser.add_argument("--thread", metavar="ID", help="this thread only")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..cassettes.editing import refuse
    from ..cassettes.exports import Lost, told
    from ..cassettes.exports.destination import write
    from .opening import opened

    if arguments.overwrite and arguments.destination is None:
        raise UsageError("--overwrite replaces a file, and stdout is none", "name the file behind the cassette")
    lost = Lost()
    with opened(arguments.cassette) as reader:
        pieces = _pieces(arguments, reader, lost)
        if arguments.destination is None:
            for piece in pieces:
                sys.stdout.write(piece)
        else:
            refuse(arguments.destination, [reader], overwrite=arguments.overwrite)
            write(pieces, arguments.destination, overwrite=arguments.overwrite)
    for line in told(arguments.format, lost):
        narrate(line if line.startswith(" ") else f"respool: {line}")
    return 0


def _pieces(arguments: argparse.Namespace, reader: "Reader", lost: "Lost") -> Iterator[str]:
    if arguments.format == "html":
        from ..inspector.report import export_html

        return export_html(reader, thread=arguments.thread, lost=lost, progress=progress_of("reading", "threads"))
    from ..cassettes.exports import FORMATS

    progress = None if arguments.destination is None and sys.stdout.isatty() else progress_of("exporting")
    return FORMATS[arguments.format](reader, thread=arguments.thread, lost=lost, progress=progress)
