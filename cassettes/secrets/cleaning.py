"""All that is taken out of a text at once: known values, what the rules find, and what a stream tells piece by piece.

What overlaps is one place, replaced once. Text as it came is searched, never what was put in.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..scrubber import spans_of
from .finder import PLACEHOLDER, Edit, Replacer, clean, edited, edits_of, find, hide
from .policy import PLAIN, Policy
from .streams import is_stream, stream_edits
from .unfinished import shown_for, unfinished

CONTEXT = 256
"""Bytes before a place that a rule may look back at."""
HOLD = 16_384
WINDOW = 131_072
MOST_HELD = 16 << 20
"""Bytes of one secret that are held until its end comes. Of a longer one, what comes after stays where no rule sees it."""


@dataclass(frozen=True, slots=True)
class Cleaning:
    """Which rules apply, and what is put in the place of what they find. No policy: known values alone."""

    policy: Policy | None = PLAIN
    replacer: Replacer = hide

    def edits(self, data: bytes, taint: Iterable[bytes], *, cut: bool = False) -> list[Edit]:
        """What is to be changed in `data`, in order and apart. `cut`: it was broken off, within a secret perhaps."""
        return _merged(self.grouped(data, taint, cut=cut))

    def grouped(
        self, data: bytes, taint: Iterable[bytes], *, stream: bool | None = None, cut: bool = False
    ) -> list[list[Edit]]:
        """The same before overlaps are settled, the edits of one secret together, the more telling first."""
        taint = list(taint)
        groups: list[list[Edit]] = []
        if is_stream(data) if stream is None else stream:
            groups += stream_edits(data, self.policy, taint, self.replacer, cut=cut)
        if taint:
            groups += [[Edit(start, end, PLACEHOLDER)] for start, end in spans_of(data, taint)]
        if self.policy is not None:
            spans = find(data, self.policy)
            if spans:
                groups += [[edit] for edit in edits_of(data, spans, self.policy, self.replacer)]
        if cut:
            begun = unfinished(data, self.policy, taint)
            groups += [[Edit(each.start, each.end, shown_for(each, data, self.replacer))] for each in begun]
        return groups

    def value(self, data: bytes) -> bytes:
        """A header's value, a name or another short text, without what the rules find."""
        return (
            _value(data, self.policy, self.replacer) if len(data) <= 1024 else clean(data, self.policy, self.replacer)
        )

    def values(self, texts: list[bytes]) -> list[bytes]:
        """Several short texts, each as `value` gives it. One search of all that are new tells that there is nothing in any."""
        known = _known(self.policy)
        new = [text for text in texts if text not in known]
        if new and self.policy is not None:
            if not self.policy.adds:
                new = [text for text in new if _ANOTHER_EACH_TIME.fullmatch(text) is None]
                if not new:
                    return texts
            joined = _BETWEEN.join(new)
            if len(joined) > 4096 or b'"' in joined or b"'" in joined or find(joined, self.policy):
                cleaned = [text if text in known else self.value(text) for text in texts]
                pairs = zip(texts, cleaned, strict=True)
                new = [text for text, left in pairs if left == text and len(text) <= _LONGEST_KNOWN]
                texts = texts if cleaned == texts else cleaned
            if len(known) + len(new) > 4096:
                known.clear()
            known.update(new)
        return texts


_ANOTHER_EACH_TIME = re.compile(
    rb"(?:req_)?[0-9a-f-]{1,64}(?:-[A-Z]{3})?"
    rb"|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
)
"""What a request is called (by its server, by a network, a UUID), and dates: no rule of the table finds anything in them."""
_LONGEST_KNOWN = 1024
_BETWEEN = b"\n&"
"""Between texts that are searched at once: no secret reaches across it, and a pair of a form may begin behind it."""


@lru_cache(maxsize=16)
def _known(policy: Policy | None) -> set[bytes]:
    """Texts in which this policy finds nothing: most header lines come again with each call."""
    return set()


DEFAULT = Cleaning()


@lru_cache(maxsize=2048)
def _value(data: bytes, policy: Policy | None, replacer: Replacer) -> bytes:
    return clean(data, policy, replacer)


def _merged(groups: list[list[Edit]]) -> list[Edit]:
    """In order and apart. Of edits that overlap, the text of the first group counts that touches the place."""
    if not groups:
        return []
    flat = sorted((edit.start, rank, edit) for rank, group in enumerate(groups) for edit in group)
    apart: list[tuple[int, Edit]] = []
    for start, rank, edit in flat:
        if apart and start < apart[-1][1].end:
            first, last = apart[-1]
            text = last.text if first <= rank else edit.text
            apart[-1] = min(first, rank), Edit(last.start, max(last.end, edit.end), text)
        else:
            apart.append((rank, edit))
    return [edit for _, edit in apart]


class Sweeper:
    """Cleans a text that goes by, in bounded memory: a window at a time, each with an overlap as long as what rules look for.

    What `feed` returns is safe to write. A secret that reaches beyond its window is waited for, up to MOST_HELD bytes.
    """

    def __init__(self, cleaning: Cleaning, taint: Sequence[bytes] = ()) -> None:
        self._cleaning = cleaning
        self._taint = [value for value in taint if value]
        self._hold = max([HOLD, *map(len, self._taint)])
        self._before = b""
        self._text = bytearray()
        self._stream: bool | None = None
        self._wanted = WINDOW + self._hold
        """Bytes that are to be there before they are looked at: twice as many each time that one secret fills them all."""
        self._taken_in = 0
        self.changes: list[tuple[int, int]] = []
        """Where in the text that was fed a replaced place ended, and by how much it has grown."""

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; give what is sure by now."""
        out: list[bytes] = []
        for begin in range(0, len(data), WINDOW):
            self._text += data[begin : begin + WINDOW]
            if len(self._text) >= self._wanted:
                out.append(self._taken(self._hold))
        return b"".join(out)

    def finish(self, *, cut: bool = False) -> bytes:
        """The rest. Nothing can be fed after. `cut`: the text was broken off."""
        return self._taken(0, broken=cut)

    def _taken(self, hold: int, *, broken: bool = False) -> bytes:
        text = self._before + bytes(self._text)
        if self._stream is None:
            self._stream = is_stream(text)
        began = len(self._before)
        groups = self._cleaning.grouped(text, self._taint, stream=self._stream, cut=broken)
        cut = len(text) - hold
        if hold and self._stream:
            cut = max(text.rfind(b"\n", began, cut) + 1, began) or cut
        for group in sorted(groups, key=lambda group: -group[0].start):
            if group[0].start < cut < group[-1].end:
                cut = group[0].start
        self._wanted = WINDOW + self._hold
        if cut <= began and hold:
            if len(self._text) < MOST_HELD:
                self._wanted = min(2 * len(self._text), MOST_HELD)
                return b""
            cut = len(text) - hold
        edits = [edit for edit in _merged(groups) if began <= edit.start < cut]
        out = edited(text[began:cut], [Edit(e.start - began, min(e.end, cut) - began, e.text) for e in edits])
        for edit in edits:
            end = min(edit.end, cut)
            self.changes.append((self._taken_in + end - began, len(edit.text) - (end - edit.start)))
        self._taken_in += cut - began
        self._before = text[max(cut - CONTEXT, 0) : cut]
        del self._text[: cut - began]
        return out
