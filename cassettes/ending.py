"""How a cassette ends, and what a user is told where that is not with a seal.

| ending | how it is told | what it means |
|---|---|---|
| SEALED | a good seal ends the file | it was closed: nothing is missing |
| GROWING | no seal, and a writer has the lock | more may come |
| BAD_SEAL | what stands after the last whole record is, or was, a seal | it was closed: nothing is missing but the seal |
| CUT | anything else | its writer was interrupted, or the file lost its end; what may be missing cannot be known |

A call that was being written when a file was cut is in the bytes after the last whole record, and in no cassette.
"""

import zlib
from enum import Enum
from pathlib import Path

from .amounts import are, counted
from .format import CRC_RESIDUE, FRAME_HEADER, FRAME_HEADER_SIZE, SEAL_SIZE, RecordType, Seal
from .scan import Scan
from .source import Source


class Ending(Enum):
    """See the table."""

    SEALED = "sealed"
    GROWING = "growing"
    BAD_SEAL = "bad seal"
    CUT = "cut"


def ending_of(source: Source, scan: Scan) -> Ending:
    """The ending of a file that was scanned."""
    if source.last_seal() is not None:
        return Ending.SEALED
    if source.locked:
        return Ending.GROWING
    return Ending.BAD_SEAL if _was_seal(source, scan) else Ending.CUT


def warning_of(path: Path, ending: Ending, calls: int, dropped: int) -> str:
    """What is told to who reads a cassette: what is wrong, then on an indented line what to do. Empty for a sealed one."""
    whole = f"its {counted(calls, 'whole call')} {are(calls)}" if calls else "no whole call is"
    if ending is Ending.SEALED:
        return ""
    if ending is Ending.GROWING:
        return f"{path} is being recorded: {whole} what is there so far\n  look again when the recording has ended"
    if ending is Ending.BAD_SEAL:
        return f"the seal at the end of {path} is damaged: {whole} all that was recorded\n  {_repair(path)}"
    lost = f", and the last {counted(dropped, 'byte')} {are(dropped)} no whole record" if dropped else ""
    return (
        f"{path} was cut short: it was not closed cleanly, {whole} all that is there{lost}\n"
        f"  {_repair(path)}; or record it again"
    )


def resumption_of(path: Path, ending: Ending, dropped: int, aside: Path | None) -> str:
    """What is told to who appends to a cassette that had no seal. Empty where it had one.

    `aside` is where the `dropped` bytes after its last whole record were saved.
    """
    if ending is Ending.SEALED:
        return ""
    saved = f"\n  they are saved in {aside}" if aside is not None else ""
    if ending is Ending.BAD_SEAL:
        return f"the seal at the end of {path} was damaged: nothing that was recorded is lost, and it gets a new one{saved}"
    if not dropped:
        return (
            f"{path} was not closed cleanly before, and the recording goes on in it: "
            "a call that was running then is not in the cassette"
        )
    return (
        f"{path} had lost its end, and the recording goes on in it: its last {counted(dropped, 'byte')} "
        f"{'was' if dropped == 1 else 'were'} no whole record, and what was in them is not in the cassette{saved}"
    )


def _repair(path: Path) -> str:
    return f"`respool doctor {path} --repair` writes what is whole to {path.name}.repaired"


def _was_seal(source: Source, scan: Scan) -> bool:
    """Whether the bytes after the last whole record are a seal, by its head or by what it says of its own place."""
    tail = source.map[scan.end : scan.end + SEAL_SIZE]
    if scan.dropped > SEAL_SIZE or len(tail) < FRAME_HEADER_SIZE:
        return False
    head = tail[:FRAME_HEADER_SIZE]
    if zlib.crc32(head) == CRC_RESIDUE:
        marker, kind, *_ = FRAME_HEADER.unpack(head)
        return marker == source.marker and kind == RecordType.SEAL
    if len(tail) < SEAL_SIZE:
        return False
    seal = Seal.unpack(tail[FRAME_HEADER_SIZE:])
    return seal.seal_offset == scan.end and seal.records == scan.records
