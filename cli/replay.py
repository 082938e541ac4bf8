"""`respool replay`: serve a cassette in place of the upstream that it was recorded from."""

import argparse
from pathlib import Path

from . import running


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "replay",
        help="serve a cassette instead of an upstream",
        description="Serve a cassette. No connection to anywhere is opened. Prints the base URL for the client; "
        "http://HOST:PORT/@NAME/v1 is a session of its own. Exit status 1 if any request was not answered from the cassette.",
    )
    parser.add_argument("cassette", type=Path, metavar="FILE", help="the cassette to serve")
    add_service(parser)
    running.add_address(parser, port=8080)
    parser.set_defaults(run=run)


def add_service(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--polls",
        choices=["compress", "recorded"],
        default="compress",
        help="compress (default): serve only state changes and tell clients not to wait; recorded: every poll and header",
    )
    parser.add_argument(
        "--pace", default="instant", metavar="instant|recorded|xN", help="how fast streams are served (default instant)"
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="a read that was recorded only later in its thread is a miss, not an early answer",
    )


def run(arguments: argparse.Namespace) -> int:
    from .loop import run_server
    from .serving import replay

    return run_server(lambda stop: replay(arguments, stop))
