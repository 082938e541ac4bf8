"""What a comparison with a live upstream found, where, and how it is told: as text that is stable, or as JSON lines.

One and the same difference in many answers (a field that is gone from every run) is one finding, told where it was met first
and counted. Everything foreign in it is safe to be shown.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from ..text import clip, safe
from .shapes import Unlike

MOST = 1_000
"""Findings that are kept; further ones are counted only."""


@dataclass(slots=True)
class Finding:
    """A difference. `number` is the write of the scope that was performed last, `call` what was answered; `answers` counts."""

    what: str
    scope: str
    number: int
    call: str
    path: str
    recorded: str
    upstream: str
    arrival: int
    answers: int = 1

    def __str__(self) -> str:
        where = f"{clip(self.scope, 80)}, {f'write {self.number}' if self.number else 'before any write'}"
        path = f" {self.path}" if self.path else ""
        times = f" (in {self.answers:,} answers)" if self.answers > 1 else ""
        told = f"recorded {self.recorded}, upstream {self.upstream}"
        return safe(f"{where}, {clip(self.call, 120)}: {self.what}{path}: {told}{times}")

    def to_json(self) -> str:
        """One line of JSON, its fields always the same and in this order."""
        fields = {
            "what": self.what,
            "scope": clip(self.scope, 128),
            "write": self.number,
            "call": clip(self.call, 120),
            "path": self.path,
            "recorded": self.recorded,
            "upstream": self.upstream,
            "answers": self.answers,
            "arrival": self.arrival,
        }
        return json.dumps(fields)


class Findings:
    """Findings in the order in which they were met."""

    def __init__(self) -> None:
        self.left_out = 0
        self._found: dict[tuple[str, ...], Finding] = {}

    def __len__(self) -> int:
        return len(self._found) + self.left_out

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found.values())

    def add(self, unlike: Unlike, *, scope: str, number: int, call: str, arrival: int) -> None:
        """Take in a difference, or count it where it is known."""
        what, path, recorded, upstream, cause = unlike
        key = cause or (what, scope, str(number), call, path, recorded, upstream)
        if (known := self._found.get(key)) is not None:
            known.answers += 1
        elif len(self._found) >= MOST:
            self.left_out += 1
        else:
            self._found[key] = Finding(what, scope, number, call, path, recorded, upstream, arrival)
