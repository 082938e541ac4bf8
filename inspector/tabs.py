"""The panels below the waterfall, by their numbers, and the line that names them. Pure: a width in, text out."""

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple


class Tab(IntEnum):
    """A panel; its value is the key that shows it."""

    MESSAGES = 3
    TOOLS = 4
    RAW = 5
    DIFF = 6
    SECRETS = 7
    LOG = 8
    MISS = 9


NAMES = {tab: tab.name.capitalize() for tab in Tab}
_SHORT = NAMES | {Tab.MESSAGES: "Msgs", Tab.TOOLS: "Tool", Tab.SECRETS: "Sec"}
_TIERS: tuple[Mapping[Tab, str], ...] = (
    NAMES,
    _SHORT,
    {tab: name[:3] for tab, name in _SHORT.items()},
    dict.fromkeys(Tab, ""),
)
"""What the panels are called, the longest names first; the one that is shown keeps its own."""
_GAP = 1


class Label(NamedTuple):
    """A panel's name and the cells that it stands in."""

    tab: Tab
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def labels(current: Tab, width: int) -> list[Label]:
    """The names in `width` cells: whole where they fit, else all but the current one shorter, else by number alone."""
    tiers = (_labels(current, names) for names in _TIERS)
    return next((found for found in tiers if found[-1].end <= width), None) or _labels(current, _TIERS[-1])


def _labels(current: Tab, names: Mapping[Tab, str]) -> list[Label]:
    found: list[Label] = []
    at = 0
    for tab in Tab:
        if tab is Tab.MISS and current is not tab:
            continue  # few have one, and a row that is a miss says which key shows it
        name = NAMES[tab] if tab is current else names[tab]
        text = f"[{tab.value}] {name}" if tab is current or names is NAMES else f"{tab.value} {name}".rstrip()
        found.append(Label(tab, text, at))
        at += len(text) + _GAP
    return found


def at(cell: int, current: Tab, width: int) -> Tab | None:
    """The panel whose name stands in this cell."""
    return next((label.tab for label in labels(current, width) if label.start <= cell < label.end), None)
