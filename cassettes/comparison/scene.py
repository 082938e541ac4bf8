"""What a comparison has at hand while it goes through the conversations: names, tolerance, and the findings so far."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from ..amounts import counted
from .findings import Finding, Kind, value
from .naming import Names
from .narrowing import ABSENT, narrowed

MOST_FINDINGS = 10_000
"""Findings that are kept."""


class Tolerance(NamedTuple):
    """How much longer or shorter something may take: a share of the longer time, or microseconds."""

    share: float | None = None
    us: int | None = None

    def exceeded(self, left_us: int, right_us: int) -> bool:
        apart = abs(left_us - right_us)
        return apart > (self.us or 0) if self.share is None else apart > self.share * max(left_us, right_us)


@dataclass
class Scene:
    """`threads` are the ids of the pair that is looked at."""

    names: Names
    tolerance: Tolerance | None = None
    threads: tuple[str, str] = ("", "")
    findings: list[Finding] = field(default_factory=list)
    told: set[int] = field(default_factory=set)
    """Places in `findings` of what only answers told: it may follow from something that is found elsewhere."""
    more: int = 0
    """Findings beyond those that are kept."""

    def add(self, kind: Kind, place: str, what: str, left: Any = ABSENT, right: Any = ABSENT) -> int:
        """Add a finding; returns its number."""
        if len(self.findings) >= MOST_FINDINGS:
            self.more += 1
            return -1
        self.findings.append(Finding(kind, place, what, value(left), value(right), self.threads))
        return len(self.findings) - 1

    def compare(self, place: str, what: str, left: Any, right: Any, *, loose: bool = False) -> bool:
        """Add a finding where two values differ; says whether they do."""
        gap = narrowed(left, right, self.names.same, loose=loose)
        if gap is None:
            return False
        self.add("order" if gap.order else "changed", place, (what + gap.path).lstrip("."), gap.left, gap.right)
        return True

    def follow(self, number: int, what: Iterable[str]) -> None:
        """Say in the note of a finding what else only one side has because of it."""
        told = list(what)
        if told and number >= 0:
            kinds = {kind: told.count(kind) for kind in dict.fromkeys(told)}
            note = "so only one has " + ", ".join(f"its {counted(times, kind)}" for kind, times in kinds.items())
            self.findings[number] = replace(self.findings[number], note=note)

    def joined(self) -> list[Finding]:
        """The findings, those that only answers told put to the first one that says the same."""
        keys = [(finding.field.removeprefix("answer."), finding.left, finding.right) for finding in self.findings]
        first: dict[tuple[str, str | None, str | None], int] = {}
        for number, key in enumerate(keys):
            if number not in self.told:
                first.setdefault(key, number)
        also: dict[int, list[str]] = {}
        for number in sorted(self.told):
            cause = first.setdefault(keys[number], number)
            if cause != number:
                also.setdefault(cause, []).append(self.findings[number].place)
        gone = {number for number in self.told if first[keys[number]] != number}
        return [
            replace(finding, also=tuple(also[number])) if number in also else finding
            for number, finding in enumerate(self.findings)
            if number not in gone
        ]
