"""Which cassettes no test names: told at the end of a run of the whole suite.

A cassette counts as used when a collected test names it, so a skipped test keeps its cassette. Under pytest-xdist each
worker collects everything and sends what it found to the controller, which tells it once.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .names import SUFFIX

MOST_FILES = 100_000
"""Files that are looked at; whoever has more cassettes will not read the list."""


@dataclass(slots=True)
class Usage:
    """What the collection of one process, or of all workers together, found. `whole`: nothing was left out."""

    named: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    whole: bool = True

    def to_json(self) -> dict[str, Any]:
        """Plain data for the controller of pytest-xdist."""
        return {"named": sorted(self.named), "folders": sorted(self.folders), "whole": self.whole}

    def add(self, sent: dict[str, Any]) -> None:
        """Take in what a worker sent."""
        self.named |= set(sent["named"])
        self.folders |= set(sent["folders"])
        self.whole = self.whole and sent["whole"]

    def unused(self) -> list[Path]:
        """The cassettes in the folders that no test names, sorted."""
        return sorted(path for path in _cassettes(self.folders) if str(path) not in self.named)


def _cassettes(folders: Iterable[str]) -> set[Path]:
    found: set[Path] = set()
    seen = 0
    for folder in folders:
        for place, _, names in os.walk(folder):
            seen += len(names)
            found |= {Path(place, name) for name in names if name.endswith(SUFFIX)}
            if seen > MOST_FILES:
                return found
    return found
