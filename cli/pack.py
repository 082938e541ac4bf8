"""`respool pack`: make a cassette small, in place or into another file."""

import argparse
from pathlib import Path

from ..cassettes.amounts import counted, size
from ..cassettes.errors import UsageError
from .running import narrate, progress_of


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "pack",
        help="make a cassette small",
        description="Write a cassette anew in compressed blocks: some ten times smaller, and read, replayed and appended to "
        "like any other. In place, the packed file is read back and compared before it takes the old one's name; `respool "
        "trim CASSETTE -o OUT` writes it unpacked again.",
    )
    parser.add_argument("cassettes", type=Path, nargs="+", metavar="CASSETTE")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="write there, and leave the cassette as it is")
    parser.add_argument("--overwrite", action="store_true", help="with -o, replace what is there")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..cassettes.packing import pack, pack_in_place
    from .opening import opened

    if arguments.output is None:
        if arguments.overwrite:
            raise UsageError("--overwrite goes with -o", "without -o each cassette is packed in place")
        for path in arguments.cassettes:
            before, after = pack_in_place(path, progress=progress_of("packing"))
            narrate(f"respool: {path} had {size(before)} and has {size(after)}; what is in it is the same")
        return 0
    if len(arguments.cassettes) != 1:
        raise UsageError("-o takes one cassette", "pack several in place, or one at a time")
    with opened(arguments.cassettes[0]) as reader:
        before = reader.path.stat().st_size
        after = pack(reader, arguments.output, overwrite=arguments.overwrite, progress=progress_of("packing"))
        calls = counted(len(reader), "call")
    narrate(f"respool: {calls} in {arguments.output}: {size(before)} became {size(after)}")
    return 0
