"""Cassettes that the campaigns attack, each with what is in it. Another kind of file is another line in SMALL or LARGE."""

import random
from collections.abc import Callable
from pathlib import Path

from cassette_samples import call, summary, whole, write
from respool.cassettes.interaction import Body, End, Interaction, Request, Response
from respool.cassettes.packing import pack_in_place
from respool.cassettes.reader import Reader
from respool.cassettes.writer import Writer

Specimen = Callable[[Path], list[Interaction]]
"""Writes a cassette, and returns its interactions in the order in which they ended."""


def noise(size: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size)


def stream(arrival: int, events: int) -> Interaction:
    """A streamed run, cut by the client."""
    pieces = [b'event: thread.message.delta\ndata: {"number": %d}\n\n' % number for number in range(events)]
    marks = tuple((len(piece), 1_000 * number) for number, piece in enumerate(pieces))
    headers = ((b"content-type", b"text/event-stream"),)
    response = Response(200, b"OK", headers, Body.of(b"".join(pieces)), head_us=2, marks=marks)
    request = Request("POST", b"/threads/a/runs", (), Body.of(b'{"stream": true}'))
    return Interaction(arrival, 1_000 + arrival, request, response, End.CLIENT_CUT, 9, "thread_a")


def few_kilobytes(path: Path) -> list[Interaction]:
    """Some of everything, in about four kilobytes: two seals, body pieces, one of them compressed, an answer that never came."""
    cut = Interaction(4, 1_004, Request("POST", b"/x", (), Body.of(b"{}")), None, End.UPSTREAM_FAILED, 9, "/x")
    body = noise(600, 1)
    calls = [call(1, b"one"), call(0, body, scope="/files"), call(2, body), call(3, b"x" * 5_000), cut]
    write(path, calls, segments=2)
    return calls


def tens_of_kilobytes(path: Path) -> list[Interaction]:
    """Two seals, streams, bodies that compress and bodies that do not."""
    calls = [stream(0, 40), call(1, noise(9_000, 2)), call(3, noise(600, 3), scope="/files"), call(2, b"text " * 3_000)]
    calls += [call(number, noise(700 * (number % 4), number), scope=f"thread_{number % 3}") for number in range(4, 24)]
    calls += [stream(24, 25), call(25, noise(600, 3)), call(26, b"the end")]
    write(path, calls, segments=2)
    return calls


def packed(specimen: Specimen) -> Specimen:
    """The first half of the same in packs, where they stand thread by thread, and the rest appended in two goes."""

    def make(path: Path) -> list[Interaction]:
        calls = specimen(path)
        path.unlink()
        half = len(calls) // 2
        write(path, calls[:half])
        pack_in_place(path)
        with Reader.open(path) as reader:
            first = [whole(reader.interaction(row)) for row in reader.rows_by_scope()]
        for rest in (calls[half:-1], calls[-1:]):
            with Writer.append_to(path) as writer:
                for one in rest:
                    writer.append(one, summary(one, one.arrival % 3))
        return first + calls[half:]

    return make


SMALL: dict[str, Specimen] = {"plain": few_kilobytes, "packed": packed(few_kilobytes)}
LARGE: dict[str, Specimen] = {"plain": tens_of_kilobytes, "packed": packed(tens_of_kilobytes)}
