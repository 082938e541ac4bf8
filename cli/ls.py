"""`respool ls`: one line for each call in a cassette."""

import argparse
from pathlib import Path

from .filtering import add_filter, chosen


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "ls", help="list the calls in a cassette", description="One line for each call, in the order of arrival."
    )
    parser.add_argument("cassette", type=Path, metavar="CASSETTE")
    add_filter(parser, "list the calls alone that fit: http:5xx, dur>2s, tool:lookup_*, ...; see docs/filters.md")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..cassettes.listing import lines
    from .opening import opened

    with opened(arguments.cassette) as reader:
        for line in lines(reader, keeps=chosen(arguments.filter, reader)):
            print(line)
    return 0
