"""`respool migrate`: a cassette of an older format in today's."""

import argparse
from pathlib import Path

from ..cassettes.amounts import counted
from ..cassettes.errors import UsageError
from .running import narrate, progress_of


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "migrate",
        help="write a cassette of an older format in today's",
        description="Without -o, say which format a cassette has: exit status 0 for today's, 1 for an older one. With -o, write "
        "all of it to a new file in today's format, whichever it has; what this version does not know is kept.",
    )
    parser.add_argument("cassette", type=Path, metavar="CASSETTE")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="the cassette to write")
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..cassettes.migration import TODAY, migrate, spelled, steps_of
    from .opening import opened

    path, output = arguments.cassette, arguments.output
    if arguments.overwrite and output is None:
        raise UsageError("--overwrite replaces what is at -o, and there is no -o")
    with opened(path) as reader:
        steps, old = steps_of(reader), spelled(reader.format)
        said = f"format {old} becomes {spelled(TODAY)}" if steps else f"already format {old}; nothing to convert"
        narrate(f"respool: {path}: {said}")
        if output is None:
            return 1 if steps else 0
        count = migrate(reader, output, overwrite=arguments.overwrite, progress=progress_of("migrating"))
        narrate(f"respool: wrote {counted(count, 'call')} to {output}")
    return 0
