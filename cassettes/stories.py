"""A miss in words: one paragraph, a story of several lines, the API's own error body, an exception.

What a miss holds is safe to print and short (see `misses`, which finds it); here it is only put into words.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from .advice import Setting
from .amounts import counted
from .differences import Difference
from .errors import RespoolError
from .operations import name_of
from .summary import Row

MOST_FIELDS = 6
"""Fields that differ that are shown; the rest is counted."""
MOST_TOLD = 20
"""Misses that an exception tells; the rest it counts."""

Reason = Literal["never", "spent", "other-caller", "later", "differs"]
"""Nothing like it was recorded; recorded, but each use is spent; recorded, and what is left was another credential's or
version's; recorded later only, and the replay is strict; recorded with a field that differs."""


class Near(NamedTuple):
    """A recorded request near the one asked: where it stands, and what differs (nothing: it is the same request)."""

    row: Row
    place: str
    differences: tuple[Difference, ...]

    @property
    def weight(self) -> tuple[int, int]:
        """How far it is: fields that say what is asked, then all fields."""
        return sum(1 for difference in self.differences if not difference.rule), len(self.differences)

    def to_json(self) -> dict[str, Any]:
        """As plain data, with the first fields that differ and the number of all."""
        shown = self.differences[:MOST_FIELDS]
        return {
            "place": self.place,
            "operation": name_of(self.row.summary.operation),
            "difference_count": len(self.differences),
            "differences": [
                {"field": each.field, "recorded": each.recorded, "asked": each.asked}
                | ({"note": each.note} if each.note else {})
                for each in shown
            ],
        }


@dataclass(frozen=True, slots=True)
class Miss:
    """A request that no recording answers.

    `asked` is the call and `place` where in the conversation it came; `why` is a sentence without its end; `hint` says what
    to do, and `setting` what to paste, where a setting helps. `skipped`: writes of the thread that were passed over.
    """

    reason: Reason
    asked: str
    place: str
    why: str
    hint: str
    nearest: tuple[Near, ...] = ()
    setting: Setting | None = None
    skipped: str = ""
    sent: str = ""
    """The path as the client sent it, where late binding wrote its ids over."""

    @property
    def param(self) -> str | None:
        """The first field in which the nearest recorded request differs."""
        fields = self.nearest[0].differences if self.nearest else ()
        return fields[0].field if fields else None

    @property
    def message(self) -> str:
        """What was asked and why nothing answers, in one paragraph."""
        sent = f", sent as {self.sent}" if self.sent else ""
        opening = f"No recording answers {self.asked}{sent}, {self.place}"
        skipped = f" This session has passed over {self.skipped}." if self.skipped else ""
        if self.reason != "differs":
            return f"{opening}: {self.why}.{skipped}"
        fields = self.nearest[0].differences
        shown = "; ".join(str(difference) for difference in fields[:MOST_FIELDS]) or "none that is shown"
        others = ", ".join(f"{near.place} ({_far(near)})" for near in self.nearest[1:])
        also = f" Also near: {others}." if others else ""
        why = self.why[:1].upper() + self.why[1:]
        return f"{opening}. {why}: {shown}{_more(len(fields), '; and ')}.{also}{skipped}"

    @property
    def paragraph(self) -> str:
        """`message`, what to do, and the setting."""
        setting = f" {self.setting.options}" if self.setting else ""
        return f"{self.message} {self.hint}{setting}".strip()

    def text(self) -> str:
        """The miss as a story of several lines, for a terminal or a test's report."""
        lines = [f"No recording answers {self.asked}"]
        if self.sent:
            lines.append(f"  sent as  {self.sent}   (its ids stand for those that were recorded: late binding)")
        lines += [f"  where    {self.place}", f"  why      {self.why}"]
        if self.reason in ("differs", "other-caller"):
            fields = self.nearest[0].differences
            for each in fields[:MOST_FIELDS]:
                lines.append(f"    {each.field}" + (f"   ({each.note})" if each.note else ""))
                lines.append(f"      recorded  {'nothing' if each.recorded is None else each.recorded}")
                lines.append(f"      asked     {'nothing' if each.asked is None else each.asked}")
                lines += _pointer(each)
            if len(fields) > MOST_FIELDS:
                lines.append(f"    {_more(len(fields), 'and ')}")
        if self.reason == "differs":
            lines += [f"  near     {near.place} ({_far(near)})" for near in self.nearest[1:]]
        if self.skipped:
            lines.append(f"  skipped  {self.skipped}")
        lines.append(f"  hint     {self.hint}")
        if self.setting:
            lines.append(f"  setting  {self.setting.options}")
            lines.append(f"           or in pyproject.toml, under [tool.respool]:  {self.setting.toml}")
        return "\n".join(lines)

    __str__ = text

    def to_json(self) -> bytes:
        """An error body in the API's own shape, so that a client library shows the message; `respool` holds the parts."""
        setting = self.setting
        parts = {
            "reason": self.reason,
            "asked": self.asked,
            "sent": self.sent or None,
            "place": self.place,
            "nearest": [near.to_json() for near in self.nearest],
            "skipped": self.skipped or None,
            "hint": self.hint,
            "setting": setting and {"ignore": setting.ignore, "options": setting.options, "toml": setting.toml},
        }
        error = {
            "message": self.paragraph,
            "type": "respool_miss",
            "param": self.param,
            "code": "respool_miss",
            "respool": parts,
        }
        return json.dumps({"error": error}, indent=2).encode("ascii")


class MissError(RespoolError):
    """Requests that no recording answered, each with its story. Exit status 1."""

    exit_status: ClassVar[int] = 1

    def __init__(self, misses: Iterable[Miss], *, count: int | None = None) -> None:
        """`count`: how many there were, where `misses` holds only the latest."""
        self.misses = tuple(misses)
        self.count = len(self.misses) if count is None else count
        told = [miss.text() for miss in self.misses[:MOST_TOLD]]
        if self.count > len(told):
            told.append(f"and {counted(self.count - len(told), 'more miss', 'more misses')}")
        super().__init__("\n\n".join(told))


def _more(count: int, mark: str) -> str:
    return f"{mark}{count - MOST_FIELDS:,} more" if count > MOST_FIELDS else ""


def _far(near: Near) -> str:
    """How far a request is; what differs only in its path is the same request in another thread."""
    if near.differences and all(difference.field.startswith("path:") for difference in near.differences):
        return "the same but for its path"
    return counted(len(near.differences), "field")


def _pointer(difference: Difference) -> list[str]:
    """A mark below the place where two long values part; none where a wide character may stand before it."""
    left, right = difference.recorded, difference.asked
    if left is None or right is None or min(len(left), len(right)) < 24:
        return []
    at = next((at for at, (one, other) in enumerate(zip(left, right, strict=False)) if one != other), None)
    if at is None or not left[:at].removeprefix("…").isascii():
        return []
    return [" " * (16 + at) + "^"]
