"""`respool split`: a new cassette for each thread of one."""

import argparse
from pathlib import Path

from ..cassettes.amounts import counted
from .filtering import SHARED, add_output
from .running import narrate, progress_of


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "split",
        help="write each thread of a cassette to a cassette of its own",
        description="Write a cassette for each thread, named by its id, and other-calls.cassette for what belongs to none. "
        "`respool replay DIR` serves them all.",
    )
    parser.add_argument("cassette", type=Path, metavar="CASSETTE")
    parser.add_argument("--by", choices=("thread",), default="thread", help="what a part is (default thread)")
    parser.add_argument("--shared", action="store_true", help=f"in each part, {SHARED}")
    add_output(parser, "DIR", "the folder to write to")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..cassettes.splitting import split
    from .opening import opened

    with opened(arguments.cassette) as reader:
        paths = split(
            reader,
            arguments.output,
            shared=arguments.shared,
            overwrite=arguments.overwrite,
            progress=progress_of("splitting"),
        )
    narrate(f"respool: wrote {counted(len(paths), 'cassette')} to {arguments.output}")
    return 0
