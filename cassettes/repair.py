"""What is wrong with a cassette, and a new one made of all that is whole in it.

The damaged file is read and never written. What is kept keeps its number, its place and its times; an interaction that
lacks a piece of a body is lost as a whole, and counted.
"""

import os
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from .amounts import are, counted
from .editing import Progress, carry, reported, whole
from .ending import Ending
from .errors import CassetteError
from .file_names import sibling
from .interaction import BlobRef, Body
from .reader import Reader
from .storage import is_final
from .writer import Writer

_REMEMBERED = 65_536


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`kept` interactions can be read whole, `broken` ones cannot; `damage` holds one line for each damaged place.

    `bad_indexes` are the offsets of indexes that are damaged, which is no loss. `ending` and `dropped_bytes` say how the file
    ends, and `final` whether its name says that the recording has ended.
    """

    kept: int
    broken: int
    dropped_bytes: int
    ending: Ending
    final: bool
    damage: tuple[str, ...] = ()
    bad_indexes: tuple[int, ...] = ()

    @property
    def cut(self) -> bool:
        """Whether the file ends otherwise than its name promises. A recording that is still running, or kept as one that
        was cut short, may lack its seal; when nobody writes, bytes that are no whole record are too many in any file.
        """
        match self.ending:
            case Ending.SEALED | Ending.GROWING:
                return False
            case Ending.BAD_SEAL:
                return True
            case Ending.CUT:
                return self.final or self.dropped_bytes > 0

    @property
    def healthy(self) -> bool:
        """Whether there is nothing that a repair would mend."""
        return not (self.damage or self.broken or self.bad_indexes or self.cut)


def examine(
    path: Path, *, keep: Callable[[Reader], Writer] | None = None, progress: Progress | None = None
) -> Diagnosis:
    """Read everything in a cassette, every checksum verified. Raises CassetteError for what is no cassette at all.

    `keep` makes the writer that gets each whole interaction, for `repair`.
    """
    with Reader.open(path, salvage=True) as reader:
        damage = [
            f"byte {gap.offset:,}: {counted(gap.length, 'byte')} {are(gap.length)} not whole ({counted(gap.records, 'record')})"
            for gap in reader.gaps
        ]
        kept = broken = 0
        seen: set[bytes] = set()
        with nullcontext() if keep is None else whole(keep(reader)) as writer:
            for row in reported(reader.rows(), len(reader), progress):
                try:
                    interaction = reader.interaction(row)
                    for body in (interaction.request.body, interaction.response.body if interaction.response else None):
                        if body is not None:
                            _read(body, seen)
                except CassetteError:
                    broken += 1
                    continue
                kept += 1
                if writer is not None:
                    writer.append(interaction, row.summary)
        return Diagnosis(
            kept,
            broken,
            reader.dropped_bytes,
            reader.ending,
            is_final(path),
            (*damage, *reader.faults),
            tuple(reader.bad_indexes),
        )


def _read(body: Body, seen: set[bytes]) -> None:
    """Read those pieces of a body that are not among the `seen` ones: a body may name one again and again."""
    for part in body.parts:
        if isinstance(part, BlobRef) and part.digest + part.length.to_bytes(8, "little") not in seen:
            body.piece(part)
            if len(seen) >= _REMEMBERED:
                seen.clear()
            seen.add(part.digest + part.length.to_bytes(8, "little"))


def repair(path: Path, *, progress: Progress | None = None) -> tuple[Diagnosis, Path]:
    """Write what is whole in `path` to `path.repaired`; returns what was found and where it was written.

    Raises CassetteError if `path.repaired` is there already, or if nothing at all is whole.
    """
    destination = sibling(path, ".repaired")
    if os.path.lexists(destination):
        raise CassetteError(f"{destination} exists already", "move what an earlier repair made away, and repair again")

    def keep(reader: Reader) -> Writer:
        if not len(reader):
            raise CassetteError(f"nothing in {path} is whole, so there is nothing to keep")
        # The file's id stays: what is stored of credentials is salted with it.
        meta = {**reader.meta, "repaired_from": path.name}
        return carry(Writer.create(destination, meta=meta, file_id=reader.file_id), [reader])

    return examine(path, keep=keep, progress=progress), destination
