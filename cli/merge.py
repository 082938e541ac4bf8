"""`respool merge`: one new cassette of several."""

import argparse
from contextlib import ExitStack
from pathlib import Path

from ..cassettes.amounts import counted
from .filtering import add_output
from .running import narrate, progress_of


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "merge",
        help="join cassettes into one",
        description="Join the threads of several cassettes, in order of recorded time. A thread that is the same in two "
        "is kept once; one that differs is refused (exit status 3) unless --keep says which to take.",
    )
    parser.add_argument("cassettes", type=Path, nargs="+", metavar="CASSETTE")
    add_output(parser, "OUT", "the cassette to write")
    parser.add_argument("--keep", choices=("first", "last"), help="which to take of threads that differ")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..cassettes.joining import join
    from .opening import opened

    with ExitStack() as stack:
        readers = [stack.enter_context(opened(path)) for path in arguments.cassettes]
        joined = join(
            readers,
            arguments.output,
            keep=arguments.keep,
            overwrite=arguments.overwrite,
            progress=progress_of("merging"),
        )
    twice = f", {joined.twice:,} left out that stood there twice" if joined.twice else ""
    narrate(
        f"respool: {counted(joined.calls, 'call')} of {counted(len(readers), 'cassette')} in {arguments.output}{twice}"
    )
    if joined.left_out:
        narrate(f"  {counted(joined.left_out, 'thread')} differed; the {arguments.keep} recording of each was kept")
    return 0
