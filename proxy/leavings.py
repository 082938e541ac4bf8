"""What a performance created upstream and is still there: threads, assistants, files and vector stores. It can be deleted."""

import asyncio
from collections.abc import Callable

from ..cassettes.amounts import counted
from ..cassettes.errors import RespoolError
from ..cassettes.ids import LEAST, IdMap, objects
from ..cassettes.interaction import Headers, Interaction, Request
from ..cassettes.operations import split_target
from ..cassettes.renaming import is_id
from ..cassettes.text import clip
from .performer import Caller, Live, Performer
from .upstream import Broken

COLLECTIONS = frozenset({b"threads", b"assistants", b"files", b"vector_stores"})
"""Where things can be created that stay until they are deleted."""
SECONDS = 10.0
"""How long one deletion may take: nobody waits for what is only tidying."""
MOST_NAMED = 20

_ABOUT_A_BODY = frozenset({b"content-type", b"content-encoding"})


class Leavings:
    """Keeps account by the upstream's own ids."""

    def __init__(self, performer: Performer, caller: Caller) -> None:
        self._performer = performer
        self._caller = caller
        self._made: dict[tuple[bytes, str], Headers] = {}

    def __len__(self) -> int:
        return len(self._made)

    def note(self, request: Request, live: Live, ids: IdMap) -> None:
        """Take in a call and its answer."""
        segments = split_target(request.target)[1].split(b"/")[1:]
        if live.status >= 300 or segments[0] not in COLLECTIONS:
            return
        if request.method == "DELETE" and len(segments) == 2:
            self._made.pop((segments[0], ids.to_new(segments[1]).decode("latin-1")), None)
        elif request.method == "POST" and (len(segments) == 1 or segments == [b"threads", b"runs"]):
            made = next(objects(live.body, live.kind), {})
            name = made.get("id") if made.get("object") != "thread.run" else made.get("thread_id")
            if isinstance(name, str) and is_id(name.encode("utf-8", "replace"), least=LEAST):
                lines = tuple(line for line in request.headers if line[0].lower() not in _ABOUT_A_BODY)
                self._made[segments[0], name] = lines

    async def delete(self, narrate: Callable[[str], None]) -> None:
        """Delete all, the last made first. What cannot be deleted is named; nothing is raised."""
        left: list[str] = []
        for (collection, name), headers in reversed(self._made.items()):
            target = b"/%b/%b" % (collection, name.encode())
            try:
                async with asyncio.timeout(SECONDS):
                    call = Interaction(0, 0, Request("DELETE", target, headers), None)
                    gone = (await self._performer.call(call, self._caller)).status in (200, 204, 404)
            except (RespoolError, Broken, TimeoutError):
                gone = False
            if not gone:
                left.append(name)
        self._made.clear()
        if left:
            named = ", ".join(clip(name, 80) for name in left[:MOST_NAMED])
            narrate(f"respool: {counted(len(left), 'thing')} could not be deleted upstream: {named}")
