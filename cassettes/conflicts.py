"""A conflict in words: the threads that two branches both changed, what differs in them, and both conversations side by side."""

import re
from collections.abc import Iterator, Sequence

from .amounts import counted
from .columns import row, side_by_side
from .comparison.calls import match_calls
from .comparison.compare import compare
from .comparison.findings import Finding, report
from .comparison.naming import Names
from .comparison.sides import Side
from .reader import Reader
from .show import thread_lines
from .text import clip, safe
from .three_way import Conflict

_TIME = re.compile(r" \d+\.\d s|\d+ polls?, \d+ new")


def findings_of(conflict: Conflict, ours: Reader, theirs: Reader) -> list[Finding]:
    """What differs between both recordings of a thread; nothing where one of them has it no more."""
    if conflict.ours is None or conflict.theirs is None:
        return []
    return compare(ours, theirs, only=[(conflict.ours, conflict.theirs)])


def summary(conflict: Conflict, findings: Sequence[Finding]) -> str:
    """A conflict in one line."""
    if conflict.theirs is None:
        return f"{_name(conflict.ours)} was recorded anew in ours and removed in theirs"
    if conflict.ours is None:
        return f"{_name(conflict.theirs)} was removed in ours and recorded anew in theirs"
    names = conflict.ours, conflict.theirs
    who = _name(names[0]) if names[0] == names[1] else f"{_name(names[0])} (ours) and {_name(names[1])} (theirs)"
    if not findings:
        return f"{who} say the same; either will do"
    return f"{who}: {counted(len(findings), 'difference')}, the first in {findings[0].place}"


def conflict_text(
    name: str, conflicts: Sequence[Conflict], ours: Reader, theirs: Reader, advice: Sequence[str]
) -> Iterator[str]:
    """The lines of the file that tells of conflicts in the cassette `name`. `advice` is what to do about them."""
    yield f"{safe(name)}: {counted(len(conflicts), 'thread')} changed on both sides"
    yield ""
    yield from advice
    sides = Side(ours), Side(theirs)
    match_calls(
        *sides, Names(sides[0].given, sides[1].given)
    )  # what other calls gave, such as an assistant, is known then
    for number, conflict in enumerate(conflicts, 1):
        findings = findings_of(conflict, ours, theirs)
        yield ""
        yield "=" * 80
        yield f"{number} of {len(conflicts)}  {summary(conflict, findings)}"
        yield "=" * 80
        if findings:
            yield ""
            yield "What differs (- ours, + theirs):"
            yield ""
            yield from report(findings)
        yield ""
        yield from row("ours", "theirs")
        yield from row("----", "------")
        yield from _both(conflict, sides)


def _both(conflict: Conflict, sides: tuple[Side, Side]) -> Iterator[str]:
    """Both conversations; ids and times are no difference."""
    scopes = conflict.ours, conflict.theirs
    texts = [
        ["(removed)"] if scope is None else list(thread_lines(side.conversation(scope)))
        for side, scope in zip(sides, scopes, strict=True)
    ]

    def same(side: int, line: str) -> str:
        return _TIME.sub("", sides[side].given.masked(line).decode("utf-8", "replace"))

    yield from side_by_side(*texts, same=same)


def _name(scope: str | None) -> str:
    return clip(scope or "", 100)
