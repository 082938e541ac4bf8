"""The raw exchanges of one thread: a row each as HTML, with repeats folded, and what stands inside as inert JSON.

Nothing is left out silently: a body that is cut says how much is missing, and one that is not in the page says its size. A body
that repeats an earlier one of the thread stands there once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from ...cassettes.amounts import size
from ...cassettes.conversation import Recorded
from ...cassettes.courses import is_stream
from ...cassettes.interaction import Body, End, Headers, Interaction
from ...cassettes.models import MAX_BODY
from ...cassettes.operations import name_of, split_target
from ...cassettes.outcomes import ENDS
from ...cassettes.sightings import Sightings, timed_events
from ...cassettes.summary import WRITE, Row
from ...cassettes.text import clip
from .markup import line, symbol, took

MOST_BODY = 64_000
"""Bytes of one body that are in the page."""
MOST_RAW = 16_000_000
"""Characters of raw exchanges in one page."""
MOST_CALLS = 20_000
"""Exchanges that have a row in one page."""
MOST_EVENTS = 2_000
MOST_HEADERS = 100
_NOT_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f]")


@dataclass
class Room:
    """What one page still has room for, and what found none."""

    raw: int = MOST_RAW
    calls: int = MOST_CALLS
    bodies_cut: int = 0
    bodies_out: int = 0
    calls_out: int = 0


@dataclass
class Calls:
    """The calls of one thread: `rows` is HTML, `data` is what the page's script shows of each."""

    rows: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)


def calls_of(source: Recorded, rows: list[Row], sightings: Sightings, room: Room, number: int) -> Calls:
    """Read the calls of a thread, in order of arrival, into HTML and data; each is shown to `sightings` on the way."""
    calls = Calls()
    bodies: dict[bytes, str] = {}
    for _, group in groupby(rows, key=_alike):
        alike = list(group)
        lines: list[str] = []
        for row in alike:
            interaction = source.interaction(row)
            sightings.add(row, interaction)
            if room.calls <= 0:
                room.calls_out += 1
                continue
            room.calls -= 1
            name = f"{number}-{row.summary.arrival}"
            lines.append(_row(row, interaction, name))
            calls.data[name] = _data(interaction, room, bodies, name)
        if len(lines) > 2:
            first = alike[0].summary
            what = f"{len(lines):,} × {line(name_of(first.operation) or 'read')}, equal answers"
            folded = (
                f'<details class="repeats"><summary>{symbol("same")}{what}</summary><ol>{"".join(lines)}</ol></details>'
            )
            calls.rows.append(f"<li>{folded}</li>")
        else:
            calls.rows += lines
    return calls


def _alike(row: Row) -> tuple[int, ...]:
    """Reads that follow each other are alike when request and answer are; a write is like no other."""
    summary = row.summary
    return (summary.arrival,) if summary.flags & WRITE else (-1, summary.key, summary.answer)


def _row(row: Row, interaction: Interaction, name: str) -> str:
    request, status = interaction.request, row.summary.status
    _, path, query = split_target(request.target)
    target = _within((path + query).decode("utf-8", "backslashreplace"), interaction.scope)
    bad = status >= 400 or interaction.end is not End.COMPLETE
    operation = name_of(row.summary.operation) or ""
    end = "" if interaction.end is End.COMPLETE else f'<span class="end">{ENDS[interaction.end]}</span>'
    stream = '<span class="end">stream</span>' if interaction.response and is_stream(interaction.response) else ""
    shown = status or "–"
    named = f"<b>{line(operation)}</b> " if operation else ""
    verb = "write" if row.summary.flags & WRITE else "read"
    return (
        f'<li><details class="call{" bad" if bad else ""}" id="c{name}" data-call="{name}"><summary>'
        f'<span class="verb {verb}">{line(request.method, 10)}</span>'
        f'<span class="what">{named}<span class="path" dir="ltr">{line(target)}</span></span>{end}{stream}'
        f'<span class="code">{symbol("bad") if bad else ""}{shown}</span>'
        f'<span class="took">{took(interaction.duration_us)}</span></summary></details></li>'
    )


def _within(target: str, scope: str) -> str:
    """A target without the thread that the whole list is about; what is asked of it is seen then."""
    before, own, rest = target.partition(f"/threads/{scope}")
    return f"…{rest}" if own and not before and rest[:1] in ("/", "?") else target


def _data(interaction: Interaction, room: Room, bodies: dict[bytes, str], name: str) -> dict[str, Any]:
    request, response = interaction.request, interaction.response
    shown: dict[str, Any] = {
        "request": clip(request.target, 4_000),
        "method": clip(request.method, 20),
        "started": interaction.started_us,
        "took": interaction.duration_us,
        "sent": _headers(request.headers, room),
        "asked": _body(request.body, room, bodies, name + " request"),
    }
    if interaction.end is not End.COMPLETE:
        shown["end"] = ENDS[interaction.end]
    if interaction.request_cut:
        shown["cut"] = True
    if response is not None:
        shown |= {
            "status": response.status,
            "reason": clip(response.reason, 80),
            "head": response.head_us,
            "got": _headers(response.headers, room),
            "answer": _body(response.body, room, bodies, name + " answer"),
        }
        if is_stream(response):
            shown["events"] = list(_events(interaction, room))
    return shown


def _headers(headers: Headers, room: Room) -> list[list[str]]:
    shown = [[clip(name, 200), clip(value, 4_000)] for name, value in headers[:MOST_HEADERS]]
    room.raw -= sum(len(name) + len(value) for name, value in shown)
    return shown


def _body(body: Body, room: Room, bodies: dict[bytes, str], name: str) -> dict[str, Any] | None:
    """A body's text, with `cut` where it goes on; `size` alone where it is no text or finds no room; `same` as another."""
    if not body:
        return None
    told: dict[str, Any] = {"size": size(body.length)}
    if room.raw <= 0:
        room.bodies_out += 1
        return told
    data = _first(body, MOST_BODY)
    if len(data) == body.length:
        if (other := bodies.get(data)) is not None and len(data) > 200:
            return told | {"same": other}
        bodies[data] = name
    text = data.decode("utf-8", "replace")
    if _NOT_TEXT.search(text) or text.count("�") > 3:
        return told | {"binary": True}
    room.raw -= len(text)
    told["text"] = clip(text, MOST_BODY * 8, keep_newlines=True)
    if body.length > len(data):
        room.bodies_cut += 1
        told["cut"] = size(body.length - len(data))
    return told


def _first(body: Body, most: int) -> bytes:
    found = bytearray()
    for piece in body.pieces():
        found += piece[: most - len(found)]
        if len(found) >= most:
            break
    return bytes(found)


def _events(interaction: Interaction, room: Room) -> Iterator[list[object]]:
    """`[microseconds, name, data]` of each event; the last one may be `[count left out]`."""
    response = interaction.response
    if response is None or response.body.length > MAX_BODY or room.raw <= 0:
        return
    left = MOST_BODY * 2
    for count, (name, data, at) in enumerate(timed_events(interaction)):
        if count >= MOST_EVENTS or left <= 0:
            yield [f"only the first {count:,} events are in this page"]
            return
        shown = clip(data, 4_000)
        left -= len(shown)
        room.raw -= len(shown)
        yield [at, clip(name, 80), shown]
