"""`respool trim`: a new cassette with some of another's calls."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..cassettes.amounts import counted
from ..cassettes.errors import UsageError
from .filtering import SHARED, add_filter, add_output
from .running import narrate, progress_of

if TYPE_CHECKING:
    from ..cassettes.filters import Expression
    from ..cassettes.reader import Reader


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "trim",
        help="write a cassette with some of another's calls",
        description="Write the calls that all options choose to a new cassette; without any, all of them. Within a thread, "
        "a replay needs every write, so choose whole threads for what is to be replayed.",
    )
    parser.add_argument("cassette", type=Path, metavar="CASSETTE")
    add_output(parser, "OUT", "the cassette to write")
    add_filter(parser, "keep the calls that fit: is:write, not is:poll, http:200, ...; see docs/filters.md")
    parser.add_argument("--thread", action="append", default=[], metavar="ID", help="keep this thread; may be repeated")
    parser.add_argument("--shared", action="store_true", help=f"with --thread, {SHARED}")
    parser.add_argument("--run", dest="run_id", metavar="ID", help="keep the calls that name this run")
    parser.add_argument("--since", metavar="TIME", help="keep calls of this time or later: 2026-01-02T03:04 (UTC)")
    parser.add_argument("--until", metavar="TIME", help="keep calls of this time or earlier; a day counts as a whole")
    parser.add_argument("--drop", metavar="EXPR", help="drop the calls that fit")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..cassettes.editing import trim
    from .opening import opened

    with opened(arguments.cassette) as reader:
        chosen = _chosen(arguments, reader)
        kept = trim(reader, arguments.output, chosen, overwrite=arguments.overwrite, progress=progress_of("trimming"))
        narrate(f"respool: kept {kept:,} of {counted(len(reader), 'call')} in {arguments.output}")
    return 0


def _chosen(arguments: argparse.Namespace, reader: "Reader") -> "Expression | None":
    from ..cassettes.editing import known_threads
    from ..cassettes.filters import Not, every, parse, some, term
    from ..cassettes.ranges import BadValue

    parts: list[Expression] = []
    if arguments.filter is not None:
        parts.append(parse(arguments.filter))
    known_threads(reader, arguments.thread)
    threads = [term("thread", name) for name in arguments.thread]
    if threads and arguments.shared:
        threads.append(term("thread", "/*", quoted=False))
    if (wanted := some(threads)) is not None:
        parts.append(wanted)
    if arguments.run_id is not None:
        parts.append(term("run", arguments.run_id))
    for option, operator in (("since", ">="), ("until", "<=")):
        if (time := getattr(arguments, option)) is not None:
            try:
                parts.append(term("time", time, operator))
            except BadValue as error:
                raise UsageError(f"--{option}: {error}") from error
    if arguments.drop is not None:
        parts.append(Not(parse(arguments.drop)))
    return every(parts)
