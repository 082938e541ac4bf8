"""`respool inspect`: a cassette on the screen, to look around in."""

import argparse
import sys
from pathlib import Path


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "inspect",
        help="look around in a cassette on the screen",
        description="Threads, their runs and calls on the left; on the right a run's waterfall, and panels: the conversation, "
        "tool calls, raw bytes, differences, what was redacted. It only reads. The keys: ? shows them, q quits.",
    )
    parser.add_argument("cassette", type=Path, metavar="CASSETTE")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..cassettes.errors import UsageError
    from ..cassettes.reader import Reader

    # Textual draws on stderr.
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise UsageError(
            "respool inspect draws on a terminal, and this is none",
            f"respool show {arguments.cassette} prints the same as text",
        )
    with Reader.open(arguments.cassette) as reader:
        from ..inspector.app import Inspector
        from ..inspector.keymap import keymap_for

        inspector = Inspector(reader, keymap_for(arguments.cassette))
        inspector.run()
        return inspector.return_code or 0
