"""What a replay needs of a cassette: rows in order of arrival, by key and by scope, and the interaction of a row.

`reader.Reader` is one, a view of another with other keys is one (`rekeyed`), and tests make them in memory.
"""

from collections.abc import Iterator
from typing import Protocol

from .interaction import Interaction
from .summary import Row


class Recording(Protocol):
    """See above."""

    def rows(self) -> Iterator[Row]: ...
    def rows_of_key(self, key: int) -> list[Row]: ...
    def rows_of_scope_hash(self, scope: int) -> list[Row]: ...
    def scope_name(self, scope: int) -> str: ...
    def interaction(self, row: Row) -> Interaction: ...
