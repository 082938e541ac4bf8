"""A cassette of calls that a test writes in line."""

from collections.abc import Iterable
from pathlib import Path

from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.scopes import scope_of
from respool.cassettes.summaries import summarise
from respool.cassettes.writer import Writer

JSON = (b"Content-Type", b"application/json")
Call = tuple[str, bytes, bytes, bytes | Response, int]
"""Method, target, request body, response (or its body), status."""


def write_cassette(path: Path, calls: Iterable[Call]) -> Path:
    """Write calls of (method, target, request body, response or body, status) in their order."""
    with Writer.create(path, meta={"upstream": "http://upstream.test/v1"}) as writer:
        for number, call in enumerate(calls):
            method, target, asked, answered, status = call
            request = Request(method, target, (JSON,) if asked else (), Body.of(asked))
            response = answered
            if isinstance(answered, bytes):
                head = (JSON, (b"Content-Length", b"%d" % len(answered)))
                response = Response(status, b"OK", head, Body.of(answered), head_us=1000)
            interaction = Interaction(
                writer.next_arrival(),
                1_700_000_000_000_000 + number,
                request,
                response,
                End.COMPLETE,
                2000,
                scope_of(request, response),
            )
            writer.append(interaction, summarise(interaction))
    return path
