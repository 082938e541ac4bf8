"""One call as it was recorded: request and answer with all header lines, and the bodies in one of four forms.

`pretty` sets JSON out in lines, `raw` shows the text as it is, `hex` the bytes, `frames` each piece of a stream with the
time at which it came. What acts on a screen is shown as `\\x1b`, so that nothing is lost and nothing acts.
"""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime

from ..cassettes.interaction import Body, Headers, Interaction
from ..cassettes.models import parse
from ..cassettes.outcomes import ENDS, fault_text, held_text
from ..cassettes.secrets.finder import has_put_in
from ..cassettes.text import clip, safe
from .document import Document, Line
from .ink import Ink
from .waterfall import seconds

MAX_BODY = 256 << 10
"""Bytes of a body that are shown; of `hex`, a quarter of it."""
MAX_LINE = 4_000
MAX_HEADERS = 500
MOST_FRAMES = 5_000


def raw(interaction: Interaction, mode: str) -> Document:
    """The call in one of `MODES`."""
    return Document(tuple(_lines(interaction, mode)))


def _lines(interaction: Interaction, mode: str) -> Iterator[Line]:
    request, response = interaction.request, interaction.response
    yield Line(
        0,
        (
            (f"call {interaction.arrival:,}", "strong"),
            (f"  {_moment(interaction.started_us)}", "dim"),
            (f"  {mode}", "wait"),
            ("  v next", "dim"),
        ),
    )
    yield Line()
    yield Line(0, ((clip(request.method, 40) + " ", "name"), (clip(request.target, MAX_LINE), "strong")))
    yield from _headers(request.headers)
    yield from _coding(request.coding)
    if interaction.request_cut:
        yield Line(0, (("! the request did not arrive whole", "bad"),))
    yield from _body(request.body, "frames" if mode == "frames" else mode, ())
    yield from _met(interaction, mode)
    yield Line()
    if response is None:
        yield Line(0, (("! no answer was recorded", "bad"),))
    else:
        ink: Ink = "bad" if response.status >= 400 else "good"
        times = f"  head {seconds(response.head_us)}, all {seconds(interaction.duration_us)}"
        yield Line(
            0,
            (
                (f"{'!' if ink == 'bad' else '✓'} {response.status} ", ink),
                (clip(response.reason, 200), ink),
                (times, "dim"),
            ),
        )
        yield from _headers(response.headers)
        yield from _coding(response.coding)
        yield from _body(response.body, mode, response.marks)
    if ended := ENDS.get(interaction.end, ""):
        yield Line(0, ((f"! {ended}", "bad"),))


def _headers(headers: Headers) -> Iterator[Line]:
    for name, value in headers[:MAX_HEADERS]:
        ink: Ink = "wait" if has_put_in(value) else ""
        yield Line(0, ((clip(name, 200) + ": ", "dim"), (clip(value, MAX_LINE), ink)))
    if len(headers) > MAX_HEADERS:
        yield Line(0, ((f"… {len(headers) - MAX_HEADERS:,} more header lines", "wait"),))


def _coding(coding: str) -> Iterator[Line]:
    if coding:
        yield Line(0, ((f"(stored decoded; on the wire it was {clip(coding, 100)})", "dim"),))


def _body(body: Body, mode: str, marks: tuple[tuple[int, int], ...]) -> Iterator[Line]:
    if not body:
        return
    data = start_of(body, MAX_BODY)
    yield Line()
    if mode == "hex":
        shown = data[: MAX_BODY // 4]
        yield from _hex(shown)
    elif mode == "frames" and marks:
        shown = data
        yield from _frames(data, marks)
    else:
        shown = data
        text = set_out(data) if mode == "pretty" else data.decode("utf-8", "backslashreplace")
        yield from text_lines(text)
    if body.length > len(shown):
        yield Line(0, ((f"… {body.length - len(shown):,} more bytes are not shown here", "wait"),))


def _met(interaction: Interaction, mode: str) -> Iterator[Line]:
    """Which faults it met, that it was held on its way, and what was sent in the place of what came."""
    if struck := fault_text(interaction):
        yield Line()
        yield Line(0, ((f"! {clip(struck, MAX_LINE)}", "wait"),))
    if not (said := held_text(interaction)):
        return
    yield Line()
    yield Line(0, ((f"⏸ {said}", "wait"),))
    told = interaction.extra["intercepted"]
    for name in ("target", "body"):
        sent = told.get(name) if isinstance(told, dict) else None
        if isinstance(sent, bytes):
            yield Line(0, ((f"{name} sent upstream:", "dim"),))
            yield from _body(Body.of(sent), "pretty" if mode == "frames" else mode, ())


def text_lines(text: str) -> Iterator[Line]:
    """A text as lines, each capped."""
    for line in safe(text, keep_newlines=True).split("\n"):
        bare = line.lstrip(" ")
        yield Line(min(len(line) - len(bare), 200), ((clip(bare, MAX_LINE), ""),))


def start_of(body: Body, most: int) -> bytes:
    """The first bytes of a body, without reading more pieces than these need."""
    found = bytearray()
    for piece in body.pieces():
        found += piece[: most - len(found)]
        if len(found) >= most:
            break
    return bytes(found)


def pretty(data: bytes) -> str:
    """JSON set out in lines; what is none as it is."""
    value = parse(data)
    if isinstance(value, (dict, list)):
        with contextlib.suppress(ValueError, RecursionError):
            return json.dumps(value, indent=2, ensure_ascii=False)
    return data.decode("utf-8", "backslashreplace")


def set_out(data: bytes) -> str:
    """The same, to be read alone: of a stream the data of each event is set out, too, where that is JSON."""
    if not data.lstrip().startswith((b"event:", b"data:")):
        return pretty(data)
    lines = data.decode("utf-8", "backslashreplace").split("\n")
    return "\n".join(
        "data: " + pretty(line[5:].encode()).lstrip() if line.startswith("data:") else line for line in lines
    )


def _hex(data: bytes) -> Iterator[Line]:
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        left = " ".join(f"{byte:02x}" for byte in row[:8])
        right = " ".join(f"{byte:02x}" for byte in row[8:])
        seen = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in row)
        yield Line(0, ((f"{at:08x}  ", "dim"), (f"{left:<23}  {right:<23}", ""), (f"  {seen}", "name")))


def _frames(data: bytes, marks: tuple[tuple[int, int], ...]) -> Iterator[Line]:
    start = before = 0
    for number, (length, at_us) in enumerate(marks):
        if start >= len(data) or number >= MOST_FRAMES:
            break
        waited = f"+{seconds(max(at_us - before, 0))}" if number else ""
        yield Line(0, ((f"{at_us / 1_000_000:>9.3f} s  ", "name"), (f"{length:,} B  {waited}", "dim")))
        piece = data[start : start + length].decode("utf-8", "backslashreplace").rstrip("\n")
        for line in text_lines(piece):
            yield line._replace(indent=min(line.indent + 4, 200))
        start, before = start + length, at_us
    if len(marks) > MOST_FRAMES:
        yield Line(0, ((f"… {len(marks) - MOST_FRAMES:,} more pieces", "wait"),))


def _moment(us: int) -> str:
    try:
        return (
            datetime.fromtimestamp(us / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"
            if us
            else "no time"
        )
    except (ValueError, OverflowError, OSError):
        return "no time"
