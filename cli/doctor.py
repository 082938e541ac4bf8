"""`respool doctor`: say what is wrong with a cassette, and keep what is whole."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..cassettes.amounts import are, counted

if TYPE_CHECKING:
    from ..cassettes.repair import Diagnosis


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "doctor",
        help="check a cassette, and repair a damaged one into a new file",
        description="Read everything in a cassette and verify every checksum. --repair writes what is whole to "
        "CASSETTE.repaired and leaves the file itself as it is. Exit status 1 if anything is damaged, a damaged index among "
        "it, or if the file was cut short: it ends in no whole record, or has no seal although its name is not that of a "
        "recording in progress (0 once it is repaired).",
    )
    parser.add_argument("cassette", type=Path, metavar="CASSETTE")
    parser.add_argument("--repair", action="store_true", help="write what is whole to CASSETTE.repaired")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..cassettes.repair import examine, repair
    from ..cassettes.text import safe
    from .running import narrate, progress_of

    path = arguments.cassette
    if arguments.repair:
        found, destination = repair(path, progress=progress_of("checking"))
    else:
        found, destination = examine(path, progress=progress_of("checking")), None
    for line in found.damage:
        print(safe(line))
    if found.broken:
        print(f"{counted(found.broken, 'call')} {'lacks' if found.broken == 1 else 'lack'} a part and cannot be kept")
    for offset in found.bad_indexes:
        print(f"byte {offset:,}: the index is damaged; nothing is lost, for it can be made again")
    if ending := _ending(found):
        print(ending)
    print(f"{counted(found.kept, 'call')} {are(found.kept)} whole")
    if destination is not None:
        print(safe(f"written to {destination}"))
        return 0
    if found.healthy:
        return 0
    if found.kept:
        narrate(f"respool: `respool doctor {path} --repair` writes what is whole to {path.name}.repaired")
    return 1


def _ending(found: "Diagnosis") -> str:
    """How the file ends, where that is not with a seal."""
    from ..cassettes.ending import Ending

    dropped, bytes_are = found.dropped_bytes, f"{counted(found.dropped_bytes, 'byte')} {are(found.dropped_bytes)}"
    match found.ending:
        case Ending.SEALED:
            return ""
        case Ending.GROWING:
            return "the cassette is being recorded" + (f"; the last {bytes_are} no whole record yet" if dropped else "")
        case Ending.BAD_SEAL:
            return f"the seal, in the last {counted(dropped, 'byte')}, is damaged; nothing that was recorded is lost"
        case Ending.CUT if dropped:
            return f"the last {bytes_are} no whole record: the recording was cut short there"
        case Ending.CUT:
            whole = "" if found.damage or found.broken else "; every record in it is whole"
            return f"the cassette was not closed cleanly{whole}"
