"""What a proxy tells whoever looks on: counts, the calls under way, the calls that have ended, and events of all of them.

The modes tell it what happens; nothing here waits, and nothing is told that was not redacted. Of a call that has ended only
its row is kept: the call itself is read from where it was kept, or served from, when somebody asks.
"""

import asyncio
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ...cassettes.errors import CassetteError
from ...cassettes.file_names import sibling
from ...cassettes.interaction import EMPTY, End, Interaction
from ...cassettes.secrets.cleaning import DEFAULT as CLEANING
from ...cassettes.summaries import summarise
from ...cassettes.summary import Row, Summary
from ..sessions import DEFAULT
from .calls import HITS, Kept, Running, Source, clipped, shown_name
from .log import EventLog
from .memory import Memory
from .protocol import MOST_TEXT, VERSION

MOST_KEPT = 20_000
"""Calls that can be read, the latest."""
MOST_SESSIONS = 10_000
GROWTH_SECONDS = 0.05
"""How often it is looked how far streams have come, at most."""
MOST_TOLD = 256 << 10
"""Bytes of a stream that are told as they come."""
_FAILED = frozenset({End.UPSTREAM_FAILED, End.UPSTREAM_CUT})
_CALM = 20
"""How many times longer than a look took, the next one waits at least."""


if TYPE_CHECKING:
    from ..interception import Interception
    from ..narration import Narration


@runtime_checkable
class Directed(Protocol):
    """A mode with sessions that can be reported on and begun anew."""

    async def told_of(self, session: str) -> dict[str, Any] | None:
        """The report on a session as plain data; None where there is none."""
        ...

    def begin_anew(self, session: str) -> bool:
        """Forget a session; False where there is none."""
        ...


@dataclass(slots=True)
class _Seen:
    calls: int = 0
    misses: int = 0


class Hub:
    """One proxy's. `mode`, `upstream`, `cassettes` and `address` are what a snapshot says of it."""

    def __init__(self, mode: str, *, upstream: str = "", cassettes: tuple[Path, ...] = ()) -> None:
        self.mode = mode
        self.upstream = upstream
        self.cassettes = tuple(path.absolute() for path in cassettes)
        self.address = ""
        self.director: Directed | None = None
        self.interception: Interception | None = None
        """What holds calls back; None for nothing."""
        self.cleaning = CLEANING
        """What names of sessions are shown by; the calls themselves come redacted."""
        self.narration: Narration | None = None
        """Is told of each call that has ended, whoever else looks on; None for nobody."""
        self.log = EventLog()
        self.instance = secrets.token_hex(8)
        self.hits = self.misses = self.recorded = self.failed = self.faults = 0
        self.ended = 0
        self.begun = 0
        self.stopped = False
        self._kept: deque[Kept] = deque(maxlen=MOST_KEPT)
        self._running: dict[int, Running] = {}
        self._sessions: OrderedDict[str, _Seen] = OrderedDict()
        self._made = Memory(most=1000, most_bytes=16 << 20)
        """Answers that were not recorded: misses, and what a fault made."""
        self._grown: dict[int, Running] = {}
        self._looking: asyncio.TimerHandle | None = None

    # What the modes tell

    def begin(self, session: str, look: Callable[[], Interaction]) -> Running:
        """A call has begun."""
        call = Running(self.begun, session, time.perf_counter(), time.time_ns() // 1000, look)
        self.begun += 1
        self._running[call.number] = call
        self._seen(session).calls += 1
        if self.log.watched:
            self.log.tell("call-begun", lambda: self._beginning(call))
        else:
            self.log.skip()
        return call

    def headed(self, call: Running, status: int, *, shown: Callable[[], bytes] | None) -> None:
        """The head of its answer came; `shown` is given for a stream that can be told as it comes."""
        call.shown = shown
        self.log.tell(
            "call-headed",
            lambda: {"number": call.number, "status": status, "stream": shown is not None, "scope": _scope(call)},
        )

    def grew(self, call: Running) -> None:
        """More of a stream came. It is told soon."""
        if call.shown is not None and self.log.watched:
            self._grown[call.number] = call
            if self._looking is None:
                self._looking = asyncio.get_running_loop().call_later(GROWTH_SECONDS, self._look)

    def end(self, call: Running, how: str, interaction: Interaction, row: Row, source: Source) -> None:
        """A call has ended as this interaction, which `source` can give again."""
        if how in HITS:
            self.hits += 1
        else:
            self.recorded += how == "recorded"
            self.failed += interaction.end in _FAILED
        if call.shown is not None and self.log.watched:
            body = interaction.response.body if interaction.response is not None else EMPTY
            if body.at_hand and body.length <= MOST_TOLD:
                self._tell_more(call, body.read())
        self._end(call, how, interaction, row, source)

    def served(self, session: str, how: str, interaction: Interaction, row: Row, source: Source) -> None:
        """A call was answered at once, and nobody reads events: `begin` and `end` in one."""
        self._seen(session).calls += 1
        self.hits += 1
        request, now = interaction.request, time.time_ns() // 1000
        kept = Kept(
            self.begun, self.ended, how, session, request.method, request.target, interaction.scope, now, 0, row, source
        )
        self._kept.append(kept)
        if self.narration is not None:
            self.narration.ended(kept)
        self.begun += 1
        self.ended += 1
        self.log.skip(2)

    def missed(self, session: str, interaction: Interaction, why: Callable[[], str]) -> None:
        """Nothing answers a (redacted) request; the interaction is what its client got, and `why` says the reason."""
        call = self.begin(session, lambda: interaction)
        self.misses += 1
        self._seen(session).misses += 1
        kept = self.end_made(call, "miss", interaction)
        self.log.tell("miss", lambda: {"call": kept.told(self.cleaning), "why": clipped(why(), 30_000)})

    def end_made(self, call: Running, how: str, interaction: Interaction) -> Kept:
        """A call has ended with an answer that was not recorded."""
        self.faults += how == "fault"
        row = self._made.append(interaction, summarise(interaction))
        return self._end(call, how, interaction, row, self._made)

    @contextmanager
    def answering(self, session: str, interaction: Interaction, noted: str) -> Iterator[None]:
        """A call gets an answer that a fault made; it has begun, and ends with the `with`."""
        asked = replace(interaction, response=None, extra={"running": True})
        call = self.begin(session, lambda: asked)
        call.noted = clipped(noted)
        try:
            yield
        except BaseException:  # the client left, or the proxy stops
            self.lost(call)
            raise
        self.end_made(call, "fault", interaction)

    def lost(self, call: Running) -> None:
        """A call has ended and is not kept."""
        if self._running.pop(call.number, None) is not None:
            self._grown.pop(call.number, None)
            self.log.tell("call-lost", lambda: {"number": call.number})

    def finish(self) -> None:
        """The proxy stops."""
        if self.stopped:
            return
        self.stopped = True
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        self.log.tell("recording-finished", lambda: {"calls": self.ended})

    # What is asked

    def snapshot(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "instance": self.instance,
            "mode": self.mode,
            "upstream": clipped(self.upstream, 2000),
            "address": self.address,
            "cassettes": [clipped(str(path), 2000) for path in self.cassettes[:1000]],
            "size": sum(_size(path) for path in self.cassettes),
            "hits": self.hits,
            "misses": self.misses,
            "recorded": self.recorded,
            "failed": self.failed,
            "faults": self.faults,
            "running": len(self._running),
            "sessions": [
                {"name": self._named(name), "calls": seen.calls, "misses": seen.misses}
                for name, seen in self._sessions.items()
            ],
            "calls": self.ended,
            "kept": len(self._kept),
            "last": self.log.last,
            "open": list(self._running)[:10_000],
        }

    def page(self, first: int, most: int) -> dict[str, Any]:
        """Calls that have ended, by place from `first` on."""
        oldest = self.ended - len(self._kept)
        first = min(max(first, oldest), self.ended)
        until = min(first + most, self.ended)
        calls = [self._kept[place - oldest].told(self.cleaning) for place in range(first, until)]
        return {"first": first, "total": self.ended, "calls": calls}

    def call(self, number: int) -> tuple[Interaction, Summary]:
        """A call by its number, redacted, and its summary as it is listed. Raises CassetteError for one that is gone."""
        running = self._running.get(number)
        if running is not None:
            interaction = running.now()
            return interaction, summarise(interaction)._replace(arrival=number)
        kept = next((each for each in reversed(self._kept) if each.number == number), None)
        if kept is None:
            raise CassetteError(f"the proxy knows of no call {number:,}, or no more")
        interaction = kept.source.interaction(kept.row)
        if kept.how in HITS:
            extra = {**interaction.extra, "fault": kept.noted} if kept.noted else interaction.extra
            interaction = replace(interaction, session=self._named(kept.session), extra=extra)
        return interaction, kept.summary._replace(arrival=number)

    def running(self, number: int) -> Running | None:
        return self._running.get(number)

    def knows(self, session: str) -> bool:
        return session in self._sessions

    def reset(self, session: str) -> bool:
        """Let a session of a replay begin anew; False where there is none."""
        if self.director is None or not self.director.begin_anew(session):
            return False
        self._sessions.pop(session, None)
        self.log.tell("session-reset", lambda: {"session": self._named(session)})
        return True

    # Within

    def _end(self, call: Running, how: str, interaction: Interaction, row: Row, source: Source) -> Kept:
        self._running.pop(call.number, None)
        self._grown.pop(call.number, None)
        request = interaction.request
        took = int((time.perf_counter() - call.began) * 1e6)
        # What was recorded has the session's name without what was secret in it.
        session = (interaction.session or DEFAULT) if how in {"recorded", "forwarded"} else call.session
        scope = interaction.scope
        kept = Kept(
            call.number, self.ended, how, session, request.method, request.target, scope, call.started_us, took, row, source,
            call.noted,
        )  # fmt: skip
        self.ended += 1
        self._kept.append(kept)
        if self.narration is not None:
            self.narration.ended(kept)
        if self.log.watched:
            self.log.tell("call-finished", lambda: {"call": kept.told(self.cleaning)})
        else:
            self.log.skip()
        return kept

    def _named(self, session: str) -> str:
        return shown_name(session, cleaning=self.cleaning)

    def _seen(self, session: str) -> _Seen:
        seen = self._sessions.get(session)
        if seen is None:
            if len(self._sessions) >= MOST_SESSIONS:
                self._sessions.popitem(last=False)
            seen = self._sessions[session] = _Seen()
            self.log.tell("session-begun", lambda: {"session": self._named(session)})
        return seen

    def _beginning(self, call: Running) -> dict[str, Any]:
        known = call.look()
        # What a replay serves has the session in which it was recorded.
        session = call.session if self.mode == "replay" else known.session or DEFAULT
        return {
            "number": call.number,
            "session": self._named(session),
            "method": clipped(known.request.method, 40),
            "target": clipped(known.request.target.decode("utf-8", "backslashreplace"), 2000),
            "scope": clipped(known.scope),
            "at_us": call.started_us,
        }

    def _look(self) -> None:
        """Tell how far the streams have come that have grown."""
        self._looking = None
        began = time.perf_counter()
        grown, self._grown = list(self._grown.values()), {}
        for call in grown:
            self._tell_growth(call)
        took = time.perf_counter() - began
        if self._grown or took * _CALM > GROWTH_SECONDS:
            wait = max(GROWTH_SECONDS, took * _CALM)
            self._looking = asyncio.get_running_loop().call_later(wait, self._look)

    def _tell_growth(self, call: Running) -> None:
        if call.shown is None:
            return
        self._tell_more(call, call.shown())

    def _tell_more(self, call: Running, shown: bytes) -> None:
        if len(shown) <= len(call.told):
            return
        at = call.tell(shown)
        scope = _scope(call)
        for begin in range(at, len(shown), MOST_TEXT):
            text = shown[begin : begin + MOST_TEXT].decode("utf-8", "replace")
            self.log.tell(
                "call-grew",
                lambda begin=begin, text=text: {"number": call.number, "scope": scope, "at": begin, "text": text},
            )


def _scope(call: Running) -> str:
    """The scope of a call under way; a thread that its answer makes is known when that begins."""
    if not call.scope or call.scope.startswith("/"):
        call.scope = clipped(call.look().scope)
    return call.scope


def _size(path: Path) -> int:
    for each in (sibling(path, ".partial"), path):
        if each.is_file():
            return each.stat().st_size
    return 0
