"""`respool show`: a cassette as conversations; also its text form for `git diff`."""

import argparse
import io
import sys
from pathlib import Path

from ..cassettes.errors import CassetteError
from ..cassettes.text import safe
from .filtering import add_filter, chosen


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "show",
        help="print a cassette as conversations",
        description="Threads as conversations: messages, runs with their states and times, steps, tool calls and outputs. "
        "The text is stable: `respool setup git` makes git show what changed in it.",
    )
    parser.add_argument("cassette", type=Path, metavar="CASSETTE")
    parser.add_argument("--thread", metavar="ID", help="this thread only")
    add_filter(parser, "only threads with a call that fits: status:failed, tool:lookup_*, ...; see docs/filters.md")
    parser.add_argument(
        "--plain",
        action="store_true",
        help="the text for git: no colours, and no line that names and counts, always UTF-8",
    )
    parser.add_argument(
        "--textconv",
        action="store_true",
        help="for git (`respool setup git`): --plain, and what cannot be read is told in the text, with exit status 0, for git "
        "would show no difference of any file otherwise",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if not arguments.textconv:
        return _show(arguments)
    arguments.plain = True
    try:
        return _show(arguments)
    except CassetteError as error:
        print(safe(f"({error.message.replace(str(arguments.cassette), 'this file')})"))
        return 0


def _show(arguments: argparse.Namespace) -> int:
    from ..cassettes.show import render
    from .opening import opened

    with opened(arguments.cassette) as reader:
        keeps = chosen(arguments.filter, reader)
        plain = arguments.plain or not sys.stdout.isatty()
        if arguments.plain and isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", newline="\n")
        for line in render(reader, thread=arguments.thread, keeps=keeps, plain=plain, overview=not arguments.plain):
            print(line)
    return 0
