"""`respool record`: forward calls to an upstream and keep them in a cassette."""

import argparse
from pathlib import Path

from . import running


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "record",
        help="forward calls to an upstream and record them",
        description="Forward calls to an upstream, byte for byte and at once, and keep them in a new cassette. "
        "Prints the base URL for the client; SIGINT or SIGTERM ends the recording and seals the cassette.",
    )
    add_upstream(parser, required=True)
    parser.add_argument("--cassette", required=True, type=Path, metavar="FILE", help="the cassette to write")
    add_disposition(parser)
    running.add_address(parser, port=8080)
    parser.set_defaults(run=run)


def add_upstream(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument(
        "--upstream",
        required=required,
        metavar="URL",
        help="where calls go, with the base path that clients use (https://host/v1), or `sandbox` for the embedded one",
    )


def add_disposition(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--append", action="store_true", help="add to an existing cassette")
    group.add_argument("--overwrite", action="store_true", help="replace an existing cassette")


def run(arguments: argparse.Namespace) -> int:
    from .loop import run_server
    from .serving import record

    return run_server(lambda stop: record(arguments, stop))
