"""Some calls of an open cassette, seen as a recording of their own: for exports and comparisons of a part.

Nothing is copied; what is read is read from the cassette itself, which stays open as long as the part is used.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from .conversation import Recorded
from .interaction import Interaction
from .scopes import scope_hash
from .summary import Row


class Extract:
    """The calls of `scope`; with `arrivals` those of them with these numbers alone. It can be exported and compared."""

    def __init__(self, source: Recorded, scope: str, arrivals: Collection[int] | None = None) -> None:
        self._source = source
        self._scope = scope
        wanted = None if arrivals is None else frozenset(arrivals)
        self._rows = [row for row in source.rows_of_scope(scope) if wanted is None or row.summary.arrival in wanted]

    @property
    def path(self) -> Path:
        return self._source.path

    @property
    def file_id(self) -> bytes:
        return getattr(self._source, "file_id", b"")

    @property
    def meta(self) -> Mapping[str, object]:
        return self._source.meta

    @property
    def sealed(self) -> bool:
        return self._source.sealed

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self) -> Iterator[Row]:
        return iter(self._rows)

    def rows_of_scope(self, name: str) -> list[Row]:
        return list(self._rows) if name == self._scope else []

    def scopes(self) -> list[str]:
        return [self._scope] if self._rows else []

    def scope_name(self, scope: int) -> str:
        return self._scope if scope == scope_hash(self._scope) else ""

    def interaction(self, row: Row) -> Interaction:
        return self._source.interaction(row)
