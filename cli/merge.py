"""`respool merge`: one new cassette of several; also git's merge driver (`driver`)."""

import argparse
from contextlib import ExitStack
from pathlib import Path

from ..cassettes.amounts import counted
from ..cassettes.errors import UsageError
from .filtering import add_output
from .running import narrate, progress_of


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "merge",
        help="join cassettes into one",
        description="Join the threads of several cassettes, in order of recorded time. A thread that is the same in two "
        "is kept once; one that differs is refused (exit status 3) unless --keep says which to take. With --driver, merge two "
        "branches' versions of a cassette for git; with --resolve, settle the conflicts that this left.",
    )
    parser.add_argument("cassettes", type=Path, nargs="+", metavar="CASSETTE")
    add_output(parser, "OUT", "the cassette to write", required=False)
    parser.add_argument("--keep", choices=("first", "last"), help="which to take of threads that differ")
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--driver",
        action="store_true",
        help="for git (`respool setup git`): merge the files BASE OURS THEIRS of the cassette NAME into OURS; exit status 1 "
        "for a thread that both changed",
    )
    ways.add_argument(
        "--resolve",
        action="store_true",
        help="merge the cassette that git has in conflict, taking ours (--keep first) or theirs (--keep last) of each conflict",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.driver or arguments.resolve:
        from .driver import drive, resolve

        if arguments.output is not None:
            raise UsageError("-o does not go with --driver or --resolve: the result takes the place of the cassette")
        return drive(arguments) if arguments.driver else resolve(arguments)
    if arguments.output is None:
        raise UsageError("say which cassette to write: -o/--output OUT", "`respool merge --help` lists what there is")
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
