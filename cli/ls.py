"""`respool ls`: one line for each call in a cassette."""

import argparse
from pathlib import Path


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "ls", help="list the calls in a cassette", description="One line for each call, in the order of arrival."
    )
    parser.add_argument("cassette", type=Path, metavar="CASSETTE")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..cassettes.listing import lines
    from .opening import opened

    with opened(arguments.cassette) as reader:
        for line in lines(reader):
            print(line)
    return 0
