"""`respool sandbox`: the embedded upstream on a port of its own."""

import argparse
from pathlib import Path

from ..cassettes.errors import UsageError
from . import running


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "sandbox",
        help="an upstream in memory, to try and to test against",
        description="Serve the threads API from memory: no network, no key. With --seed the same calls give the same bytes.",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="make ids and times the same every time")
    parser.add_argument("--latency", type=float, default=0.0, metavar="MS", help="wait this long before each answer")
    parser.add_argument("--script", type=Path, metavar="FILE", help="rules for how runs go, see docs/sandbox.md")
    running.add_address(parser, port=8090)
    running.add_names(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if not 0 <= arguments.latency <= 600_000:
        raise UsageError(f"--latency {arguments.latency:g} is not a latency", "give 0 to 600000 milliseconds")
    from .loop import run_server
    from .serving import sandbox

    return run_server(lambda stop: sandbox(arguments, stop))
