"""Secrets that a stream of events tells piece by piece: a message's text, a tool's arguments, joined and then looked at.

The pieces that belong together are the strings of one name below one id and index; they are joined without regard to ids, too,
since some servers give each event another, and without regard to outer indices, which not each event has. What replaces a secret
stands in the first piece that it touches; from later ones its part is taken, so that every event stays, in its place and time.
An event is what `data:` lines say, or a line of a body that has an object of JSON in each.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..scrubber import spans_of
from .finder import PLACEHOLDER, Edit, Replacer, edits_of, find
from .policy import Policy
from .unfinished import shown_for, unfinished

_TOKEN = re.compile(
    rb'"(?:(id|item_id)"\s{0,8}:\s{0,8}"([^"\\]{0,128})"|(index|output_index|content_index)"\s{0,8}:\s{0,8}([0-9]{1,9})'
    rb"|(value|arguments|input|output|text|content|delta|refusal|logs|reasoning|partial_json|reasoning_content|thinking|summary"
    rb'|code|completion|response|answer|generated_text|message|token|transcript|result|stdout|stderr|query|data|chunk|line)"\s{0,8}:\s{0,8}"'
    rb'((?:[^"\\]++|\\.)*+)")',
    re.DOTALL,
)
_BARE = re.compile(rb'[ \t]?(?![ \t{}\[\]])"?([^\r\n"]*+)')
"""The text of an event that is no object: a word, or a string of JSON."""
_OBJECTS = re.compile(rb"\}[ \t]{0,8}\r?\n[ \t\r\n\x1e]{0,8}\{")
"""Where one object ends a line and another begins the next."""
_BEFORE = b"\xef\xbb\xbf \t\r\n\x1e"
_ODD = b"{\x1e\xef"
"""What a line of an event may begin with besides `data:`."""
_OPENED = (b"{", b" {")
MOST_INDICES = 64
"""Bytes of the indices of an event that count: what is nested deeper than that is nobody's."""
MOST_OPEN = 64
"""Texts of a stream that may have been under way when it was cut."""
MOST_PIECES = 200_000

Places = list[tuple[int, int]]


@dataclass(slots=True)
class Text:
    """Where the pieces of a text stand, in order, and the id of the event that the last one came in."""

    name: bytes = b""
    places: Places = field(default_factory=list)


def is_stream(data: bytes) -> bool:
    """Whether a body is one of events."""
    head = data[:256].lstrip(_BEFORE)
    if head.startswith(b"{"):
        begin = data.find(b"{")
        end = data.find(b"\n", begin)
        return end > 0 and _OBJECTS.match(data, begin + len(data[begin:end].rstrip()) - 1) is not None
    return b"data:" in data and (head.startswith((b"event:", b"data:", b"id:", b"retry:", b":")) or b"\ndata:" in head)


def texts_of(data: bytes) -> list[Text]:
    """The texts of a stream, each once, though its pieces may belong together in more than one way."""
    groups = _Groups()
    lines = data.replace(b"\r", b"\n") if b"\r" in data else data  # a CR alone ends a line, too
    find, tokens, size = lines.find, _TOKEN.finditer, len(data)
    count = begin = 0
    name = indices = b""
    found: list[tuple[bytes, tuple[int, int], bytes]] = []
    while begin < size and count < MOST_PIECES:
        end = find(b"\n", begin)
        end = size if end < 0 else end
        if data.startswith(b"data:", begin):
            said = begin + 5
        else:
            said = _said(data, begin) if begin < end and data[begin] in _ODD else -1
        if begin == end or (said >= 0 and data.startswith(_OPENED, said)):
            if found:
                groups.add(name, found)
                found = []
            name = indices = b""
        if said >= 0:
            before = len(found)
            for token in tokens(data, said, end):
                kind = token.lastindex
                if kind == 2:
                    name = name or token[2]
                elif kind == 4:
                    indices = (indices + b" " + token[4])[-MOST_INDICES:]
                else:
                    found.append((token[5], token.span(6), indices))
            if len(found) == before and (bare := _BARE.match(data, said, end)) is not None and bare[1]:
                found.append((b"", bare.span(1), b""))
            count += len(found) - before
        begin = end + 1
    if found:
        groups.add(name, found)
    return groups.texts()


def _said(data: bytes, begin: int) -> int:
    """Where an object begins that a line has without `data:`, or what is said behind a mark; -1 for other lines."""
    head = data[begin : begin + 4]
    begin += len(head) - len(head.lstrip(_BEFORE))
    if data.startswith(b"data:", begin):
        return begin + 5
    return begin if data.startswith(b"{", begin) else -1


class _Groups:
    """The texts that pieces belong to, by their field, its number in the event, and the id or the indices of that."""

    def __init__(self) -> None:
        self._texts: dict[tuple[object, ...], Text] = {}
        self._of: dict[tuple[bytes, bytes, bytes, bytes, int], list[Text]] = {}

    def add(self, name: bytes, found: list[tuple[bytes, tuple[int, int], bytes]]) -> None:
        """Take the pieces of an event: their field, place, and the indices before them."""
        indices = found[-1][2]
        numbers: dict[bytes, int] = {}
        several = len(found) > 1
        for field_name, place, own in found:
            number = 0
            if several:
                number = numbers[field_name] = numbers.get(field_name, -1) + 1
            key = name, indices, own, field_name, number
            texts = self._of.get(key)
            if texts is None:
                texts = self._of[key] = self._joined(*key)
            for text in texts:
                text.name = name
                text.places.append(place)

    def _joined(self, name: bytes, indices: bytes, own: bytes, field_name: bytes, number: int) -> list[Text]:
        keys: list[tuple[object, ...]] = [(name, indices, field_name, number), (indices, field_name, number)]
        if own:
            keys.append((name, field_name, own.rpartition(b" ")[2]))
        return [self._texts.setdefault(key, Text()) for key in keys]

    def texts(self) -> list[Text]:
        return list({tuple(text.places): text for text in self._texts.values()}.values())


def stream_edits(
    data: bytes, policy: Policy | None, taint: Iterable[bytes], replacer: Replacer, *, cut: bool = False
) -> list[list[Edit]]:
    """The edits of each secret that stands in the joined text of a stream, those of one secret together.

    `cut`: it broke off, and its last texts may end with the beginning of one.
    """
    taint = list(taint)
    done: list[list[Edit]] = []
    for places, text in _last_texts(data) if cut else ():
        begun = unfinished(text, policy, taint)
        done += _laid_out(places, [Edit(each.start, each.end, shown_for(each, text, replacer)) for each in begun])
    for places, text in _joined(data):
        known = [each for each in taint if each in text]
        edits = [Edit(start, end, PLACEHOLDER) for start, end in spans_of(text, known)] if known else []
        if policy is not None and (spans := find(text, policy)):
            edits += edits_of(text, spans, policy, replacer)
        if edits:
            edits.sort()
            done += _laid_out(places, edits)
    return done


def _last_texts(data: bytes) -> list[tuple[Places, bytes]]:
    """The texts that the last events of a stream added to, the string in which it was cut among them."""
    texts = sorted(texts_of(data.rstrip(b"\\") + b'"'), key=lambda text: text.places[-1])[-MOST_OPEN:]
    return [(text.places, b"".join([data[start:end] for start, end in text.places])) for text in texts]


def joined_places(data: bytes, policy: Policy) -> Iterator[tuple[int, str]]:
    """Where a secret begins that the joined texts of a stream tell, and its rule."""
    for places, text in _joined(data):
        edits = [Edit(span.start, span.end, span.rule.encode()) for span in find(text, policy)]
        for group in _laid_out(places, edits):
            yield group[0].start, group[0].text.decode()


def _joined(data: bytes) -> Iterator[tuple[Places, bytes]]:
    """The texts that come in more than one piece."""
    for text in texts_of(data):
        if len(text.places) > 1:
            yield text.places, b"".join([data[start:end] for start, end in text.places])


def _laid_out(places: Places, found: list[Edit]) -> list[list[Edit]]:
    """Edits of the joined text as edits of its pieces."""
    done: list[list[Edit]] = []
    number = before = covered = 0
    for start, end, shown in found:
        start = max(start, covered)
        if start >= end:
            continue
        covered = end
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
