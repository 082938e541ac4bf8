"""Recording: the client's call goes to the upstream, the upstream's bytes go to the client at once, and a copy is kept.

Nothing is ever answered from the recording, so calls that reach the upstream are the calls that clients made. A failure
to write the recording never stops the proxying: it is said, and it shows in the exit status.
"""

import asyncio
import time
from collections.abc import Callable

from aiohttp import web

from ..cassettes.errors import CassetteError, UpstreamError
from ..cassettes.interaction import End
from ..cassettes.rules import Rules
from ..cassettes.secrets.cleaning import Cleaning
from ..cassettes.secrets.finder import Replacer, hide
from ..cassettes.secrets.policy import policy_of_notes, policy_of_today
from ..cassettes.writer import RecordingFailed, Writer
from .answer import Answer, OwnedTasks
from .control.hub import Hub
from .control.memory import Memory
from .durability import Durability
from .forward import Forwarding
from .health import Health
from .incoming import ClientFault
from .interception import EditedWay, Interception, whole_body
from .passage import Passage
from .turns import Turns
from .upstream import Broken, Exchange, Upstream
from .ways import Way

READ_ON_SECONDS = 1.0
READ_ON_BYTES = 1 << 20
"""When a client leaves early, an answer that is nearly there is read on for the recording, up to these."""


class Recorder:
    """Handles calls in the modes `record` (with a writer) and `live` (without one)."""

    def __init__(
        self,
        upstream: Upstream,
        writer: Writer | Memory | None,
        *,
        narrate: Callable[[str], None],
        replacer: Replacer = hide,
        hub: Hub | None = None,
    ) -> None:
        """`replacer` gives what stands in place of a secret; by which rules they are found, the notes of the cassette say.

        `hub` is told of each call. With a `Memory` nothing is recorded: calls are kept for who looks on.
        """
        notes = writer.meta if writer is not None else {}
        self._cleaning = Cleaning(policy_of_today(notes), replacer)
        self._rules = Rules(policy=policy_of_notes(notes))
        self._upstream = upstream
        self._writer = writer
        self._narrate = narrate
        self._hub = hub
        self._durability = (
            Durability(writer, failed=self._fail) if isinstance(writer, Writer) and writer.durable else None
        )
        self._reading_on = OwnedTasks()
        self._open: set[Passage] = set()
        self._turns = Turns(self._write)
        self._stopping = False
        self.calls = 0
        self.failures = 0
        self.cut = 0
        """Calls that were still running when the proxy was stopped, and are stored as cut."""
        self.lost = 0
        """Calls that went through and could not be stored, although the recording goes on."""
        self.failed: RecordingFailed | None = None
        """Why nothing more can be stored."""

    async def handle(
        self,
        request: web.BaseRequest,
        session: str,
        target: bytes,
        *,
        way: Way | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Forward a call. `way`: where to, if not just to the upstream; `body`: the request's, if it was read already."""
        self.calls += 1
        passage = None
        if self._writer is not None and self.failed is None:
            passage = Passage(self._writer, request, session, target, cleaning=self._cleaning, rules=self._rules)
            self._open.add(passage)
            if self._hub is not None:
                passage.watch(self._hub)
        to: Way = way or self._upstream
        if self._hub is not None and self._hub.interception is not None and passage is not None:
            try:
                to, body = await self._intercepted(self._hub.interception, request, passage, to, body)
            except ClientFault as fault:
                self.store(passage, End.CLIENT_CUT)
                return fault.answer()
            except asyncio.CancelledError:
                self.store(passage, End.PROXY_CUT if self._stopping else End.CLIENT_CUT)
                raise
        call = Forwarding(self, to, request, passage, session, target, body=body)
        try:
            return await call.run()
        except asyncio.CancelledError:
            call.leave()
            raise

    async def _intercepted(
        self, interception: Interception, request: web.BaseRequest, passage: Passage, way: Way, body: bytes | None
    ) -> tuple[Way, bytes | None]:
        """Where a call goes, and its body if it was read, after a person has had time to look at it. Raises ClientFault."""
        call = passage.call
        if call is None or not interception.may_hold(request):
            return way, body
        if body is None:
            body = await whole_body(request)
        began = time.monotonic()
        decision = await interception.decide(call, request, passage.target, body, self._cleaning)
        if decision is None:
            return way, body
        passage.intercepted(decision.word, time.monotonic() - began, decision.target, decision.body)
        if decision.word in {"edited", "dropped"}:
            return EditedWay(way, decision, body), body
        return way, body

    def health(self) -> Health:
        return Health(cassettes=int(isinstance(self._writer, Writer)), failed=self.failed is not None)

    async def stop(self, timeout: float) -> None:
        """Let what is being read on end, store what is still open as cut by the proxy, and hang up."""
        self._stopping = True
        if self._hub is not None and self._hub.interception is not None:
            self._hub.interception.stop()
        await self._reading_on.settle(min(timeout, READ_ON_SECONDS))
        for passage in list(self._open):
            self.store(passage, End.PROXY_CUT)
        await self._turns.settle()
        if self._durability is not None:
            await self._durability.settle()
        self._upstream.close()

    @property
    def stopping(self) -> bool:
        return self._stopping

    def store(self, passage: Passage | None, end: End) -> None:
        if passage is None or passage not in self._open:
            return
        self._open.discard(passage)
        if self.failed is not None:
            passage.give_up()
            return
        self.cut += end is End.PROXY_CUT
        passage.seal(end)
        self._turns.take(passage, alone=not self._open)

    def _write(self, passage: Passage) -> None:
        if self.failed is not None:
            passage.give_up()
            return
        try:
            passage.write()
            if self._durability is not None:
                self._durability.ask()
        except RecordingFailed as error:
            self._fail(error)
        except CassetteError as error:
            self._lose(passage, error.message)
        except Exception as error:  # noqa: BLE001  # a fault in the copy must not reach the call that is being copied
            self._lose(passage, f"{type(error).__name__}, a fault of respool's own")
        finally:
            passage.give_up()

    def _fail(self, error: RecordingFailed) -> None:
        if self.failed is None:
            self.failed = error
            hint = f"; {error.hint}" if error.hint else ""
            self._narrate(f"respool: THE RECORDING HAS STOPPED: {error.message}{hint}. Calls still go through.")

    def _lose(self, passage: Passage, why: str) -> None:
        self.lost += 1
        self._narrate(
            f"respool: a call ({passage.names()}) could not be recorded: {why}. The recording goes on without it."
        )

    def failure(self, error: UpstreamError) -> None:
        self.failures += error.retry  # what a person dropped is no failure
        self._narrate(f"respool: {error.message}" + (f" ({error.hint})" if error.hint else ""))

    def read_on(self, passage: Passage, exchange: Exchange) -> None:
        """The client has left: read an answer that is nearly there, in a task of the recorder's own."""
        self._reading_on.start(self._read_on(passage, exchange))

    async def _read_on(self, passage: Passage, exchange: Exchange) -> None:
        end = End.CLIENT_CUT
        try:
            async with asyncio.timeout(READ_ON_SECONDS):
                if passage.answered < 0:
                    passage.take_head(await exchange.head())
                if not passage.goes_on:
                    end = End.COMPLETE
                    async for piece in exchange.body():
                        passage.take_piece(piece)
                        if passage.answered > READ_ON_BYTES:
                            end = End.CLIENT_CUT
                            break
        except (TimeoutError, asyncio.CancelledError):
            # Too far off, or the proxy stops: the client's leaving is what ended it either way.
            end = End.CLIENT_CUT
        except (Broken, UpstreamError):
            end = End.CLIENT_CUT
        finally:
            self.store(passage, end)
            exchange.release()
