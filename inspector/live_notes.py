"""Marks that are made while a recording is looked at, kept where its cassette will look for them.

A call is marked by its number in the cassette, which is another than the proxy's; one that has none yet is marked for as long as
the inspector is open. The file is written beside a cassette that is there, and that a proxy on a socket of this user named:
what comes over a port may name any file.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from ..cassettes.errors import CassetteError
from ..cassettes.notes import Notes, Place
from ..cassettes.text import clip
from ..proxy.control.protocol import Snapshot
from .outline import Kind

_CALLS = frozenset({Kind.EXCHANGE.value, Kind.POLLS.value})
_PASSING = frozenset({Kind.MISS.value, Kind.HELD.value})

RecordOf = Callable[[int], int | None]
"""Of a call's number, its number in the cassette; None for one that has none."""


class LiveNotes(Notes):
    """The notes beside a cassette, asked for by what a live list has."""

    def __init__(self, cassette: Path, record_of: RecordOf, marks: dict[Place, str] | None = None) -> None:
        super().__init__(cassette, marks)
        self._record_of = record_of
        self._here = Notes(cassette)
        """Marks of what is in no cassette."""

    def __iter__(self) -> Iterator[Place]:
        """Places of the list: of calls those alone that have no other number in the cassette."""
        yield from (place for place in super().__iter__() if place.kind not in _CALLS)
        yield from self._here

    def __contains__(self, place: Place) -> bool:
        kept = self._kept(place)
        return super().__contains__(kept) if kept is not None else place in self._here

    def note(self, place: Place) -> str:
        kept = self._kept(place)
        return super().note(kept) if kept is not None else self._here.note(place)

    def mark(self, place: Place, note: str | None = None) -> bool:
        kept = self._kept(place)
        return super().mark(kept, note) if kept is not None else self._here.mark(place, note)

    def unmark(self, place: Place) -> None:
        kept = self._kept(place)
        if kept is not None:
            super().unmark(kept)
        else:
            self._here.unmark(place)

    def _kept(self, place: Place) -> Place | None:
        """The place in the cassette."""
        if place.kind in _PASSING:
            return None
        if place.kind not in _CALLS:
            return place
        record = self._record_of(int(place.item))
        return place._replace(item=str(record)) if record is not None else None


def notes_for(snapshot: Snapshot, address: str, record_of: RecordOf) -> tuple[Notes, str]:
    """The notes of what a proxy records, and why they are not kept; empty where they are. `address`: the control API's."""
    passing = Notes(Path("live"))
    if snapshot.mode != "record" or len(snapshot.cassettes) != 1:
        return passing, "they are kept beside a cassette, and this proxy records into none"
    path = Path(snapshot.cassettes[0])
    if address.startswith(("http://", "https://")):
        return passing, "the proxy is looked at through a port, and may be on another machine"
    if not path.is_absolute() or not any(each.is_file() for each in (path.with_name(path.name + ".partial"), path)):
        return passing, f"there is no cassette {clip(str(path), 200)}"
    try:
        return LiveNotes(path, record_of, Notes.load(path).marks), ""
    except CassetteError as error:
        return passing, error.message + (f" ({error.hint})" if error.hint else "")
