"""Calls held back before they go upstream, for a person to look at, edit, release or drop.

A filter says which. A held call goes on by itself after a time, and at once when the filter is taken off, so that nothing
waits for somebody who has left. What was done is kept with the call, as `intercepted`. While no filter is set none of this is
touched.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from ..cassettes.errors import UpstreamError, UsageError
from ..cassettes.filters import Filter, FilterError, parse
from ..cassettes.interaction import Body, Interaction, Request
from ..cassettes.redaction import redact_request
from ..cassettes.scopes import scope_of
from ..cassettes.secrets.cleaning import Cleaning
from ..cassettes.secrets.telling import PUT_IN
from ..cassettes.summaries import summarise
from ..cassettes.summary import Row
from . import wire
from .control.calls import Running, clipped, shown_name
from .control.log import EventLog
from .incoming import body_pieces, is_here
from .upstream import Connection, Exchange, Upstream
from .ways import Detour, Way

SECONDS = 30.0
MOST_SECONDS = 3600.0
MOST_BODY = 4 << 20
"""Bytes of a request that can be held; a larger one, or one of unknown length, goes by."""
MOST_HELD = 100
"""Calls held at once; those beyond go by."""


class Dropped(UpstreamError):
    """A person dropped the call: it never went upstream, and is not to be tried again."""

    retry = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done: `released`, `dropped`, or `let go` by the time or the end of the filter.

    `target` and `body` go upstream in the place of what came; None leaves it.
    """

    what: str
    target: bytes | None = None
    body: bytes | None = None

    @property
    def word(self) -> str:
        return "edited" if self.target is not None or self.body is not None else self.what


@dataclass(slots=True, eq=False)
class Held:
    """A call that waits. `request` is redacted."""

    call: Running
    request: Request
    since: float
    until: float
    done: "asyncio.Future[Decision]" = field(repr=False)
    cleaning: Cleaning = field(repr=False)

    def told(self) -> dict[str, Any]:
        return {
            "number": self.call.number,
            "session": shown_name(self.call.session, cleaning=self.cleaning),
            "method": clipped(self.request.method, 40),
            "target": clipped(self.request.target.decode("utf-8", "backslashreplace"), 2000),
            "seconds": max(self.until - time.monotonic(), 0.0),
        }


class Interception:
    """Holds the calls that a filter fits. Raises FilterError and UsageError."""

    def __init__(self, text: str, seconds: float, log: EventLog) -> None:
        if not 0 < seconds <= MOST_SECONDS:
            raise UsageError(f"a call is held for 0 to {MOST_SECONDS:.0f} seconds")
        self.text = text
        self.seconds = seconds
        self._expression = parse(text) if text.strip() else None
        self._log = log
        self.held: dict[int, Held] = {}

    def may_hold(self, request: web.BaseRequest) -> bool:
        """Whether a request is small enough to be held, by what its head says."""
        if len(self.held) >= MOST_HELD:
            return False
        length = wire.header_value(request.raw_headers, b"content-length")
        if length is None:
            return is_here(request) and wire.header_value(request.raw_headers, b"transfer-encoding") is None
        return length.isdigit() and len(length) < 10 and int(length) <= MOST_BODY

    async def decide(
        self, call: Running, request: web.BaseRequest, target: bytes, body: bytes, cleaning: Cleaning
    ) -> Decision | None:
        """Hold a call if the filter fits; None where it does not. Cancelled when its client leaves."""
        asked = redact_request(Request(request.method, target, request.raw_headers, Body.of(body)), cleaning=cleaning)
        interaction = Interaction(call.number, call.started_us, asked, None, scope=scope_of(asked, None))
        row = Row(summarise(interaction), 0)
        if not Filter(self._expression, _One(row, interaction))(row):
            return None
        now = time.monotonic()
        held = Held(call, asked, now, now + self.seconds, asyncio.get_running_loop().create_future(), cleaning)
        self.held[call.number] = held
        self._log.tell("call-held", held.told)
        decision = Decision("let go")
        try:
            async with asyncio.timeout(self.seconds):
                decision = await held.done
        except TimeoutError:
            pass
        finally:
            del self.held[call.number]
            call.noted = f"held {time.monotonic() - now:.1f} s, {decision.word}"
            self._log.tell("call-let-go", lambda: {"number": call.number, "noted": call.noted})
        return decision

    def end(self, number: int, decision: Decision) -> bool:
        """Decide on a held call; False where it is not held any more. Raises UsageError for an edit that cannot be sent."""
        held = self.held.get(number)
        if held is None or held.done.done():
            return False
        target, body = decision.target, decision.body
        if target is not None and not _is_target(target):
            raise UsageError("the target of an edited call is a path in ASCII, that begins with /")
        if any(PUT_IN.search(text or b"") for text in (target, body)):
            raise UsageError("a placeholder stands for what was taken out: it would be sent as it is")
        held.done.set_result(decision)
        return True

    def stop(self) -> None:
        """Let all go."""
        for held in list(self.held.values()):
            if not held.done.done():
                held.done.set_result(Decision("let go"))


def interception_of(said: Mapping[str, Any], log: EventLog) -> Interception:
    """What a client of the control API asks for. Raises UsageError."""
    text, seconds = said.get("filter", ""), said.get("seconds", SECONDS)
    if not isinstance(text, str) or isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise UsageError("`filter` is text, `seconds` a number")
    try:
        return Interception(text, float(seconds), log)
    except FilterError as error:
        raise UsageError(error.message, "\n".join(error.lines)) from None


def decision_of(what: str, said: Mapping[str, Any]) -> Decision:
    """A decision as a client of the control API says it. Raises UsageError."""
    edits: list[bytes | None] = []
    for name in ("target", "body"):
        value = said.get(name)
        if value is not None and not isinstance(value, str):
            raise UsageError(f"`{name}` is text")
        edits.append(value.encode("utf-8", "surrogatepass") if value is not None else None)
    return Decision(what, *edits) if what == "released" else Decision(what)


class EditedWay(Detour):
    """The way of a call whose target or body a person changed: what the client sent is known whole, and sent otherwise.

    A dropped call has no way: `exchange` raises Dropped.
    """

    def __init__(self, upstream: Way, decision: Decision, body: bytes) -> None:
        super().__init__(upstream)
        self._decision = decision
        self._body = decision.body if decision.body is not None else body

    async def exchange(self, method: str) -> Exchange:
        if self._decision.what == "dropped":
            raise Dropped("a person dropped this call on its way, at the control API")
        if not isinstance(self._upstream, Upstream):
            raise UpstreamError("a call that is translated on its way cannot be edited too")

        def make(upstream: Upstream, connection: Connection, method: str) -> Exchange:
            return _EditedExchange(upstream, connection, method, self._decision.target, self._body)

        return await self._upstream.exchange(method, make=make)


class _EditedExchange(Exchange):
    def __init__(
        self, upstream: Upstream, connection: Connection, method: str, target: bytes | None, body: bytes
    ) -> None:
        super().__init__(upstream, connection, method)
        self._target = target
        self._asked = body

    async def send(self, data: bytes, *, last: bool) -> None:
        """Take the head of the request from `data`; the body is the one that is known."""
        first, *lines = data.partition(b"\r\n\r\n")[0].split(b"\r\n")
        method, target, version = first.split(b" ")
        headers = [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]
        headers = [line for line in headers if line[0].lower() not in {b"content-length", b"transfer-encoding"}]
        if self._asked or method not in {b"GET", b"HEAD", b"OPTIONS"}:
            headers.append((b"Content-Length", b"%d" % len(self._asked)))
        head = wire.write_head(b" ".join((method, self._target or target, version)), headers)
        await super().send(head + self._asked, last=True)


class _One:
    """A recording of one request that has no answer yet, for a filter to look at."""

    path = Path("held")
    meta: Mapping[str, object] = {}
    sealed = True

    def __init__(self, row: Row, interaction: Interaction) -> None:
        self._row = row
        self._interaction = interaction

    def __len__(self) -> int:
        return 1

    def rows(self) -> Iterator[Row]:
        return iter([self._row])

    def rows_of_scope(self, name: str) -> list[Row]:
        return [self._row] if name == self._interaction.scope else []

    def scopes(self) -> list[str]:
        return [self._interaction.scope]

    def scope_name(self, scope: int) -> str:
        return self._interaction.scope

    def interaction(self, row: Row) -> Interaction:
        return self._interaction


async def whole_body(request: web.BaseRequest) -> bytes:
    """The body of a request that may be held. Raises ClientFault."""
    return b"".join([piece async for piece in body_pieces(request)])


def _is_target(target: bytes) -> bool:
    return target.startswith(b"/") and all(0x21 <= byte < 0x7F for byte in target) and len(target) <= 8000
