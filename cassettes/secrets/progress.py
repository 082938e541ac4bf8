"""A stream that has not ended: how much of it can be shown without showing the first half of a secret.

A recording looks at a whole stream and can take out what its end makes a secret. Who looks on while it comes has only
its beginning, so the last of it is held back: what may still become a secret when more has come. That is, of each text
that may go on, its last word, what stands behind a telling name or within a private key, and, where there are rules for personal
data or rules of the user, some characters more. Whole events are shown or held back, so the cut stands between two.
"""

import re
from collections.abc import Iterable

from .cleaning import HOLD, Cleaning
from .finder import edited
from .names import STEMS
from .streams import texts_of

BEHIND_A_NAME = 512
"""Bytes behind a telling name that are held back with it."""
BEHIND_A_RULE = 256
_SPACE = re.compile(rb"[\s]|\\[nrt]")
_STEM = re.compile(b"|".join(map(re.escape, STEMS)), re.IGNORECASE)
_BLOCKS = ((b"-----BEGIN", b"-----END"), (b"---- BEGIN", b"---- END"), (b"Private-Lines:", b"Private-MAC:"))
"""What begins a private key of several lines, and what ends it."""
_WHOLE = re.compile(rb'"object"\s{0,8}:\s{0,8}"thread[."]')
_DELTA = re.compile(rb'delta"')


def shown_of(data: bytes, cleaning: Cleaning, taint: Iterable[bytes]) -> bytes:
    """What of a stream's beginning can be shown, without the secrets in it."""
    taint = list(taint)
    cut = settled(data, more=_more(cleaning, taint))
    if not cut:
        return b""
    groups = cleaning.grouped(data, taint)
    for group in sorted(groups, key=lambda group: -group[0].start):
        if group[0].start < cut < group[-1].end:
            cut = _event_before(data, group[0].start)
    edits = [edit._replace(end=min(edit.end, cut)) for edit in cleaning.edits(data, taint) if edit.start < cut]
    return edited(data[:cut], edits)


def settled(data: bytes, *, more: int = 0) -> int:
    """Where the events end that nothing still to come can make tell a secret; `more` bytes of each open text are held too."""
    end = _event_before(data, len(data))
    cut = end
    for known in texts_of(data[:end]):
        places = known.places
        if not _goes_on(data, known.name, places[-1][1], end):
            continue
        text = b"".join([data[start:stop] for start, stop in places])
        held = len(text) - _sure(text, more)
        for start, stop in reversed(places):
            if held <= 0:
                break
            cut = min(cut, _event_before(data, start))
            held -= stop - start
    return cut


def _more(cleaning: Cleaning, taint: list[bytes]) -> int:
    policy = cleaning.policy
    behind = BEHIND_A_RULE if policy is not None and (policy.pii or policy.texts or policy.names) else 0
    spaced = [len(value) for value in taint if _SPACE.search(value)]
    return max([behind, *spaced])


def _goes_on(data: bytes, name: bytes, last: int, end: int) -> bool:
    """Whether a text may have more pieces: neither it, nor what has come since of its id, is a whole object of the API."""
    if _is_whole(data, last, end):
        return False
    spelled = b'"' + name + b'"'
    place = data.find(spelled, last, end) if name else -1
    while place >= 0:
        if _is_whole(data, place, end):
            return False
        place = data.find(spelled, place + 1, end)
    return True


def _is_whole(data: bytes, place: int, end: int) -> bool:
    """Whether the line at a place has an object of the API, and no delta of one."""
    begin = data.rfind(b"\n", 0, place) + 1
    stop = data.find(b"\n", place, end)
    stop = end if stop < 0 else stop
    return _WHOLE.search(data, begin, stop) is not None and _DELTA.search(data, begin, stop) is None


def _sure(text: bytes, more: int) -> int:
    """How many bytes from the start of a text that goes on are sure to be no part of a secret."""
    floor = max(len(text) - HOLD, 0)
    sure = 0
    for space in _SPACE.finditer(text, max(len(text) - more - HOLD, 0), max(len(text) - more, 0)):
        sure = space.end()
    for begin, end in _BLOCKS:
        begun = text.rfind(begin, floor)
        if begun >= 0 and text.find(end, begun) < 0:
            sure = min(sure, begun)
    tail = max(len(text) - BEHIND_A_NAME, 0)
    stem = _STEM.search(text, tail)
    if stem is not None:
        sure = min(sure, stem.start())
    return max(sure, floor)


def _event_before(data: bytes, place: int) -> int:
    """Where the last event ends that is whole before a place."""
    return max(
        (found + len(mark) for mark in (b"\n\n", b"\r\n\r\n", b"\r\r") if (found := data.rfind(mark, 0, place)) >= 0),
        default=0,
    )
