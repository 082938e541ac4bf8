"""Calls kept in memory for whoever looks on: of a proxy that records nothing, and of requests that no recording answers.

What a `Passage` needs of a cassette's writer, without a file. The oldest calls go when there are too many or too much.
"""

import os
import time
from collections import OrderedDict
from dataclasses import replace

from ...cassettes.errors import CassetteError
from ...cassettes.interaction import BlobRef, Body, Interaction, Request, Response
from ...cassettes.records import digest_of
from ...cassettes.scopes import scope_hash, scope_of
from ...cassettes.summary import Row, Summary

MOST_CALLS = 10_000
MOST_BYTES = 32 << 20
MOST_ASKED = 256 << 10
"""Bytes of a body that no recording answers."""
_HEADERS = ((b"Content-Type", b"application/json"), (b"X-Should-Retry", b"false"))
_ROOM = 1024
"""Bytes that a call takes beside its bodies, about."""


class Memory:
    """The latest calls. A row's offset is the number by which its call is kept here."""

    durable = False

    def __init__(
        self, meta: dict[str, object] | None = None, *, most: int = MOST_CALLS, most_bytes: int = MOST_BYTES
    ) -> None:
        """`meta`: notes as a cassette has them, by which rules calls are redacted say."""
        self.meta = meta or {}
        self.file_id = os.urandom(16)
        self.count = 0
        self._most = most
        self._most_bytes = most_bytes
        self._kept: OrderedDict[int, tuple[Interaction, int]] = OrderedDict()
        self._pieces: OrderedDict[bytes, bytes] = OrderedDict()
        self._size = self._pieces_size = 0
        self._arrivals = 0

    def next_arrival(self) -> int:
        self._arrivals += 1
        return self._arrivals - 1

    def put(self, data: bytes | memoryview) -> BlobRef:
        """Keep a piece of a large body, for as long as there is room."""
        digest = digest_of(data)
        if digest not in self._pieces:
            self._pieces[digest] = bytes(data)
            self._pieces_size += len(data)
            while self._pieces_size > self._most_bytes and len(self._pieces) > 1:
                self._pieces_size -= len(self._pieces.popitem(last=False)[1])
        return BlobRef(digest, len(data))

    def load(self, ref: BlobRef) -> bytes:
        """Raises CassetteError for a piece that is gone."""
        data = self._pieces.get(ref.digest)
        if data is None:
            raise CassetteError("a part of this call is no longer in the proxy's memory")
        return data

    def append(self, interaction: Interaction, summary: Summary, *, wait: bool = True) -> Row:
        del wait  # there is no disk
        size = _ROOM + _held(interaction)
        row = Row(summary, self.count)
        self._kept[self.count] = interaction, size
        self.count += 1
        self._size += size
        while len(self._kept) > self._most or (self._size > self._most_bytes and len(self._kept) > 1):
            self._size -= self._kept.popitem(last=False)[1][1]
        return row

    def sync(self) -> None:
        """There is no disk."""

    def interaction(self, row: Row) -> Interaction:
        """Raises CassetteError for a call that is gone."""
        kept = self._kept.get(row.offset)
        if kept is None:
            raise CassetteError("this call is no longer in the proxy's memory")
        return kept[0]

    def scope_name(self, scope: int) -> str:
        """The name of a scope among the latest calls; for tests and exports, so no index is kept."""
        return next((each.scope for each, _ in self._kept.values() if scope_hash(each.scope) == scope), "")


def missed(request: Request, said: bytes, session: str, *, status: int = 502) -> Interaction:
    """A (redacted) request that no recording answers, and what its client is told."""
    return made(request, Response(status, b"", _HEADERS, Body.of(said)), session)


def made(request: Request, response: Response, session: str, *, fault: str = "") -> Interaction:
    """A (redacted) request with an answer that was not recorded; `fault`: by which rules it was made."""
    if request.body.length > MOST_ASKED:
        request = replace(request, body=Body.of(request.body.read()[:MOST_ASKED]))
    started = time.time_ns() // 1000
    extra: dict[str, object] = {"fault": fault} if fault else {}
    return Interaction(0, started, request, response, scope=scope_of(request, None), session=session, extra=extra)


def _held(interaction: Interaction) -> int:
    """Bytes of the bodies that are at hand."""
    bodies = [interaction.request.body] + ([interaction.response.body] if interaction.response is not None else [])
    return sum(len(part) for body in bodies for part in body.parts if isinstance(part, bytes))
