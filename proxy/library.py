"""Many cassettes behind one data port: each session name leads to the mode that answers its calls.

A session is opened by whoever runs the server (a test fixture), or found by a `Resolver` (a folder of cassettes).
What the modes do is none of this module's business.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from aiohttp import web

from ..cassettes.errors import DamagedCassetteError, RespoolError, UpstreamError
from ..cassettes.folder import NoCassetteError
from ..cassettes.interaction import Request
from ..cassettes.misses import shown_request
from ..cassettes.redaction import scrub_text, secrets_of
from ..cassettes.rules import NO_RULES
from ..cassettes.secrets.cleaning import DEFAULT, Cleaning
from .answer import Answer, error_answer, error_body
from .control.calls import shown_name
from .control.hub import Hub
from .control.memory import missed
from .health import Health, Living
from .incoming import is_here
from .server import Mode


class Place(NamedTuple):
    """Where a call leads: the mode, the session's whole name, and the target without what belongs to the name."""

    mode: Mode
    session: str
    target: bytes


class Resolver(Protocol):
    """Finds the modes of sessions that were not opened, and stops them."""

    async def find(self, session: str, target: bytes) -> Place:
        """Where a call leads. Raises RespoolError where that is nowhere."""
        ...

    def health(self) -> Health: ...

    async def stop(self, timeout: float) -> None: ...


class Library:
    """A `Mode` made of others, one for each session name; several names may lead to the same one."""

    def __init__(
        self,
        *,
        resolver: Resolver | None = None,
        narrate: Callable[[str], None],
        hub: Hub | None = None,
        cleaning: Cleaning = DEFAULT,
    ) -> None:
        """`cleaning`: what a call that leads nowhere is told by."""
        self._hub = hub
        self._cleaning = cleaning
        self._resolver = resolver
        self._narrate = narrate
        self._modes: dict[str, Mode] = {}
        self.calls = 0
        self.unknown = 0
        """Calls of sessions that lead nowhere."""
        self.exit_status = 0
        """The worst of them: 1 for a name without a cassette, else what the error says."""

    def open(self, name: str, mode: Mode) -> None:
        """Let calls of the session `name` be answered by `mode`. Raises ValueError when the name is taken."""
        if name in self._modes:
            raise ValueError(f"the session {name} is open already")
        self._modes[name] = mode

    def close(self, name: str) -> Mode | None:
        """Answer no more calls of this session; returns its mode, which is not stopped."""
        return self._modes.pop(name, None)

    def health(self) -> Health:
        modes = list({id(mode): mode for mode in self._modes.values()}.values())
        told = [mode.health() for mode in (*modes, self._resolver) if isinstance(mode, Living)]
        return Health(
            cassettes=sum(health.cassettes for health in told),
            sessions=sum(health.sessions for health in told),
            failed=any(health.failed for health in told),
        )

    async def handle(self, request: web.BaseRequest, session: str, target: bytes) -> Answer:
        self.calls += 1
        mode = self._modes.get(session)
        if mode is None:
            try:
                mode, session, target = await self._find(session, target)
            except RespoolError as error:
                self.unknown += 1
                status = 1 if isinstance(error, NoCassetteError) else error.exit_status
                self.exit_status = max(self.exit_status, status)
                message = f"{error.message}. {error.hint}" if error.hint else error.message
                asked = Request(request.method, target, request.raw_headers)
                named = shown_name(session, secrets_of(asked), cleaning=self._cleaning)
                self._narrate(f"respool: session {named}: {message}")
                status, code = next(row[1:] for row in _REFUSALS if isinstance(error, row[0]))
                self._tell(asked, session, named, status, message, code)
                return error_answer(status, message, code, keep_alive=is_here(request))
        return await mode.handle(request, session, target)

    def _tell(self, asked: Request, session: str, named: str, status: int, message: str, code: str) -> None:
        """Tell who looks on of a call that leads nowhere, without its body."""
        if self._hub is not None:
            why = scrub_text(message, secrets_of(asked), self._cleaning)
            answered = missed(shown_request(asked, NO_RULES), error_body(why, code), named, status=status)
            self._hub.missed(session, answered, lambda: why)

    async def stop(self, timeout: float) -> None:
        """Stop every mode once. A mode that was closed before is its closer's to stop."""
        modes = list({id(mode): mode for mode in self._modes.values()}.values())
        self._modes.clear()
        for mode in modes:
            await mode.stop(timeout)
        if self._resolver is not None:
            await self._resolver.stop(timeout)

    async def _find(self, session: str, target: bytes) -> Place:
        if self._resolver is None:
            raise NoCassetteError(f"no cassette is open for the session {session}")
        return await self._resolver.find(session, target)


_REFUSALS: tuple[tuple[type[RespoolError], int, str], ...] = (
    (NoCassetteError, 404, "no_cassette"),
    (DamagedCassetteError, 500, "cassette_damaged"),
    (UpstreamError, 502, "upstream_failed"),
    (RespoolError, 500, "cassette_refused"),
)
