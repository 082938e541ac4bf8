"""The control API in service: on a Unix socket of the user's own, or with a token on a TCP port. The data port never answers it.

Every request passes the gate, then one table says which operation it is. What an operation cannot do is an error in the API's
own shape. Nothing here is waited for by a call: a reader that does not read holds up itself alone.
"""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from aiohttp import web

from ...cassettes.errors import CassetteError, RespoolError, UsageError
from ...cassettes.exports.fields import whole
from ...cassettes.interaction import Body, Interaction
from ...cassettes.records import encode_interaction
from ...cassettes.summary import Row
from .. import wire
from ..answer import Answer, Stream, error_answer, json_answer
from ..connection import ConnectionServer
from ..doors import Doors
from ..incoming import ClientFault, body_pieces
from . import places
from .gate import Gate
from .hub import Hub
from .protocol import MOST_BODY, MOST_PAGE

BEAT_SECONDS = 10.0
"""A stream of events in which nothing happens has an empty line so often, so that its reader knows it is alive."""
MOST_ASKED = 4 << 20
"""Bytes of a request body."""
MOST_MARKS = 20_000
RECORD = b"application/x-respool-record"

Operation = Callable[["Control", web.BaseRequest, "re.Match[str]", dict[str, str]], Awaitable[Answer]]


class Control:
    """The operations on one hub."""

    def __init__(self, hub: Hub, gate: Gate) -> None:
        self.hub = hub
        self._gate = gate

    async def handle(self, request: web.BaseRequest) -> Answer:
        if (refused := self._gate.refusal(request)) is not None:
            return refused
        path, _, query = request.raw_path.partition("?")
        try:
            asked = {name: values[-1] for name, values in parse_qs(query, max_num_fields=20).items()} if query else {}
        except ValueError:
            return error_answer(400, "the query has more fields than any operation knows", "bad_request")
        other = False
        for wanted, pattern, operation in OPERATIONS:
            if (match := re.fullmatch(pattern, path)) is not None:
                if wanted != request.method:
                    other = True
                    continue
                try:
                    return await operation(self, request, match, asked)
                except CassetteError as error:
                    return error_answer(410, error.message, "gone")
                except UsageError as error:
                    return error_answer(400, error.message + (f" ({error.hint})" if error.hint else ""), "bad_request")
                except ClientFault as fault:
                    return fault.answer()
        if other:
            return error_answer(405, "this operation has another method", "method_refused")
        return error_answer(404, "the control API has no such operation; docs/control.md lists them", "not_found")

    async def snapshot(self, request: web.BaseRequest, match: "re.Match[str]", asked: dict[str, str]) -> Answer:
        return _said(self.hub.snapshot())

    async def calls(self, request: web.BaseRequest, match: "re.Match[str]", asked: dict[str, str]) -> Answer:
        return _said(self.hub.page(_number(asked, "first", 0), min(_number(asked, "limit", MOST_PAGE), MOST_PAGE)))

    async def call(self, request: web.BaseRequest, match: "re.Match[str]", asked: dict[str, str]) -> Answer:
        interaction, summary = self.hub.call(int(match[1]))
        interaction = _shortened(replace(interaction, arrival=summary.arrival))
        if (wire.header_value(request.raw_headers, b"accept") or b"").strip() == RECORD:
            return _bytes(summary.pack() + _encoded(interaction), RECORD)
        return _said(whole(interaction, Row(summary, 0)))

    async def events(self, request: web.BaseRequest, match: "re.Match[str]", asked: dict[str, str]) -> Answer:
        """All events behind `after`, as they come, until the reader leaves or the proxy stops."""
        log = self.hub.log
        stream = Stream(request)
        with log:
            after = min(_number(asked, "after", log.last), log.last)
            stream.start(wire.status_line(200), [(b"Content-Type", b"application/x-ndjson")], body=True, length=False)
            hello = {"n": after, "kind": "hello", "instance": self.hub.instance}
            await stream.send(json.dumps(hello).encode() + b"\n")
            while not self.hub.stopped or log.last > after:
                lines, after = log.read(after)
                if lines:
                    await stream.send(lines)
                elif not await log.more(after, BEAT_SECONDS):
                    await stream.send(b"\n")
        return stream.finish()

    async def session(self, request: web.BaseRequest, match: "re.Match[str]", asked: dict[str, str]) -> Answer:
        name, director = unquote(match[1]), self.hub.director
        report = await director.told_of(name) if director is not None else None
        if report is None:
            return error_answer(404, "there is no report on such a session", "no_session")
        return _said({"session": name, **report})

    async def reset(self, request: web.BaseRequest, match: "re.Match[str]", asked: dict[str, str]) -> Answer:
        if not self.hub.reset(unquote(match[1])):
            return error_answer(404, "there is no such session to begin anew", "no_session")
        return _said({"reset": unquote(match[1])})

    async def interception(self, request: web.BaseRequest, match: "re.Match[str]", asked: dict[str, str]) -> Answer:
        """What is held back: the filter (null for none), for how long, and which calls wait now."""
        found = self.hub.interception
        held = [each.told() for each in found.held.values()] if found is not None else []
        return _said({"filter": found.text if found else None, "seconds": found.seconds if found else 0, "held": held})

    async def intercept(self, request: web.BaseRequest, match: "re.Match[str]", asked: dict[str, str]) -> Answer:
        """Hold back what a filter fits from now on; what another filter held is let go."""
        from ..interception import interception_of

        if self.hub.mode == "replay":
            raise UsageError("a replay sends nothing upstream, so there is nothing to hold back")
        made = interception_of(await self.body_of(request), self.hub.log)
        if self.hub.interception is not None:
            self.hub.interception.stop()
        self.hub.interception = made
        return await self.interception(request, match, asked)

    async def let_go(self, request: web.BaseRequest, match: "re.Match[str]", asked: dict[str, str]) -> Answer:
        """Hold nothing back any more."""
        if self.hub.interception is not None:
            self.hub.interception.stop()
            self.hub.interception = None
        return await self.interception(request, match, asked)

    async def held(self, request: web.BaseRequest, match: "re.Match[str]", asked: dict[str, str]) -> Answer:
        """One held call with its body, redacted, to be edited."""
        found = self.hub.interception.held.get(int(match[1])) if self.hub.interception is not None else None
        if found is None:
            return error_answer(404, "no such call is held", "not_held")
        return _said({**found.told(), "body": found.request.body.read().decode("utf-8", "replace")})

    async def decide(self, request: web.BaseRequest, match: "re.Match[str]", asked: dict[str, str]) -> Answer:
        """Release a held call, as it is or with another `target` or `body`, or drop it."""
        from ..interception import decision_of

        what = {"release": "released", "drop": "dropped"}[match[2]]
        length = wire.header_value(request.raw_headers, b"content-length") or b"0"
        decision = decision_of(what, await self.body_of(request) if length != b"0" else {})
        if self.hub.interception is None or not self.hub.interception.end(int(match[1]), decision):
            return error_answer(404, "no such call is held", "not_held")
        return _said({"number": int(match[1]), "what": decision.word})

    async def body_of(self, request: web.BaseRequest) -> dict[str, Any]:
        """The JSON object that was sent. Raises UsageError."""
        if (wire.header_value(request.raw_headers, b"content-type") or b"").partition(b";")[0] != b"application/json":
            raise UsageError("the body has to be application/json")
        pieces: list[bytes] = []
        async for piece in body_pieces(request):
            pieces.append(piece)
            if sum(map(len, pieces)) > MOST_ASKED:
                raise UsageError(f"the body has more than {MOST_ASKED >> 20} MiB")
        try:
            said = json.loads(b"".join(pieces))
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise UsageError("the body is no JSON object")
        return said


OPERATIONS: list[tuple[str, str, Operation]] = [
    ("GET", "/snapshot", Control.snapshot),
    ("GET", "/events", Control.events),
    ("GET", "/calls", Control.calls),
    ("GET", "/calls/([0-9]{1,18})", Control.call),
    ("GET", "/sessions/([^/]{1,600})", Control.session),
    ("POST", "/sessions/([^/]{1,600})/reset", Control.reset),
    ("GET", "/interception", Control.interception),
    ("PUT", "/interception", Control.intercept),
    ("DELETE", "/interception", Control.let_go),
    ("GET", "/held/([0-9]{1,18})", Control.held),
    ("POST", "/held/([0-9]{1,18})/(release|drop)", Control.decide),
]


@asynccontextmanager
async def control(hub: Hub, where: str, port: int, *, narrate: Callable[[str], None]) -> AsyncIterator[str]:
    """Answer for `hub` where the user said: `""` (the socket of `places`), a path, `HOST:PORT`, or `off`.

    Gives the address, empty for none. `port` is the data port's. What cannot be had is an error where it was asked for by
    name, and one line where it was not. Raises UsageError.
    """
    if where == "off":
        yield ""
        return
    try:
        listener, gate, shown, path = _listen(where, port, narrate)
    except RespoolError as error:
        if where:
            raise
        narrate(f"respool: no control API: {error.message}" + (f" ({error.hint})" if error.hint else ""))
        yield ""
        return
    made = path.lstat().st_ino if path is not None else 0
    server = ConnectionServer(Control(hub, gate).handle, narrate=narrate)
    loop = asyncio.get_running_loop()
    service = await (
        loop.create_unix_server(server, sock=listener)
        if path is not None
        else loop.create_server(server, sock=listener)
    )
    try:
        yield shown
    finally:
        hub.finish()
        service.close()
        server.pre_shutdown()
        await asyncio.sleep(0)  # who reads gets the last event
        await server.shutdown(0.5)
        if path is not None:
            places.release(path, listener, made)


def _listen(where: str, port: int, narrate: Callable[[str], None]) -> tuple[socket.socket, Gate, str, Path | None]:
    address = None if "/" in where else re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]+)):([0-9]{1,5})", where)
    if address is None:
        path = Path(where) if where else places.place_for(port)
        return places.bind(path), Gate(), str(path), path
    from ..server import listen
    from .gate import TOKEN_VARIABLE, token_of_user

    if int(address[3]) > 65535:
        raise UsageError(f"{address[3]} is not a port", "ports are 0 to 65535; 0 takes a free one")
    token, drawn = token_of_user()
    listener = listen(address[1] or address[2], int(address[3]))
    host, bound = listener.getsockname()[:2]
    shown = f"http://[{host}]:{bound}" if ":" in host else f"http://{host}:{bound}"
    narrate(f"respool: the control API is at {shown}")
    if drawn:
        narrate(f"respool: the token of the control API is {token} ({TOKEN_VARIABLE} for `respool inspect`)")
    return listener, Gate(Doors(host, bound), token), shown, None


def _number(asked: dict[str, str], name: str, default: int) -> int:
    text = asked.get(name, "")
    if not text:
        return default
    if not re.fullmatch("[0-9]{1,18}", text):
        raise UsageError(f"`{name}` is not a number")
    return int(text)


def _said(value: dict[str, Any]) -> Answer:
    return json_answer(200, json.dumps(value).encode() + b"\n")


def _bytes(data: bytes, kind: bytes) -> Answer:
    head = wire.write_head(wire.status_line(200), [(b"Content-Type", kind), (b"Content-Length", b"%d" % len(data))])
    return Answer(head + data)


def _encoded(interaction: Interaction) -> bytes:
    response = interaction.response
    return encode_interaction(interaction, interaction.request.body.read(), response.body.read() if response else b"")


def _shortened(interaction: Interaction) -> Interaction:
    """With the first MOST_BODY bytes of each body, and a note of how long the whole ones are where that is more."""
    request, response = interaction.request, interaction.response
    lengths = {"request": request.body.length, "response": response.body.length if response is not None else 0}
    cut = {name: length for name, length in lengths.items() if length > MOST_BODY}
    if response is not None and len(response.marks) > MOST_MARKS:
        response = replace(response, marks=())
    request = replace(request, body=_first(request.body))
    if response is not None:
        response = replace(response, body=_first(response.body), marks=() if "response" in cut else response.marks)
    extra = {**interaction.extra, "shortened": cut} if cut else interaction.extra
    return replace(interaction, request=request, response=response, extra=extra)


def _first(body: Body) -> Body:
    if body.at_hand and body.length <= MOST_BODY:
        return body
    pieces: list[bytes] = []
    left = MOST_BODY
    for piece in body.pieces():
        pieces.append(piece[:left])
        left -= len(pieces[-1])
        if left <= 0:
            break
    return Body.of(b"".join(pieces))
