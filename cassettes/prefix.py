"""A cassette up to a write of one of its threads: what a tail replays, performs again, and keeps.

The thread ends with that write, the reads after it left out; all other threads and collections are whole.
"""

from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .editing import carry
from .errors import UsageError
from .reader import Reader
from .scopes import scope_hash
from .summary import Row
from .text import clip
from .writer import Writer


class Prefix(Reader):
    """A reader that passes over the end of one thread. Whole until `end_at` is called."""

    thread = ""
    last: Row | None = None
    """The write that the thread ends with."""
    total = 0
    """Writes of the thread in the whole cassette."""
    end = 0
    """The number of that write, from 1."""
    _scope = -1
    _end = 0

    def end_at(self, number: int, *, thread: str | None = None) -> None:
        """End a thread (the only one, if none is named) with its write `number`, from 1. Raises UsageError."""
        thread = self._choose(thread)
        writes = [row for row in self.rows_of_scope(thread) if row.summary.writes]
        if not 1 <= number <= len(writes):
            raise UsageError(
                f"{clip(thread, 80)} has {len(writes)} writes in {self.path}, so none has the number {number}",
                f"`respool show {self.path}` lists them",
            )
        self.thread, self.total, self.end, self.last = thread, len(writes), number, writes[number - 1]
        self._scope, self._end = scope_hash(thread), self.last.summary.arrival

    def writes(self) -> list[Row]:
        """The writes of the thread, in order."""
        return [row for row in self.rows_of_scope(self.thread) if row.summary.writes]

    def rows(self) -> Iterator[Row]:
        return (row for row in super().rows() if self._keeps(row))

    def rows_of_key(self, key: int) -> list[Row]:
        return [row for row in super().rows_of_key(key) if self._keeps(row)]

    def rows_of_scope_hash(self, scope: int) -> list[Row]:
        rows = super().rows_of_scope_hash(scope)
        return rows[: bisect_right(rows, self._end, key=_arrival)] if scope == self._scope else rows

    def copy_to(self, path: Path, *, meta: dict[str, Any], overwrite: bool, durable: bool = False) -> Writer:
        """Begin a cassette with all that is kept, as it is. Its id stays, since stored variants are salted with it."""
        meta = {**self.meta, **meta}
        new = Writer.create(path, meta=meta, overwrite=overwrite, durable=durable, file_id=self.file_id)
        writer = carry(new, [self])
        try:
            for row in self.rows():
                writer.append(self.interaction(row), row.summary, wait=False)
            if durable:
                writer.sync()
        except BaseException:
            writer.discard()
            raise
        return writer

    def _keeps(self, row: Row) -> bool:
        return row.summary.scope != self._scope or row.summary.arrival <= self._end

    def _choose(self, thread: str | None) -> str:
        written = {row.summary.scope for row in self.rows() if row.summary.writes}
        threads = [name for name in self.scopes() if not name.startswith("/") and scope_hash(name) in written]
        if thread is None and len(threads) == 1:
            return threads[0]
        some = ", ".join(clip(name, 80) for name in threads[:5]) + (", ..." if len(threads) > 5 else "")
        if thread is None:
            what = f"{self.path} holds {len(threads)} threads" if threads else f"{self.path} holds no write of a thread"
            raise UsageError(what, f"name one with --thread: {some}" if threads else "")
        if thread not in threads:
            raise UsageError(
                f"{self.path} holds no write of a thread {clip(thread, 80)}", f"it holds {some}" if some else ""
            )
        return thread


def _arrival(row: Row) -> int:
    return row.summary.arrival
