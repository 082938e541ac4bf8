"""Values that stand beside a name that tells: members of JSON at any depth, pairs of forms, fields in parts, assignments.

All of it is read in the raw bytes, so that JSON inside a string of JSON, whose quotes carry backslashes, is read the same way. A
name that can mean nothing else (`password`, `client_secret`, `api_key`) gives its value away whatever it is, in a list too, and a
number; one that often means something else (`token`, `session`, `..._key`) only a value that looks as if it was drawn by lot.

The time grows with the length. A value is read to its end once: what stands within one that was passed over ends either before
the next name (a string, whose quotes carry more backslashes the deeper it is) or where the one before it ended, which is kept.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from ..slots import is_field_slot
from ..vocabulary import API_ID, COUNT, VOCABULARY

STEMS = (
    b"pass", b"pwd", b"secret", b"token", b"key", b"auth", b"credential", b"signature", b"cookie", b"session",
    b"bearer", b"jwt", b"assertion",
)  # fmt: skip
"""In small letters: one of them stands in every telling name."""
SHORT = 1024
"""Bytes of a text in which one search for everything takes less time than one for each."""
ANY_STEM = re.compile(b"|".join(STEMS))

_STRONG = re.compile(
    rb"passw|passphrase|pwd|secret|credential|(?:api|access|private|account|subscription)[-_.]?keys?(?:$|[^a-z])|authorization$"
    rb"|(?:auth|access|refresh|id|bearer|session|security)[-_.]?tokens?$"
)
_HOLDS_NUMBERS = re.compile(
    rb"(?:passw(?:or)?ds?|passphrases?|pwds?|secrets?|credentials?|(?:api|access|private|account)[-_.]?keys?"
    rb"|(?:auth|access|refresh|id|bearer|session|security)[-_.]?tokens?)$"
)
"""Beside other strong names a number counts or dates something: `password_length`, `secret_created_at`."""
_NAME = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_LONGEST_NAME = 64
_NAME_RUN = re.compile(rb"[A-Za-z0-9_.-]{0,64}+")
_SPACE = rb"(?:[ \t\r\n]|\\{1,7}[nrt]){0,12}+"
_LOOSE = rb"[A-Za-z0-9+/_.~!@#$^*-]"
_SEPARATED = (
    rb"(?P<assigned>[\"']?[ \t]{0,4}+(?:=>|[:=]|%3[DdAa])[ \t]{0,4}+\\{0,3}+[\"']?(?:(?:Bearer|Basic|Token) {1,8}+)?+)"
    rb"(?=(?:[A-Za-z0-9+/_.~!@#$^*-]|%(?!3[DdAa])){"
)


def _after(word: bytes, assigned: bytes) -> "re.Pattern[bytes]":
    """What may stand behind a stem: the rest of the name, and what says that a value follows.

    `word`: the value of a member or pair; `assigned`: the least length of one in running text.
    """
    return re.compile(
        rb"[A-Za-z0-9_.-]{0,64}+(?P<name>)"
        rb"(?:(?P<member>(?P<quote>\\{0,15}+[\"'])" + _SPACE + rb":" + _SPACE
        + rb"(?:(?P<open>\\{0,15}+[\"'])" + word + rb"|(?=[0-9\[-])))"
        rb"|(?P<pair>=)(?=[^&\s\"'<>\\])" + word + rb"|" + _SEPARATED + assigned + rb"})"
        rb"|(?P<part>\"?(?:\r\n[^\r\n]{0,200}){0,4}\r\n\r\n)(?=[^\r\n]))?+"
    )  # fmt: skip


_FOLLOWED = _after(b"", b"12")
_FOLLOWED_BY_LESS = _after(b"", b"4")
_FOLLOWED_BY_A_WORD = _after(rb"(?=[A-Za-z0-9+/_.~%\\-]{12})", b"12")
_WEAK_STEMS = frozenset({b"signature", b"cookie", b"session", b"bearer", b"jwt", b"assertion"})
"""Where such a name gives its value away whatever it is, another stem stands in it."""
_ASSIGNED = {least: re.compile(_SEPARATED + b"%d})" % least) for least in (4, 12)}
_PAIR_RUN = re.compile(rb"[^&\s\"'<>\\]++")
_WORD_RUN = re.compile(rb"[A-Za-z0-9+/=_.~!@#$^*%-]++")
_CUT = re.compile(rb"(?:=|%3[Dd])(?![=%]|$|[^A-Za-z0-9])|%3[Aa]")
"""Within a run: what ends a word, since another name stands before it. Padding does not."""
_LINE = re.compile(rb"[^\r\n]++")
_NUMBER = re.compile(rb"-?[0-9][0-9.eE+-]{3,}+")
_ANY_NUMBER = re.compile(rb"-?[0-9][0-9.eE+-]*+")
_BETWEEN = re.compile(_SPACE + rb"(?P<mark>[,\]])?+" + _SPACE + rb"(?P<open>\\{0,15}+[\"'])?+")
_ITEM = re.compile(_SPACE + rb",?+" + _SPACE + rb"\"(?P<value>[^\"\\]{1,128}+)\"")
"""A short string of a list, where nothing is escaped."""
_WORD = re.compile(rb"(?:[A-Za-z0-9+/=_.~-]++|\\{1,7}/|%[0-9A-Fa-f]{2})++")
_SHORTEST_WORD = 12
_NEAR = 128
"""Bytes in which the end of a short string is looked for before its escapes are."""
_SAMPLE = 1024
"""Bytes of a value that tell whether it was drawn by lot."""
_TURN = re.compile(rb"(?<=[a-z])[A-Z0-9]|(?<=[A-Z])[0-9]|(?<=[0-9])[A-Za-z]")
_HEX = re.compile(rb"[0-9a-fA-F]{32,}+")
_EMPTY = re.compile(
    rb"[^A-Za-z0-9]*+|<[^<>]*>|\$\{[^{}]*\}|\$\([^()]*\)|(?-i:\$[A-Z_][A-Z0-9_]*+|%[A-Z_]++%)|\{[^{}]*\}|\{\{[^{}]*\}\}|\[[^\[\]]*\]"
    rb"|\*{3,}.*|x{3,}.*|your[-_ ].*",
    re.DOTALL | re.IGNORECASE,
)
"""What stands for a value that is not given: `${API_KEY}`, `<your key>`, `****`. A password may begin with such a sign, too."""
PUT_IN = re.compile(rb"REDACTED|rsp_[a-z0-9]{2,20}_[a-z2-7]{16}")
_TOLD_APART = frozenset(range(256)) - frozenset(b"abcdefghijklmnopqstuvwzABCDEFGHIJKLMNOPQSTUVWZ0123456789")
_FIRST_OF_IDS = frozenset(b"trmsafcvb")
_NO_NAMES = frozenset({b"auth", b"session.created", b"session.updated"})


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
    strings_only: bool = False,
) -> list[Span]:
    """The values beside telling names. `allowed` and `more`: names in small letters that tell nothing, and that tell besides.

    `low` is `data` in small letters. `strings_only`: numbers and lists are passed over.
    """
    found: list[Span] = []
    for stem in (*STEMS, *more):
        place = low.find(stem)
        if place < 0:
            continue
        loose = stem == b"pass" or stem in more
        followed = _FOLLOWED_BY_LESS if loose else _FOLLOWED_BY_A_WORD if stem in _WEAK_STEMS else _FOLLOWED
        runs = _Runs(data, 4 if loose else 12)
        done = 0
        while place >= 0:
            match = followed.match(data, place)
            end = place + len(stem) if match is None else match.end("name")
            if match is not None and match.lastgroup != "name":
                start = _begin(low, place, done)
                name = low[start:end]
                strength = 0 if name in allowed else _NAMED_BY_USER if name in more else _strength(name)
                if strength:
                    spans = _beside(data, start, match, runs, 2 if strings_only and strength > 2 else strength, name)
                    found += spans
                    end = max(end, spans[-1].end) if spans else end
            done = end
            place = low.find(stem, end)
    return found


@lru_cache(maxsize=4096)
def _strength(name: bytes) -> int:
    """0: the name tells nothing; 1: it may; 2: it can mean nothing else; 3: neither can it with a number or a list."""
    if name in _NO_NAMES or not is_field_slot(name.decode("ascii")):
        return 0
    if not _STRONG.search(name):
        return 1
    return 3 if _HOLDS_NUMBERS.search(name) else 2


_NAMED_BY_USER = 4


def has_telling_name(low: bytes, stem: bytes, *, allowed: frozenset[bytes], more: frozenset[bytes]) -> bool:
    """Whether a name with this stem tells, and `named` would look at what follows. `low` is the text in small letters."""
    done = 0
    place = low.find(stem)
    while place >= 0:
        run = _NAME_RUN.match(low, place)
        end = place + len(stem) if run is None else run.end()
        name = low[_begin(low, place, done) : end]
        if name not in allowed and (name in more or _strength(name)):
            return True
        done = end
        place = low.find(stem, end)
    return False


def _begin(low: bytes, place: int, done: int) -> int:
    """Where the name begins that has a stem at `place`, not before `done`."""
    begin = max(place - _LONGEST_NAME, done)
    return begin + len(low[begin:place].rstrip(_NAME))


class _Runs:
    """Where runs end, for places that are asked for in order: each run is read once."""

    def __init__(self, data: bytes, least: int) -> None:
        self.assigned = _ASSIGNED[least]
        self._data = data
        self._pair = self._word = 0

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


def _beside(data: bytes, start: int, match: "re.Match[bytes]", runs: _Runs, strength: int, name: bytes) -> list[Span]:
    kind = match.lastgroup
    strong = strength > 1
    if kind == "member":
        begin = match.end()
        if match["open"] is not None:
            if _ends(match["open"], match["quote"]):
                return []
            return _judged(data, begin, _closing(data, begin, match["open"]), strong, name)
        if strength < 3:
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
    if kind == "part" and before == 34:
        return _judged(data, match.end(), _end(_LINE, data, match.end()), strong, name)
    if kind != "assigned":
        return []
    begin = match.end()
    sure = strong and b"pass" in name and b"=" in match["assigned"]
    return _judged(data, begin, runs.word(begin), sure, name, cut=True)


def _judged(data: bytes, begin: int, end: int, strong: bool, name: bytes, *, cut: bool = False) -> list[Span]:
    """The value as a span, unless it stands for none or looks like no secret. Of a run, the word before a `cut` decides."""
    last = end
    if not strong:
        parted = _CUT.search(data, begin, end) if cut else None
        last = end if parted is None else parted.start()
        if last - begin < _SHORTEST_WORD or not _WORD.fullmatch(data, begin, last) or not _turns(data[begin:last]):
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
    return [Span(begin, end, _kind(name), "telling-name")]


def _number(data: bytes, begin: int, quote: bytes, numbers: "re.Pattern[bytes]", name: bytes) -> list[Span]:
    match = numbers.match(data, begin)
    return [] if match is None else [Span(begin, match.end(), _kind(name), "telling-name", quote)]


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
        end = data.find(opened, begin, begin + _NEAR)
        if end >= 0 and data.find(b"\\", begin, end) < 0:
            return end
    return _end(_string(opened[-1:], len(opened) - 1), data, begin)


@lru_cache(maxsize=64)
def _string(quote: bytes, depth: int) -> "re.Pattern[bytes]":
    """A string whose quotes carry `depth` backslashes. One more than it takes stands for the value's own, escaped."""
    if depth == 0:
        return re.compile(rb"(?:[^\\%b]++|\\.)*+" % quote, re.DOTALL)
    return re.compile(rb"(?:[^\\%b]++|\\++(?!%b)|\\{%d,}+%b)*+" % (quote, quote, depth + 1, quote))


def looks_random(value: bytes) -> bool:
    """Whether a value looks as if it was drawn by lot: one word, of many turns between digits and letters, small and large."""
    return len(value) >= _SHORTEST_WORD and _WORD.fullmatch(value) is not None and _turns(value)


def _turns(value: bytes) -> bool:
    """As `looks_random`, of one word that is long enough."""
    if value.isdigit() and COUNT.fullmatch(value):
        return False
    value = value[:_SAMPLE]
    if _HEX.fullmatch(value):
        return len(set(value)) > 6
    return len(_TURN.findall(value)) >= max(3, len(value) // 7) and len(set(value)) * 3 > min(len(value), 48)


@lru_cache(maxsize=4096)
def _kind(name: bytes) -> str:
    if b"passw" in name or b"pwd" in name or b"passphrase" in name:
        return "password"
    if b"aws" in name or b"secretaccess" in name or b"secret_access" in name:
        return "aws"
    return "token" if b"token" in name or b"jwt" in name else "secret"
