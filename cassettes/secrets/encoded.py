"""What base64 in a text says, and how a change of it is spelled: in the letters, the padding and the lines that were there.

Only runs that are long enough to hold a secret and its context are read. A run may begin with letters of a word before it, so
that it is read from each of its first four places. Lines of equal length, and a shorter one behind them, are one run, whatever
breaks them: a line feed, CRLF, or the escapes of both.
"""

import binascii
import re
from base64 import b64encode
from collections.abc import Iterator
from typing import NamedTuple

SHORTEST = 36
"""Letters of a run that is read."""
_RUNS = bytes(65 if chr(code) in "+/_-" or (code < 128 and chr(code).isalnum()) else 32 for code in range(256))
_LONG_RUN = b"A" * SHORTEST
_PADDING = re.compile(rb"={0,2}+")
_BREAK = re.compile(rb"(?:\r?\n|\\{1,15}r\\{1,15}n|\\{1,15}n|%0[Dd]%0[Aa]|%0[Aa])[ \t]{0,16}+(?=[A-Za-z0-9+/_-])")
_READABLE = bytes(65 if 32 <= code < 127 else 32 for code in range(256))
_READABLE_RUN = b"A" * 10
"""Signs in a row that the shortest name with its value has."""
_FIRST = bytes(65 if 73 <= code <= 90 or 97 <= code <= 102 else 32 for code in range(256))
_FIRST_OF_TEXT = b"AA"
"""The first letters of the groups that are readable whole: `I` to `Z` and `a` to `f`."""
_NO_TEXT = re.compile(rb"(?:req_)?[0-9a-fA-F-]*")
"""Digests, UUIDs and names of requests: in base64 no text looks like that."""


class Block(NamedTuple):
    """A run: where it stands, its letters without the breaks between lines, the length of a line and what breaks it."""

    start: int
    end: int
    text: bytes
    width: int
    between: bytes

    def said(self) -> Iterator[tuple[int, bytes]]:
        """What it says, read from each of its first four places that makes text of it."""
        if self.text.islower():
            return  # what a secret is made of does not come out in small letters alone
        for skipped in range(4):
            if _FIRST_OF_TEXT in self.text[skipped::4].translate(_FIRST):
                said = decoded(self.text[skipped:])
                if _READABLE_RUN in said.translate(_READABLE):
                    yield skipped, said

    def spelled(self, skipped: int, said: bytes) -> bytes:
        """The run as it would be if it said this from the place `skipped` on."""
        run = self.text[skipped:]
        for_urls = b"-" in run or b"_" in run
        coded = b64encode(said, b"-_" if for_urls else None)
        unpadded = not run.endswith(b"=") and (for_urls or len(run) % 4)
        text = self.text[:skipped] + (coded.rstrip(b"=") if unpadded else coded)
        if not self.between:
            return text
        return self.between.join(text[at : at + self.width] for at in range(0, len(text), self.width))


def blocks(data: bytes, *, lines: bool = True) -> Iterator[Block]:
    """The runs of base64 in a text that may say something. `lines`: those that are broken into lines are one."""
    flat = data.translate(_RUNS)
    start = flat.find(_LONG_RUN)
    while start >= 0:
        end = _run_end(flat, start)
        width, between, pieces = end - start, b"", [data[start:end]]
        while lines:
            broken = _BREAK.match(data, end)
            if broken is None or (between and broken[0] != between):
                break
            begin, stop = broken.end(), _run_end(flat, broken.end())
            if stop - begin > width:
                break
            between = broken[0]
            pieces.append(data[begin:stop])
            end = stop
            if stop - begin < width:
                break
        padding = _PADDING.match(data, end)
        last = end if padding is None else padding.end()
        text = b"".join(pieces) + data[end:last]
        if not _NO_TEXT.fullmatch(text):
            yield Block(start, last, text, width, between)
        start = flat.find(_LONG_RUN, last)


def _run_end(flat: bytes, start: int) -> int:
    end = flat.find(b" ", start)
    return len(flat) if end < 0 else end


def decoded(run: bytes) -> bytes:
    """What a run says; nothing where it is no base64."""
    text = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    if len(text) % 4 == 1:
        text = text[:-1]
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return b""
