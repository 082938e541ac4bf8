"""Several foreign recordings into one cassette: all of them or nothing.

Every file is read and checked before the cassette is begun; whatever fails after that takes the unfinished cassette
with it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from ..amounts import counted
from ..editing import whole
from ..errors import CassetteError, UsageError
from ..interaction import Interaction
from ..keys import request_key, variant_of
from ..operations import find_operation, split_target
from ..redaction import redact
from ..rules import NO_RULES, Rules
from ..scopes import media_type, scope_of
from ..secrets.cleaning import DEFAULT, Cleaning
from ..secrets.policy import PLAIN
from ..summaries import summarise
from ..text import clip, safe
from ..variants import beta_of
from ..writer import Writer
from .fields import Allowance
from .order import in_order
from .recognise import Recording, open_recording
from .stored import Head
from .wire import Exchange

Progress = Callable[[int, int], None]

_COLLECTIONS = (b"/threads", b"/assistants", b"/files", b"/vector_stores")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: how many `files` and `interactions`, the `formats` met (each once), and `notes` of what the
    files do not hold or what was changed, each a sentence for a person."""

    files: int
    interactions: int
    formats: tuple[str, ...]
    notes: tuple[str, ...]


def import_files(
    sources: Sequence[Path],
    destination: Path,
    *,
    progress: Progress | None = None,
    overwrite: bool = False,
    cleaning: Cleaning = DEFAULT,
) -> ImportReport:
    """Write the calls of all `sources`, redacted, to a new cassette at `destination`.

    Files that all say when each call was recorded are merged by that time; else they follow one another as given.
    `cleaning` says what is taken out and what is put in its place.
    `progress` is called with (steps done, steps in all), a step being a file read or a call written. An existing
    cassette is replaced only with `overwrite`. Raises CassetteError for a file that cannot be read (nothing is left
    behind then) and UsageError for a wrong call.
    """
    sources, destination = [Path(source) for source in sources], Path(destination)
    if not sources:
        raise UsageError("no file to import was named")
    if any(_same(source, destination) for source in sources):
        raise UsageError(f"{safe(str(destination))} is one of the files to import", "Name another file to write.")
    if not overwrite and _same(destination, destination):  # the writer refuses too, but after all the reading
        raise CassetteError(f"{safe(str(destination))} exists", "Name another file, or replace it with --overwrite.")
    allowance = Allowance()
    recordings: list[Recording] = []
    for source in sources:
        recordings.append(open_recording(source, allowance))
        if progress is not None:
            progress(len(recordings), len(sources) + sum(len(each.exchanges) for each in recordings))
    exchanges, merged = in_order(recordings)
    if not exchanges:
        raise CassetteError("no call is in " + ", ".join(safe(str(source)) for source in sources))
    notes = _notes(recordings, merged=merged)
    head = _own(recordings)
    policy = cleaning.policy or PLAIN
    meta = {**_meta(recordings, exchanges, notes), **policy.note()} if head is None else head.meta
    _write(exchanges, destination, meta, overwrite, progress, len(sources), head, cleaning)
    formats = tuple(dict.fromkeys(recording.format for recording in recordings))
    return ImportReport(len(recordings), len(exchanges), formats, tuple(notes))


def _own(recordings: list[Recording]) -> Head | None:
    """What the only file says of the cassette that it is, whole, an export of."""
    if len(recordings) != 1 or (head := recordings[0].head) is None:
        return None
    arrivals = [call.stored.arrival for call in recordings[0].exchanges if call.stored is not None]
    stored = len(arrivals) == len(recordings[0].exchanges)
    return head if stored and all(one < next_one for one, next_one in pairwise(arrivals)) else None


def _same(source: Path, destination: Path) -> bool:
    """Whether both are one file; a file that is not there is no other's."""
    try:
        return source.samefile(destination)
    except OSError:
        return False


def _write(
    exchanges: list[tuple[int, Exchange]],
    destination: Path,
    meta: dict[str, object],
    overwrite: bool,
    progress: Progress | None,
    done: int,
    head: Head | None,
    cleaning: Cleaning,
) -> None:
    """Write all calls. With `head` they keep their numbers and times, and the cassette its id: it is the same one."""
    file_id = None if head is None else head.file_id
    with whole(Writer.create(destination, meta=meta, overwrite=overwrite, file_id=file_id)) as writer:
        for count, (started_us, call) in enumerate(exchanges, 1):
            if call.stored is None:
                interaction = _interaction(call, writer, started_us)
                interaction = redact(interaction, cleaning)
                interaction = replace(interaction, scope=scope_of(interaction.request, interaction.response))
            else:
                interaction = redact(call.stored, cleaning)
                if head is None:
                    arrival = writer.next_arrival()
                    interaction = replace(
                        interaction, arrival=arrival, started_us=started_us, variant=beta_of(interaction.variant)
                    )
            # The key is that of the request as it came: what only the answer gave away, a later client cannot know.
            rules = NO_RULES if call.stored is not None else Rules(policy=cleaning.policy)
            key = request_key(call.request, rules=rules) if call.key is None else call.key
            writer.append(interaction, summarise(interaction, key=key))
            if progress is not None:
                progress(done + count, done + len(exchanges))


def _interaction(call: Exchange, writer: Writer, started_us: int) -> Interaction:
    head_us = 0 if call.response is None else call.response.head_us
    return Interaction(
        arrival=writer.next_arrival(),
        started_us=started_us,
        request=call.request,
        response=call.response,
        end=call.end,
        duration_us=head_us if call.duration_us is None else call.duration_us,
        variant=variant_of(call.request.headers, salt=writer.file_id),
    )


def _meta(recordings: list[Recording], exchanges: list[tuple[int, Exchange]], notes: list[str]) -> dict[str, object]:
    meta: dict[str, object] = {
        "imported_from": [{"file": safe(each.path.name), "format": each.format} for each in recordings],
        "notes": list(notes),
    }
    upstream = _upstream([call for _, call in exchanges])
    return meta | {"upstream": upstream} if upstream else meta


def _upstream(calls: list[Exchange]) -> str:
    """The base URL of the first call to the API; the origin of the first call where none is known to be the API's."""
    for call in calls:
        base, below, _ = split_target(call.request.target)
        operation, _ = find_operation(call.request.method, below)
        if call.origin and (operation or below.startswith(_COLLECTIONS)):
            return safe(call.origin + base.decode("latin-1"))
    return safe(next((call.origin for call in calls if call.origin), ""))


def _notes(recordings: list[Recording], *, merged: bool) -> list[str]:
    notes: list[str] = []
    calls = [call for each in recordings for call in each.exchanges]
    foreign = [call for call in calls if call.stored is None]
    notes += dict.fromkeys(note for each in recordings for note in each.notes)
    undated = sum(call.when_us is None for call in calls)
    if undated:
        has = "has no time at all; it follows" if undated == 1 else "have no time at all; they follow"
        notes.append(f"{undated} of {counted(len(calls), 'call')} {has} the one before")
    measured = sum(
        call.duration_us is None and call.response is not None and call.response.head_us > 0 for call in foreign
    )
    if measured:
        notes.append(
            f"durations of {measured} of {counted(len(calls), 'call')} are the server's own (openai-processing-ms)"
        )
    streams = sum(
        call.response is not None and media_type(call.response.headers) == b"text/event-stream" for call in foreign
    )
    if streams:
        notes.append(f"no pace of streams ({streams}): their events have no times of their own and replay at once")
    if merged:
        notes.append(
            "the files were merged in the order of their times; within one second by cause, then in the order given"
        )
    elif len(recordings) > 1:
        notes.append("not all files say when they were recorded, so they follow one another in the order given")
    losses = Counter(loss for call in calls for loss in call.losses)
    notes += [f"{loss} ({counted(times, 'time')})" for loss, times in losses.most_common(20)]
    empty = [safe(each.path.name) for each in recordings if not each.exchanges]
    if empty:
        notes.append(f"no call is in {clip(', '.join(empty), 300)}")
    origins = list(dict.fromkeys(call.origin for call in calls if call.origin))
    if len(origins) > 1:
        notes.append(f"calls of {len(origins)} hosts are in it: {clip(', '.join(origins), 300)}")
    return notes
