"""Small cassettes and interactions that several tests of the file make."""

from dataclasses import replace
from pathlib import Path

from respool.cassettes.interaction import Body, Interaction, Request, Response
from respool.cassettes.reader import Reader
from respool.cassettes.scopes import scope_hash
from respool.cassettes.summary import Summary
from respool.cassettes.writer import Writer

FILE_ID = b"\x01\x02\x03\x04" + bytes(12)


def call(arrival: int, body: bytes = b"", *, scope: str = "thread_a", **fields) -> Interaction:
    response = Response(200, b"OK", ((b"content-type", b"application/json"),), Body.of(body), "", 3)
    return Interaction(
        arrival, 1_000 + arrival, Request("GET", b"/threads/a"), response, scope=scope, duration_us=9, **fields
    )


def summary(interaction: Interaction, key: int = 5) -> Summary:
    return Summary(
        key,
        scope_hash(interaction.scope),
        6,
        interaction.arrival,
        interaction.started_us,
        interaction.duration_us,
        interaction.response.status if interaction.response else 0,
        2,
        0,
        interaction.variant,
    )


def write(path: Path, interactions: list[Interaction], *, segments: int = 1) -> bytes:
    """A sealed cassette of these, in as many segments."""
    step = -(-len(interactions) // segments) or 1
    for at in range(0, len(interactions) or 1, step):
        first = at == 0
        writer = Writer.create(path, file_id=FILE_ID, clock=lambda: 5.0) if first else Writer.append_to(path)
        with writer:
            for interaction in interactions[at : at + step]:
                writer.append(interaction, summary(interaction, interaction.arrival % 3))
    return path.read_bytes()


def read(path: Path) -> list[Interaction]:
    with Reader.open(path) as reader:
        return [whole(reader.interaction(row)) for row in reader.rows()]


def whole(interaction: Interaction) -> Interaction:
    """The interaction, its bodies read."""
    request, response = interaction.request, interaction.response
    return replace(
        interaction,
        request=replace(request, body=Body.of(request.body.read())),
        response=None if response is None else replace(response, body=Body.of(response.body.read())),
    )


def put(writer: Writer, body: bytes | Body = b"", *, scope: str = "thread_a", **fields) -> Interaction:
    """Append one interaction whose response has this body."""
    arrival = writer.next_arrival()
    body = body if isinstance(body, Body) else Body.of(body)
    interaction = Interaction(
        arrival, 7, Request("GET", b"/threads/a"), Response(200, body=body), scope=scope, **fields
    )
    writer.append(interaction, Summary(5, scope_hash(interaction.scope), 6, arrival, 7, 0, 200, 2, 0, 0))
    return interaction


def contents(path: Path) -> list[bytes]:
    with Reader.open(path) as reader:
        responses = [reader.interaction(row).response for row in reader.rows()]
        return [response.body.read() for response in responses if response is not None]
