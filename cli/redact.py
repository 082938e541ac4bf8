"""`respool redact`: a new cassette without what today's rules find in an older one."""

import argparse
from pathlib import Path

from ..cassettes.amounts import counted
from .filtering import add_output
from .redacting import add_redaction
from .running import narrate, progress_of


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "redact",
        help="write a cassette anew without its secrets",
        description="Take out of a cassette what today's rules of redaction find, and write the result to a new one. It is "
        "matched by these rules from then on.",
    )
    parser.add_argument("cassette", type=Path, metavar="CASSETTE")
    add_output(parser, "OUT", "the cassette to write")
    add_redaction(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..cassettes.secrets.audit import redact_cassette
    from .opening import opened
    from .redacting import cleaning_of

    cleaning = cleaning_of(arguments, arguments.output)
    with opened(arguments.cassette) as reader:
        changed = redact_cassette(
            reader, arguments.output, cleaning, overwrite=arguments.overwrite, progress=progress_of("redacting")
        )
        calls = counted(len(reader), "call")
    narrate(f"respool: {calls} in {arguments.output}; {changed:,} of them held something that was taken out")
    return 0
