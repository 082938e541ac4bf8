"""Where a call can go: an upstream, or a detour that speaks to one in other words (edited, or of the other version)."""

from typing import Protocol

from .upstream import Exchange, Origin


class Way(Protocol):
    """Where a call goes: an upstream, or one that is spoken to in other words."""

    @property
    def origin(self) -> Origin: ...

    @property
    def host(self) -> bytes: ...

    async def exchange(self, method: str) -> Exchange: ...


class Detour:
    """The origin of a way on which an upstream is spoken to in other words."""

    def __init__(self, upstream: Way) -> None:
        self._upstream = upstream

    @property
    def origin(self) -> Origin:
        return self._upstream.origin

    @property
    def host(self) -> bytes:
        return self._upstream.host
