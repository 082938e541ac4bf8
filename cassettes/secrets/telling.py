"""Values that stand beside a telling name: members of JSON at any depth, pairs of forms, fields in parts, assignments.

All of it is read in the raw bytes, so that JSON inside a string of JSON, whose quotes carry backslashes, is read the same way. A
strong name (`names`) gives its value away whatever it is, in a list too, and a number; a weak one, and most in running text, only
a value that looks as if it was drawn by lot.

The time grows with the length. A value is read to its end once: what stands within one that was passed over ends either before
the next name (a string, whose quotes carry more backslashes the deeper it is) or where the one before it ended, which is kept.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from ..vocabulary import API_ID, PREFIXES, VOCABULARY
from .names import ABROAD, BY_THE_USER, LOOSE_STEMS, WEAK_STEMS, name_at, stems_for, strength
from .phrases import ASSIGNED, FOLLOWED, FOLLOWED_BY_A_PAIR, FOLLOWED_BY_A_WORD, FOLLOWED_BY_LESS, SPACE
from .values import NEAR, SHORTEST_WORD, is_drawn_by_lot, is_more_than_a_word, is_percent_encoded, kind_of

_PAIR_RUN = re.compile(rb"[^&\s\"'<>\\]++")
_WORD_RUN = re.compile(rb"[A-Za-z0-9+/=_.~!@#$^*%-]++")
_CUT = re.compile(rb"(?:=|%3[Dd])(?![=%]|$|[^A-Za-z0-9])|%3[Aa]")
"""Within a run: what ends a word, since another name stands before it. Padding does not."""
_ELEMENT = re.compile(rb"(?:[^<\r\n\\\]]|\](?!\]))++")
_LINE = re.compile(rb"[^\r\n]++")
_NUMBER = re.compile(rb"-?[0-9][0-9.eE+-]{3,}+")
_ANY_NUMBER = re.compile(rb"-?[0-9][0-9.eE+-]*+")
_BETWEEN = re.compile(SPACE + rb"(?P<mark>[,\]])?+" + SPACE + rb"(?P<open>\\{0,63}+[\"'])?+")
_ITEM = re.compile(SPACE + rb",?+" + SPACE + rb"\"(?P<value>[^\"\\]{1,128}+)\"")
"""A short string of a list, where nothing is escaped."""
_EMPTY = re.compile(
    rb"[^A-Za-z0-9]*+|<[^<>]*>|\$\{[^{}]*\}|\$\([^()]*\)|(?-i:\$[A-Z_][A-Z0-9_]*+|%[A-Z_]++%)|\{[^{}]*\}|\{\{[^{}]*\}\}|\[[^\[\]]*\]"
    rb"|\*{3,}.*|x{3,}.*|your[-_ ].*",
    re.DOTALL | re.IGNORECASE,
)
"""What stands for a value that is not given: `${API_KEY}`, `<your key>`, `****`. A password may begin with such a sign, too."""
PUT_IN = re.compile(rb"REDACTED|rsp_[a-z0-9]{2,20}_[a-z2-7]{16}")
_COOKIES = frozenset({b"cookie", b"set-cookie", b"set_cookie"})
_COOKIE = re.compile(
    rb"([^\s=;,\"'\\<>]{1,64}+)(?:=(?:\\{0,7}+\")?+([^\s;\"'\\<>]*+)(?:\\{0,7}+\"(?=;))?+|(?=;))(?:; {0,2}+)?+"
)
_VALUE_OF_COOKIE = re.compile(rb"(?=[^0-9]*+[0-9])(?=[^A-Za-z]*+[A-Za-z]).{8}", re.DOTALL)
_ATTRIBUTES_OF_COOKIES = frozenset({b"path", b"domain", b"expires", b"max-age", b"samesite", b"version"})
_MARKS = b"\\\"'*_`"
_QUOTES = (b'"', b"'", b"`")
_TOLD_APART = frozenset(range(256)) - frozenset(b"abcdefghijklmnopqstuvwzABCDEFGHIJKLMNOPQSTUVWZ0123456789")
_FIRST_OF_IDS = frozenset(prefix[0] for prefix in PREFIXES)


class Span(NamedTuple):
    """Where a secret stands, what kind it is, the rule that found it, and the quotes that its pseudonym needs (a number's)."""

    start: int
    end: int
    kind: str
    rule: str
    quote: bytes = b""


def named(
    data: bytes,
    low: bytes,
    *,
    allowed: frozenset[bytes] = frozenset(),
    more: frozenset[bytes] = frozenset(),
    version: int,
) -> list[Span]:
    """The values beside telling names. `allowed` and `more`: names in small letters that tell nothing, and that tell besides.

    `low` is `data` in small letters. `version`: of the table; what it did not know is passed over.
    """
    found: list[Span] = []
    for stem in (*stems_for(low, version), *more):
        place = low.find(stem)
        if place < 0:
            continue
        loose = stem in LOOSE_STEMS or stem in more
        followed = FOLLOWED_BY_LESS if loose else FOLLOWED_BY_A_WORD if stem in WEAK_STEMS else FOLLOWED
        if stem == b"cookie" and version > 2:
            followed = FOLLOWED_BY_A_PAIR
        runs = _Runs(data, 4 if loose else 6)
        done, size = 0, len(stem)
        while place >= 0:
            match = followed.match(data, place + size)
            end = place + size if match is None else match.end("name")
            if match is not None and match.lastgroup != "name":
                start, name = name_at(low, place, end, done, version)
                telling = 0 if name in allowed else BY_THE_USER if name in more else strength(name, version)
                if telling:
                    spans = _beside(data, start, match, runs, telling, name, version)
                    found += spans
                    end = max(end, spans[-1].end) if spans else end
            done = end
            place = low.find(stem, end)
    return found


class _Runs:
    """Where runs end, for places that are asked for in order: each run is read once."""

    def __init__(self, data: bytes, least: int) -> None:
        self.assigned = ASSIGNED[least]
        self._data = data
        self._pair = self._word = self.baked = 0

    def pair(self, begin: int) -> int:
        if begin >= self._pair:
            self._pair = _end(_PAIR_RUN, self._data, begin)
        return self._pair

    def word(self, begin: int) -> int:
        if begin >= self._word:
            self._word = _end(_WORD_RUN, self._data, begin)
        return self._word


def _end(pattern: "re.Pattern[bytes]", data: bytes, begin: int) -> int:
    match = pattern.match(data, begin)
    return begin if match is None else match.end()


def _beside(
    data: bytes, start: int, match: "re.Match[bytes]", runs: _Runs, strength: int, name: bytes, version: int
) -> list[Span]:
    kind = match.lastgroup
    if version > 2 and name in _COOKIES and kind not in ("pair", "part"):
        found = _baked(data, match.end(), runs)
        if found:
            return found
    strong = strength > 1
    if kind == "member":
        if version < 3 and (match["apart"] is not None or match["inner"] is not None):
            return []
        begin = match.end()
        if match["open"] is not None:
            if _ends(match["open"], match["quote"]):
                return []
            return _judged(data, begin, _closing(data, begin, match["open"]), strong, name)
        if strength < 3 or version < 2:
            return []
        numbers = _NUMBER if strength == 3 else _ANY_NUMBER
        if data[begin] == 91:
            return _listed(data, begin + 1, match["quote"], numbers, name)
        return _number(data, begin, match["quote"], numbers, name)
    before = data[start - 1] if start else 38
    if kind == "pair":
        if before in b"&?;":
            begin = match.end()
            return _judged(data, begin, runs.pair(begin), strong, name)
        match_assigned = runs.assigned.match(data, match.start("pair"))
        if match_assigned is None:
            return []
        match, kind = match_assigned, "assigned"
    begin = match.end()
    if kind == "part" and _begins_a_part(data, start, match, version):
        return _judged(data, begin, _end(_LINE, data, begin), strong, name)
    if kind == "assigned":
        sign = match["assigned"]
        sure = strong and b"pass" in name and b"=" in sign
        end = runs.word(begin)
        if version > 2 and not sure and strength > 2 and end - begin > 5:
            sure = is_more_than_a_word(data, begin, end) or (name in _ON_A_LINE and _fills_a_line(data, start, end))
        if not sure and (end - begin < SHORTEST_WORD or (version > 2 and is_percent_encoded(data, begin, end))):
            return []
        return _judged(data, begin, end, sure, name, cut=True)
    return _spoken(data, start, match, runs, strength, name) if kind == "spoken" and version > 2 else []


def _spoken(data: bytes, start: int, match: "re.Match[bytes]", runs: _Runs, strength: int, name: bytes) -> list[Span]:
    begin = match.end()
    sign = match["spoken"].strip()
    if match["tag"] is not None:
        if data[start - 1 : start] not in (b"<", b":", b">") and not name.startswith(b"u003c"):
            return []
        return _judged(data, begin, _end(_ELEMENT, data, begin), strength > 1, name)
    option = name.startswith(b"--")
    bare = not sign.strip(_MARKS)
    if bare and strength < 2 and not option:
        return []
    end = runs.word(begin)
    if b"pass" in name or name in ABROAD:
        told = option or not bare or sign.lstrip(b"\\") in _QUOTES or b"_pass" in name
    else:
        told = option or not (bare or sign.startswith((b"to ", b"(")))
    told = told and b"," not in sign and not sign.startswith(b"|")
    return _judged(data, begin, end, strength > 2 and told and is_more_than_a_word(data, begin, end), name, cut=True)


def _baked(data: bytes, begin: int, runs: _Runs) -> list[Span]:
    """The values of the cookies that a header line in a text sets or sends, but for what is a word or an attribute."""
    found: list[Span] = []
    if begin < runs.baked:
        return found
    while (pair := _COOKIE.match(data, begin)) is not None:
        begin, (start, end) = pair.end(), pair.span(2)
        value = data[start:end]
        if (
            start >= 0
            and pair[1].lower() not in _ATTRIBUTES_OF_COOKIES
            and _VALUE_OF_COOKIE.match(value)
            and not PUT_IN.fullmatch(value)
        ):
            found.append(Span(start, end, "secret", "telling-name"))
    runs.baked = begin
    return found


def _begins_a_part(data: bytes, start: int, match: "re.Match[bytes]", version: int) -> bool:
    """Whether a name is that of a part of a form. Without quotes, and with line feeds alone, since version 3."""
    if start and data[start - 1] == 34 and b"\r\n\r\n" in match["part"]:
        return True
    return version > 2 and data[max(start - 6, 0) : start].endswith((b'name="', b"name="))


_ON_A_LINE = frozenset({b"password", b"passwd", b"passphrase", b"pwd", b"db_password"})


def _fills_a_line(data: bytes, start: int, end: int) -> bool:
    """Whether a name begins a line and its value ends it, as in YAML, and there is another line."""
    before = data[max(start - 64, 0) : start].rstrip(b" \t-\"'")
    after = data[end : end + 8].lstrip(b"\"' ")
    begins = before.endswith((b"\n", b"\\n"))
    ends = after.startswith((b"\n", b"\r", b"\\n", b"\\r"))
    return (begins or not before) and (ends or not after) and (begins or ends)


def _judged(data: bytes, begin: int, end: int, strong: bool, name: bytes, *, cut: bool = False) -> list[Span]:
    """The value as a span, unless it stands for none or looks like no secret. Of a run, the word before a `cut` decides."""
    last = end
    if not strong:
        parted = _CUT.search(data, begin, end) if cut else None
        last = end if parted is None else parted.start()
        if not is_drawn_by_lot(data, begin, last):
            return []
    if begin >= end:
        return []
    first = data[begin]
    # What begins with another letter is neither put in nor a sign that no value is given.
    if first in _TOLD_APART and (
        PUT_IN.fullmatch(data, begin, end) or _EMPTY.fullmatch(data, begin, min(end, begin + 256))
    ):
        return []
    if end - begin <= 64 and data[begin:end].strip().lower() in VOCABULARY:
        return []
    if first in _FIRST_OF_IDS and API_ID.fullmatch(data, begin, end):
        return []
    return [Span(begin, end, kind_of(name), "telling-name")]


def _number(data: bytes, begin: int, quote: bytes, numbers: "re.Pattern[bytes]", name: bytes) -> list[Span]:
    match = numbers.match(data, begin)
    return [] if match is None else [Span(begin, match.end(), kind_of(name), "telling-name", quote)]


def _listed(data: bytes, begin: int, quote: bytes, numbers: "re.Pattern[bytes]", name: bytes) -> list[Span]:
    """The strings and numbers of a list that begins at `begin`, up to its end or to what is neither."""
    found: list[Span] = []
    item = _ITEM.match if quote == b'"' else None
    while True:
        plain = item(data, begin) if item is not None else None
        if plain is not None:
            begin, end = plain.span("value")
            found += _judged(data, begin, end, True, name)
            begin = end + 1
            continue
        between = _BETWEEN.match(data, begin)
        if between is None or between["mark"] == b"]":
            return found
        begin = between.end()
        opened = between["open"]
        if opened is not None:
            if _ends(opened, quote):
                return found
            end = _closing(data, begin, opened)
            found += _judged(data, begin, end, True, name)
            begin = end + len(opened)
        else:
            end = _end(_ANY_NUMBER, data, begin)
            if end == begin:
                return found
            found += _number(data, begin, quote, numbers, name)
            begin = end


def _ends(opened: bytes, quote: bytes) -> bool:
    """Whether a quote ends the string in which a name in `quote` stands, as where a stream cut it, and opens no value."""
    return len(opened) < len(quote) and opened[-1] == quote[-1]


def _closing(data: bytes, begin: int, opened: bytes) -> int:
    """Where the string ends that `opened` opens before `begin`: at a quote with as many backslashes, or fewer."""
    if len(opened) == 1:
        end = data.find(opened, begin, begin + NEAR)
        if end >= 0 and data.find(b"\\", begin, end) < 0:
            return end
    return _end(_string(opened[-1:], len(opened) - 1), data, begin)


@lru_cache(maxsize=64)
def _string(quote: bytes, depth: int) -> "re.Pattern[bytes]":
    """A string whose quotes carry `depth` backslashes. One more than it takes stands for the value's own, escaped."""
    if depth == 0:
        return re.compile(rb"(?:[^\\%b]++|\\.)*+" % quote, re.DOTALL)
    return re.compile(rb"(?:[^\\%b]++|\\++(?!%b)|\\{%d,}+%b)*+" % (quote, quote, depth + 1, quote))
