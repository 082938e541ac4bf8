"""A finding: one thing that differs between two cassettes, where it stands, and both values.

Values are foreign text that has passed `text.safe`, so they are fit to be shown as they are. In text they are cut to the
place where they part; in JSON they are whole, up to a cap.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ..models import compact
from ..text import clip, safe
from .narrowing import ABSENT

LONGEST = 20_000
"""Characters of a value that are kept."""
SHOWN = 240
"""Characters of a value that are shown in text."""
BEFORE = 60
"""Characters that are shown before the place where two values part."""

Kind = Literal["changed", "missing", "added", "order"]
"""Both have it and it differs; only the first has it; only the second; the same things in another order."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that differs.

    `place` says where in the conversation (`thread 2, run 1, step 2, tool call lookup_order`), `field` what of it
    (`arguments.id`; empty where the whole of it is missing or added). `left` and `right` are None where a side has nothing.
    `threads` are the ids of the thread in the first and the second cassette, empty where there is none. `note` says what
    follows from it; `also` names other places where the very same differs for the same reason.
    """

    kind: Kind
    place: str
    field: str
    left: str | None
    right: str | None
    threads: tuple[str, str] = ("", "")
    note: str = ""
    also: tuple[str, ...] = ()

    def text(self) -> str:
        """As a block of lines, the first value behind `-`, the second behind `+`."""
        only = {"missing": "only in the first", "added": "only in the second", "order": "in another order"}
        what = [self.field] if self.field else []
        what += [only[self.kind]] if self.kind in only and (self.kind == "order" or not self.field) else []
        lines = [f"{self.place}: {', '.join(what)}"]
        left, right = _around(self.left, self.right)
        lines += [f"  -  {left}"] if left is not None else ["  -  (nothing)"] if self.field else []
        lines += [f"  +  {right}"] if right is not None else ["  +  (nothing)"] if self.field else []
        lines += [f"  {self.note}"] if self.note else []
        lines += [f"  also in {_listed(self.also)}"] if self.also else []
        return "\n".join(lines)

    __str__ = text

    def to_json(self) -> dict[str, Any]:
        """As plain data, every field always there."""
        return {
            "kind": self.kind,
            "place": self.place,
            "field": self.field,
            "left": self.left,
            "right": self.right,
            "threads": list(self.threads),
            "note": self.note,
            "also": list(self.also),
        }

    def line(self) -> str:
        """The JSON of it on one line, in ASCII."""
        return json.dumps(self.to_json())


def report(findings: Iterable[Finding]) -> Iterator[str]:
    """The lines of a report: a block a finding, an empty line between two."""
    for number, finding in enumerate(findings):
        if number:
            yield ""
        yield from finding.text().split("\n")


def value(of: object) -> str | None:
    """A value fit to be kept in a finding: text as it is, anything else as JSON."""
    if of is ABSENT or of is None:
        return None if of is ABSENT else "null"
    return clip(of if isinstance(of, str) else compact(of), LONGEST, keep_newlines=True)


def _around(left: str | None, right: str | None) -> tuple[str | None, str | None]:
    """Both values on one line each; long ones from shortly before the place where they part."""
    start = 0
    if left is not None and right is not None and max(len(left), len(right)) > SHOWN:
        common = (at for at, (one, other) in enumerate(zip(left, right, strict=False)) if one != other)
        start = max(0, next(common, min(len(left), len(right))) - BEFORE)
    return _line(left, start), _line(right, start)


def _line(text: str | None, start: int) -> str | None:
    if text is None:
        return None
    shown = clip(text[start:], SHOWN)
    return ("…" if start else "") + (shown or '""')


def _listed(places: tuple[str, ...], most: int = 5) -> str:
    more = f" and {len(places) - most:,} more" if len(places) > most else ""
    return "; ".join(safe(place) for place in places[:most]) + more
