"""A take: the replay or the recording of one attempt of one test, as the hooks and the fixture `respool` see it.

This module loads nothing that speaks HTTP; the two kinds of takes are in `replaying` and `recording`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from ...cassettes.reports import Report

UNHEARD = "no call came here: make the client within the test, and let it take its URL from OPENAI_BASE_URL or respool.base_url"
"""The story of a test whose client calls somebody else, or nobody."""


class Tally(NamedTuple):
    """What a take came to so far, in numbers. In a recording all are 0."""

    misses: int
    unplayed: int
    """Recorded writes that were not made and should have been: none where the test allows it."""


class Take(Protocol):
    """One attempt of one test. Used from the tests' thread."""

    @property
    def handle(self) -> "Handle": ...

    def tally(self) -> Tally: ...

    def report(self) -> "Report": ...

    def story(self) -> str:
        """What happened, for the report section of a test that failed. Safe to print."""
        ...

    def close(self, *, keep: bool) -> str:
        """End the session. A recording is published with `keep`, else it leaves nothing; returns what to say about it.

        Raises RespoolError when what should be kept could not be. A second call does nothing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Handle:
    """What the fixture `respool` gives to a test.

    `base_url` is for the client, `session` the name in it, `cassette` the file, `mode` what happens: "replay" or "record".
    """

    base_url: str
    session: str
    cassette: Path
    mode: str
    _take: Take

    def report(self) -> "Report":
        """What was served, missed and not asked for so far. While recording, each call counts as exact."""
        return self._take.report()
