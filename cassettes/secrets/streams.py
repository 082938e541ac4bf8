"""Secrets that a stream of events tells piece by piece: a message's text, a tool's arguments, joined and then looked at.

The pieces that belong together are the strings of one name below one id and index, an event a line. What replaces a secret stands
in the first piece that it touches; from later ones its part is taken, so that every event stays, in its place and time.
"""

import re
from collections.abc import Iterable

from ..scrubber import spans_of
from .finder import PLACEHOLDER, Edit, Replacer, find
from .policy import Policy
from .telling import Span

_TOKEN = re.compile(
    rb'"(?:(id|item_id)"\s{0,8}:\s{0,8}"([^"\\]{0,128})"|(index|output_index|content_index)"\s{0,8}:\s{0,8}([0-9]{1,9})'
    rb'|(value|arguments|input|output|text|content|delta|refusal|logs|reasoning|partial_json)"\s{0,8}:\s{0,8}"'
    rb'((?:[^"\\]++|\\.)*+)")',
    re.DOTALL,
)
MOST_PIECES = 200_000

Key = tuple[bytes, tuple[bytes, ...], bytes, int]
Places = list[tuple[int, int]]


def is_stream(data: bytes) -> bool:
    """Whether a body is one of events."""
    head = data[:256].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    return head.startswith((b"event:", b"data:", b"id:", b"retry:", b":")) and b"data:" in data


def pieces_of(data: bytes) -> list[Places]:
    """Where the pieces of each text stand that comes in more than one, in order."""
    return [places for places in texts_of(data).values() if len(places) > 1]


def texts_of(data: bytes) -> dict[Key, Places]:
    """Where the pieces of each text stand, in order: by the id that the event begins with, the indices, the name, its number."""
    texts: dict[Key, Places] = {}
    count = begin = 0
    lines = data.replace(b"\r", b"\n") if b"\r" in data else data  # a CR alone ends a line, too
    while begin < len(data) and count < MOST_PIECES:
        end = lines.find(b"\n", begin)
        end = len(data) if end < 0 else end
        if data.startswith(b"data:", begin):
            name = b""
            indices: list[bytes] = []
            found: list[tuple[bytes, tuple[int, int]]] = []
            for token in _TOKEN.finditer(data, begin, end):
                if token[1]:
                    name = name or token[2]
                elif token[3]:
                    indices.append(token[4])
                else:
                    found.append((token[5], token.span(6)))
            for number, (field, place) in enumerate(found):
                texts.setdefault((name, tuple(indices), field, number), []).append(place)
            count += len(found)
        begin = end + 1
    return texts


def stream_edits(data: bytes, policy: Policy | None, taint: Iterable[bytes], replacer: Replacer) -> list[list[Edit]]:
    """The edits of each secret that stands in the joined text of a stream, those of one secret together."""
    taint = list(taint)
    done: list[list[Edit]] = []
    for places in pieces_of(data):
        text = b"".join([data[start:end] for start, end in places])
        spans = [
            Span(start, end, "", "taint") for start, end in spans_of(text, [each for each in taint if each in text])
        ]
        if policy is not None:
            spans += [span for span in find(text, policy) if span.kind != "base64"]
        if spans:
            spans.sort()
            done += _laid_out(text, places, spans, replacer)
    return done


def _laid_out(text: bytes, places: Places, spans: list[Span], replacer: Replacer) -> list[list[Edit]]:
    """The spans of the joined text as edits of its pieces."""
    done: list[list[Edit]] = []
    number = before = covered = 0
    for start, end, kind, _, quote in spans:
        start = max(start, covered)
        if start >= end:
            continue
        covered = end
        shown = quote + replacer(kind, text[start:end]) + quote if kind else PLACEHOLDER
        while before + places[number][1] - places[number][0] <= start:
            before += places[number][1] - places[number][0]
            number += 1
        edits: list[Edit] = []
        at, piece = before, number
        while piece < len(places) and at < end:
            begin, stop = places[piece]
            first, last = max(start - at, 0), min(end - at, stop - begin)
            if first < last:
                edits.append(Edit(begin + first, begin + last, b"" if edits else shown))
            at += stop - begin
            piece += 1
        done.append(edits)
    return done
