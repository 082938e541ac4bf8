"""The words of the control API, for both of its sides: what a snapshot, a call and each kind of event say.

One JSON object each. What a proxy sends is redacted; what a client gets is not believed: `parsed` checks types, ranges and
lengths, and anything else is a ControlError. Members that this version does not know are passed over.
"""

import json
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ...cassettes.errors import RespoolError
from ...cassettes.scopes import scope_hash
from ...cassettes.summary import Summary

VERSION = 1
MOST_LINE = 1 << 20
"""Bytes of one event."""
MOST_ANSWER = 32 << 20
"""Bytes of any other answer."""
MOST_PAGE = 1000
"""Calls in one answer."""
MOST_TEXT = 64 << 10
"""Characters of a stream that one event carries."""
MOST_BODY = 768 << 10
"""Bytes of each body of a call that is fetched."""

Number = Annotated[int, Field(ge=0, lt=1 << 62)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Short = Annotated[str, Field(max_length=600)]
Line = Annotated[str, Field(max_length=4_000)]

How = Literal["recorded", "forwarded", "exact", "held", "ahead", "miss", "fault"]
"""What was done for a call: kept in the cassette; passed on; served in its place, again, before its place; nothing found;
answered by a fault."""


class ControlError(RespoolError):
    """The control API cannot be reached, or says what it should not. Exit status 4."""

    exit_status = 4


class Told(BaseModel):
    """What comes over the wire."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


def thread_of(scope: str, session: str) -> str:
    """A scope in a session of a replay, as the inspector lists it."""
    return scope if session in {"", "default"} else f"{scope} @{session}"


class Call(Told):
    """A call that has ended. `number`: in order of their beginnings; `place`: in order of their ends.

    `record`: the number of the interaction in the cassette that it was kept in, or served from. `noted`: what a person did to
    it on its way, or which faults struck it.
    """

    number: Number
    place: Number
    how: How
    session: Short
    method: Short
    target: Line
    scope: Short
    record: Number | None = None
    status: Annotated[int, Field(ge=0, le=65_535)]
    operation: Annotated[int, Field(ge=0, le=65_535)]
    flags: Annotated[int, Field(ge=0, le=65_535)]
    variant: Annotated[int, Field(ge=0, le=65_535)]
    started_us: Number
    duration_us: Number
    key: Digest
    answer: Digest
    noted: Short = ""

    @property
    def thread(self) -> str:
        """The scope as the inspector lists it: each session of a replay has its own."""
        return self.scope if self.how in {"recorded", "forwarded"} else thread_of(self.scope, self.session)

    def summary(self) -> Summary:
        return Summary(
            int(self.key, 16),
            scope_hash(self.thread),
            int(self.answer, 16),
            self.number,
            self.started_us,
            self.duration_us,
            self.status,
            self.operation,
            self.flags,
            self.variant,
        )


class SessionTold(Told):
    """A session that has called: how many calls, and of a replay how many were misses."""

    name: Short
    calls: Number
    misses: Number


class Snapshot(Told):
    """What the proxy is doing. `last`: the number of the last event; `calls`: how many calls have ended since it began,
    of which the last `kept` can be read."""

    version: Literal[1]
    instance: Short
    mode: Short
    upstream: Line
    address: Line
    cassettes: list[Line] = Field(max_length=1000)
    size: Number
    hits: Number
    misses: Number
    recorded: Number
    failed: Number
    faults: Number = 0
    running: Number
    sessions: list[SessionTold] = Field(max_length=10_000)
    calls: Number
    kept: Number
    last: Number
    open: list[Number] = Field(max_length=10_000)


class Page(Told):
    """Calls that have ended, from `first` on (by their places); `first` is later than was asked for where some are gone."""

    first: Number
    total: Number
    calls: list[Call] = Field(max_length=MOST_PAGE)


class HeldListed(Told):
    """A call that waits for a person, redacted; it goes on by itself after `seconds`."""

    number: Number
    session: Short
    method: Short
    target: Line
    seconds: Annotated[float, Field(ge=0, le=86_400)]


class HeldCall(HeldListed):
    body: Annotated[str, Field(max_length=16 << 20)]


class Holding(Told):
    """The filter that holds calls back, None for none, and those that wait."""

    filter: Annotated[str, Field(max_length=10_000)] | None
    held: list[HeldListed] = Field(max_length=1000)


class Event(Told):
    """`n` counts the events of a proxy; a number that is left out is told by a gap."""

    n: Number


class Hello(Event):
    """The first line of a stream of events: what comes has later numbers than `n`."""

    kind: Literal["hello"]
    instance: Short


class Gap(Event):
    """Events `first` to `n` are gone: read the snapshot again."""

    kind: Literal["gap"]
    first: Number


class CallBegun(Event):
    kind: Literal["call-begun"]
    number: Number
    session: Short
    method: Short
    target: Line
    scope: Short
    at_us: Number


class CallHeaded(Event):
    """The head of the answer came."""

    kind: Literal["call-headed"]
    number: Number
    status: Annotated[int, Field(ge=0, le=65_535)]
    stream: bool
    scope: Short


class CallGrew(Event):
    """More of a stream came; `text` begins at byte `at` of what is told of it. The last words of a text that goes on are
    held back until it is sure that they begin no secret."""

    kind: Literal["call-grew"]
    number: Number
    scope: Short
    at: Number
    text: Annotated[str, Field(max_length=4 * MOST_TEXT)]


class CallFinished(Event):
    kind: Literal["call-finished"]
    call: Call


class CallLost(Event):
    """A call has ended that could not be kept."""

    kind: Literal["call-lost"]
    number: Number


class MissTold(Event):
    """A replay had no answer; `why` tells it as stderr does."""

    kind: Literal["miss"]
    call: Call
    why: Annotated[str, Field(max_length=32_000)]


class SessionBegun(Event):
    kind: Literal["session-begun"]
    session: Short


class SessionReset(Event):
    kind: Literal["session-reset"]
    session: Short


class CallHeld(Event):
    """A call waits for a person; it goes on by itself after `seconds`."""

    kind: Literal["call-held"]
    number: Number
    session: Short
    method: Short
    target: Line
    seconds: Annotated[float, Field(ge=0, le=86_400)]


class CallLetGo(Event):
    kind: Literal["call-let-go"]
    number: Number
    noted: Short


class Finished(Event):
    """The proxy stops; no event follows."""

    kind: Literal["recording-finished"]
    calls: Number


AnyEvent = Annotated[
    Hello
    | Gap
    | CallBegun
    | CallHeaded
    | CallGrew
    | CallFinished
    | CallLost
    | MissTold
    | SessionBegun
    | SessionReset
    | CallHeld
    | CallLetGo
    | Finished,
    Field(discriminator="kind"),
]
EVENT: TypeAdapter[Any] = TypeAdapter(AnyEvent)
KINDS = {get_args(model.model_fields["kind"].annotation)[0]: model for model in Event.__subclasses__()}

T = TypeVar("T", bound=BaseModel)


def parsed(model: type[T], data: bytes) -> T:
    """What `data` says, as a model. Raises ControlError."""
    try:
        return model.model_validate_json(data)
    except (ValidationError, ValueError, RecursionError):
        raise _nonsense(model.__name__.lower()) from None


def event_of(line: bytes) -> Event | None:
    """The event on a line; None for a kind that this version does not know. Raises ControlError."""
    try:
        return EVENT.validate_json(line)
    except (ValidationError, ValueError, RecursionError):
        pass
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        raise _nonsense("event") from None
    kind = said.get("kind") if isinstance(said, dict) else None
    if isinstance(kind, str) and kind not in KINDS:
        return None
    raise _nonsense("event")


def _nonsense(what: str) -> ControlError:
    return ControlError(f"the control API sent a {what} that makes no sense", "is it a respool of this version?")
