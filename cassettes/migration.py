"""A cassette of an older format written anew in today's: a table of steps, each from one format to the next, and a loop.

The old file is read and never written. Whatever no step touches stays as it is: numbers, times, keys, notes, fields and records
that this version does not know, the id. A reader opens older minor versions without any of this; to migrate is to have one
format in a folder, or to read with a tool that knows only today's.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .editing import Progress, carry, refuse, reported, whole
from .errors import CassetteError
from .format import MAJOR, MINOR, UPGRADE
from .interaction import Interaction
from .reader import Reader
from .summary import Summary
from .writer import Writer

Version = tuple[int, int]
Meta = dict[str, Any]

TODAY: Version = (MAJOR, MINOR)


class Step(NamedTuple):
    """How a cassette of one format becomes one of format `to`: its notes, and each call with its summary."""

    to: Version
    meta: Callable[[Meta], Meta]
    call: Callable[[Interaction, Summary], tuple[Interaction, Summary]]


STEPS: Mapping[Version, Step] = {}
"""By the format that each begins with. Format 1.0 is the first that was released, so there is none yet."""


def spelled(version: Version) -> str:
    return f"{version[0]}.{version[1]}"


def steps_of(reader: Reader) -> list[Step]:
    """The steps from the format of a cassette to today's: none where it has it.

    Raises CassetteError for a newer format, since to write it in today's would lose what makes it newer.
    """
    version = reader.format
    if version > TODAY:
        what = f"format {spelled(version)}; this version writes {spelled(TODAY)}"
        raise CassetteError(f"{reader.path} was made by a newer respool ({what})", UPGRADE)
    steps: list[Step] = []
    while version != TODAY:
        step = STEPS.get(version)
        if step is None or step.to <= version:
            raise CassetteError(f"{reader.path} is of format {spelled(version)}, which this version cannot convert")
        steps.append(step)
        version = step.to
    return steps


def migrate(reader: Reader, path: Path, *, overwrite: bool = False, progress: Progress | None = None) -> int:
    """Write all of a cassette to `path` in today's format; returns the number of calls. The file comes about whole or not."""
    steps = steps_of(reader)
    refuse(path, [reader], overwrite=overwrite)
    meta = dict(reader.meta)
    for step in steps:
        meta = step.meta(meta)
    created = (reader.created_us + 0.5) / 1_000_000  # half a microsecond more: no rounding gets below the number again
    begun = Writer.create(path, meta=meta, overwrite=overwrite, file_id=reader.file_id, clock=lambda: created)
    with whole(carry(begun, [reader])) as writer:
        for row in reported(reader.rows(), len(reader), progress):
            interaction, summary = reader.interaction(row), row.summary
            for step in steps:
                interaction, summary = step.call(interaction, summary)
            writer.append(interaction, summary)
    return writer.count
