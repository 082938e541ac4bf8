"""One call on its way through the recording proxy, and what is kept of it.

A passage is begun when the request's head is there, takes copies of both bodies as they pass, and ends as one
interaction, redacted, in the cassette. It never touches the bytes that client and upstream get.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from aiohttp import web

from ..cassettes import operations
from ..cassettes.coding import undoable
from ..cassettes.interaction import EMPTY, Body, End, Headers, Interaction, Request, Response
from ..cassettes.keys import AnswerBuilder, KeyBuilder, request_key, variant_of
from ..cassettes.redaction import (
    CUT,
    joined,
    redact_call,
    redact_request,
    scope_of_redacted,
    scrub_text,
    secrets_of,
    secrets_of_response,
)
from ..cassettes.rules import NO_RULES, Rules
from ..cassettes.secrets.cleaning import DEFAULT as DEFAULT_CLEANING
from ..cassettes.secrets.cleaning import Cleaning
from ..cassettes.secrets.progress import shown_of
from ..cassettes.summaries import summarise
from ..cassettes.writer import Writer
from .control.calls import Running
from .control.hub import MOST_TOLD, Hub
from .control.memory import Memory
from .keeper import BodyKeeper
from .replies import Head
from .sessions import DEFAULT
from .wire import header_value

MOST_MARKS = 100_000
"""Pieces of a stream that are stored with their time; what comes after is stored as one piece."""
_DONE = b"data: [DONE]"
"""The last event of a stream, at which clients leave, and the connection's own end follows."""


class Passage:
    """A call in progress. `target` is what goes upstream: the session prefix is off."""

    def __init__(
        self,
        writer: Writer | Memory,
        request: web.BaseRequest,
        session: str,
        target: bytes,
        *,
        cleaning: Cleaning = DEFAULT_CLEANING,
        rules: Rules = NO_RULES,
    ) -> None:
        self._writer = writer
        self._began = time.perf_counter_ns()
        self._started_us = time.time_ns() // 1000
        self._arrival = writer.next_arrival()
        self._session = session
        self._cleaning = cleaning
        self._rules = rules
        self._fault: Exception | None = None
        self.method = request.method
        self.target = target
        self.headers: Headers = request.raw_headers
        self._secrets = secrets_of(Request(self.method, target, self.headers))
        # Of bodies that are too large to be held. What the keepers call does not hold this passage: a ring of objects for
        # each call would lie about until the garbage collector comes, bodies and all.
        self._keys: list[KeyBuilder] = []
        self._answers: list[AnswerBuilder] = []
        self._head: Head | None = None
        self._head_us = 0
        self._marks: list[int] = []
        encoding = header_value(self.headers, b"content-encoding")
        coding = undoable(encoding) if encoding else ""
        self._request_body = BodyKeeper(
            writer,
            coding,
            secrets=partial(joined, self._secrets, ()),
            begin=partial(_begin_key, self._keys, self.method, target, self.headers, rules),
            cleaning=cleaning,
        )
        self._response_body: BodyKeeper | None = None
        self.streams = False
        self._last = b""
        self.request_whole = False
        self.weight = 0
        """Bytes of the bodies that are looked through when the call has ended; larger ones were while they went by."""
        self._end = End.COMPLETE
        self._duration = 0
        self._sealed: tuple[Request, Response | None] | None = None
        self._redacted: tuple[Interaction, int] | None = None
        self._hub: Hub | None = None
        self._call: Running | None = None
        self._extra: dict[str, object] = {}

    def watch(self, hub: Hub) -> None:
        """Tell of this call to whoever looks on."""
        self._hub = hub
        self._call = hub.begin(self._session, self.look)

    @property
    def call(self) -> Running | None:
        """As it is told to who looks on; None where nobody can."""
        return self._call

    def intercepted(self, word: str, seconds: float, target: bytes | None, body: bytes | None) -> None:
        """A person held the call; `target` and `body` went upstream in the place of what came."""
        said: dict[str, object] = {"what": word, "held_us": int(seconds * 1e6)}
        sent = Request(self.method, target or self.target, self.headers, Body.of(body or b""))
        sent = redact_request(sent, self._secrets, self._cleaning)
        if target is not None:
            said["target"] = sent.target
        if body is not None:
            said["body"] = sent.body.read()[:MOST_TOLD]
        self._extra["intercepted"] = said

    def elapsed_us(self) -> int:
        return (time.perf_counter_ns() - self._began) // 1000

    def take_head(self, head: Head) -> None:
        """The response head came (the upstream's, or the proxy's own for a call that failed)."""
        self._head = head
        self._head_us = self.elapsed_us()
        kind = encoding = b""
        for name, value in head.headers:
            if len(name) == 12 and name.lower() == b"content-type":
                kind = kind or value.lower()
            elif len(name) == 16 and name.lower() == b"content-encoding":
                encoding = encoding or value
        self.streams = kind.startswith(b"text/event-stream") or self._asks_stream()
        coding = undoable(encoding) if encoding else ""
        self._response_body = BodyKeeper(
            self._writer,
            coding,
            secrets=partial(_secrets_of_both, self._secrets, head.headers),
            begin=partial(_begin_answer, self._answers, head.status),
            cleaning=self._cleaning,
        )
        if self._hub is not None and self._call is not None:
            plain = self.streams and encoding.lower() in {b"", b"identity"}
            self._hub.headed(self._call, head.status, shown=self.shown if plain else None)

    def _asks_stream(self) -> bool:
        body = self._request_body.raw()
        if b'"stream"' not in body:
            return False
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError):
            return False
        return isinstance(asked, dict) and asked.get("stream") is True

    def take_request(self, data: bytes) -> None:
        """A piece of the request body came."""
        self._keep(self._request_body, data)

    def take_piece(self, data: bytes) -> None:
        """A piece of the response body came."""
        if self._response_body is not None:
            self._keep(self._response_body, data)
            if self.streams:
                self._last = (self._last + data)[-len(_DONE) - 4 :]
                if len(self._marks) < MOST_MARKS:
                    self._marks.append(self.elapsed_us())
                if self._hub is not None and self._call is not None:
                    self._hub.grew(self._call)

    @property
    def goes_on(self) -> bool:
        """Whether the answer is a stream that has not said its last event: nobody knows how long it is."""
        return self.streams and not self._last.rstrip().endswith(_DONE)

    @property
    def answered(self) -> int:
        """Bytes of the response body so far; -1 before its head."""
        return -1 if self._response_body is None else self._response_body.size

    def _keep(self, keeper: BodyKeeper, data: bytes) -> None:
        """Copy a piece. A copy that fails never reaches the call itself; `write` says so."""
        if self._fault is None:
            try:
                keeper.feed(data)
            except Exception as error:  # noqa: BLE001  # whatever it is, it is the copy's and not the call's
                self._fault = error

    def seal(self, end: End) -> None:
        """The call has ended, and nothing is taken any more. What stands in the way of this or the next step, `write` raises."""
        self._end = end
        self._duration = self.elapsed_us()
        if self._fault is None:
            try:
                self._sealed = self._bodies()
            except Exception as error:  # noqa: BLE001  # as for a piece
                self._fault = error

    def _bodies(self) -> tuple[Request, Response | None]:
        asked = self._request_body.finish(cut=not self.request_whole)
        request = Request(self.method, self.target, self.headers, asked.body, asked.coding)
        response = None
        if self._head is not None and self._response_body is not None:
            answered = self._response_body.finish(cut=self._end in CUT)
            response = Response(
                self._head.status,
                self._head.reason,
                self._head.headers,
                answered.body,
                answered.coding,
                self._head_us,
                _marks(answered.lengths, self._marks),
            )
        held = [side.body.length for side in (request, response) if side is not None and side.body.at_hand]
        self.weight = sum(held)
        return request, response

    def redact(self) -> None:
        """Make what is written, after `seal`. In a thread too: nothing here is another call's."""
        if self._fault is None and self._sealed is not None:
            try:
                self._redacted = self._without_secrets(*self._sealed)
            except Exception as error:  # noqa: BLE001  # as for a piece
                self._fault = error
            self._sealed = None

    def _without_secrets(self, request: Request, response: Response | None) -> tuple[Interaction, int]:
        # Of the request as it came: what only the response named is unknown when the request comes again.
        key = self._keys[-1].finish() if self._keys else request_key(request, self._secrets, rules=self._rules)
        variant = variant_of(self.headers, self._writer.file_id)
        cut = not self.request_whole, self._end in CUT
        request, response = redact_call(request, response, self._secrets, self._cleaning, cut=cut)
        scope = scope_of_redacted(request, response)  # so that no name holds what was taken out
        session = self._session
        if session != DEFAULT:
            session = scrub_text(session, self._secrets, self._cleaning)
        interaction = Interaction(
            self._arrival,
            self._started_us,
            request,
            response,
            self._end,
            self._duration,
            scope,
            session,
            variant,
            request_cut=not self.request_whole,
            extra=self._extra,
        )
        return interaction, key

    def write(self) -> None:
        """Write the interaction, once, after `redact`. Raises what stood in the way; RecordingFailed ends the recording."""
        if self._fault is not None:
            raise self._fault
        if self._redacted is None:
            return
        interaction, key = self._redacted
        summary = summarise(interaction, key=key, answer=self._answers[-1].finish() if self._answers else None)
        row = self._writer.append(interaction, summary, wait=False)  # the recorder waits for the disk, beside the calls
        if self._hub is not None and self._call is not None:
            how = "forwarded" if isinstance(self._writer, Memory) else "recorded"
            self._hub.end(self._call, how, interaction, row, self._writer)
            self._call = None  # it holds this passage, and both would wait for the garbage collector

    def give_up(self) -> None:
        """It will not be stored, if it was not."""
        if self._hub is not None and self._call is not None:
            self._hub.lost(self._call)
            self._call = None

    def look(self) -> Interaction:
        """What there is of the call by now, as it would be stored: a stream up to what can be shown of it."""
        body = self._request_body.raw() if self.request_whole else b""
        request = Request(self.method, self.target, self.headers, Body.of(body))
        response = None
        if self._head is not None:
            head = self._head
            response = Response(head.status, head.reason, head.headers, EMPTY, "", self._head_us)
        request, response = redact_call(request, response, self._secrets, self._cleaning)
        if response is not None and self._call is not None:
            response = replace(response, body=Body.of(self._call.told))
        session = scrub_text(self._session, self._secrets, self._cleaning)
        scope = scope_of_redacted(request, response)
        return Interaction(
            self._arrival, self._started_us, request, response, scope=scope, session=session, extra={"running": True}
        )

    def shown(self) -> bytes:
        """The beginning of a stream that can be shown by now."""
        keeper = self._response_body
        if keeper is None or keeper.size > MOST_TOLD or self._head is None:
            return b""
        return shown_of(keeper.raw(), self._cleaning, _secrets_of_both(self._secrets, self._head.headers))

    def names(self) -> str:
        """What the call is, for a message on stderr: the operation, or just the method."""
        _, path, _ = operations.split_target(self.target)
        operation, _ = operations.find_operation(self.method, path)
        return operation.name if operation else self.method


def _begin_key(
    keys: list[KeyBuilder], method: str, target: bytes, headers: Headers, rules: Rules
) -> Callable[[bytes], None]:
    keys.append(KeyBuilder(method, target, headers, rules=rules))
    return keys[-1].feed


def _begin_answer(answers: list[AnswerBuilder], status: int) -> Callable[[bytes], None]:
    answers.append(AnswerBuilder(status))
    return answers[-1].feed


def _secrets_of_both(secrets: tuple[bytes, ...], headers: Headers) -> tuple[bytes, ...]:
    return joined(secrets, secrets_of_response(headers))


def _marks(lengths: list[int], times: list[int]) -> tuple[tuple[int, int], ...]:
    """Pair lengths with times; pieces beyond the last time belong to it."""
    if not times:
        return ()
    marks = list(zip(lengths, times, strict=False))
    rest = sum(lengths[len(marks) :])
    if rest:
        length, moment = marks[-1]
        marks[-1] = (length + rest, moment)
    return tuple(marks)
