"""A recording that is read for as long as somebody wants to know: what takes seconds is given up when the user has gone on.

Between two calls is where reading stops; what asked for it takes `Abandoned` for no answer.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..cassettes.interaction import Interaction
from ..cassettes.summary import Row

if TYPE_CHECKING:
    from ..cassettes.conversation import (
        Recorded,  # comes with the first story, and the first screen must not wait for it
    )


class Abandoned(Exception):
    """Nobody wants to know any more."""


class Watched:
    """A recording that stops answering when nobody wants to know any more."""

    def __init__(self, recording: "Recorded", wanted: Callable[[], bool]) -> None:
        self._recording = recording
        self._wanted = wanted

    @property
    def path(self) -> Path:
        return self._recording.path

    @property
    def meta(self) -> Mapping[str, object]:
        return self._recording.meta

    @property
    def sealed(self) -> bool:
        return self._recording.sealed

    def __len__(self) -> int:
        return len(self._recording)

    def rows(self) -> Iterator[Row]:
        return self._recording.rows()

    def rows_of_scope(self, name: str) -> list[Row]:
        return self._recording.rows_of_scope(name)

    def scopes(self) -> list[str]:
        return self._recording.scopes()

    def scope_name(self, scope: int) -> str:
        return self._recording.scope_name(scope)

    def interaction(self, row: Row) -> Interaction:
        if not self._wanted():
            raise Abandoned
        return self._recording.interaction(row)
