"""`respool doctor`: say what is wrong with a cassette, and keep what is whole."""

import argparse
from pathlib import Path


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "doctor",
        help="check a cassette, and repair a damaged one into a new file",
        description="Read everything in a cassette and verify every checksum. --repair writes what is whole to "
        "CASSETTE.repaired and leaves the file itself as it is. Exit status 1 if anything is damaged (0 once it is repaired).",
    )
    parser.add_argument("cassette", type=Path, metavar="CASSETTE")
    parser.add_argument("--repair", action="store_true", help="write what is whole to CASSETTE.repaired")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..cassettes.repair import examine, repair
    from ..cassettes.text import safe

    path = arguments.cassette
    if arguments.repair:
        found, destination = repair(path)
    else:
        found, destination = examine(path), None
    for line in found.damage:
        print(line)
    if found.broken:
        print(f"{found.broken:,} calls lack a part and cannot be kept")
    if found.dropped_bytes:
        print(f"the last {found.dropped_bytes:,} bytes are no whole record: the recording was cut short there")
    elif not found.sealed and found.healthy:
        print("the cassette was not closed cleanly; every record in it is whole")
    print(f"{found.kept:,} calls are whole")
    if destination is not None:
        print(safe(f"written to {destination}"))
        return 0
    return 0 if found.healthy else 1
