"""Names that tell: which of them say that a secret stands beside, and how surely.

A name is found by its stem, in small letters. One that can mean nothing else (`password`, `client_secret`, `api_key`) is strong;
one that often means something else (`token`, `session`, `..._key`) is weak. Names of a password in other languages are stems of
their own, in UTF-8 and as JSON escapes them. In running text a name may be two words: `API key`.
"""

import re
from functools import lru_cache

from ..slots import is_field_slot

_ABROAD = """
    kennwort contrasena contrase\u00f1a senha wachtwoord l\u00f6senord has\u0142o motdepasse mot_de_passe mot-de-passe
    \u0430\u0440\u043e\u043b\u044c \u5bc6\u7801 \u5bc6\u78bc \u30d1\u30b9\u30ef\u30fc\u30c9 \ube44\ubc00\ubc88\ud638
"""
"""In German, Spanish, Portuguese, Dutch, Swedish, Polish, French, Russian (its first letter left out, which may be
a capital one), Chinese, Japanese and Korean."""


def _spelled(word: str) -> tuple[bytes, ...]:
    return tuple(
        dict.fromkeys((word.encode("utf-8"), word.encode("ascii", "backslashreplace").replace(b"\\x", b"\\u00")))
    )


ABROAD = tuple(each for word in _ABROAD.split() for each in _spelled(word))
"""A password's names in other languages. Known since version 3 of the table."""
_STEMS = (
    b"pass", b"pwd", b"secret", b"token", b"key", b"auth", b"credential", b"signature", b"cookie", b"session",
    b"bearer", b"jwt", b"assertion",
)  # fmt: skip
_ABROAD_STEMS = tuple(word for word in ABROAD if b"passe" not in word)
STEMS = _STEMS + _ABROAD_STEMS
"""In small letters: one of them stands in every telling name."""
_IN_ASCII = tuple(word for word in _ABROAD_STEMS if word.isalpha() and word.isascii())
_ANY_STEM = re.compile(b"|".join(_STEMS + _IN_ASCII))
_ESCAPED = tuple(word for word in _ABROAD_STEMS if b"\\" in word)
_IN_UTF_8 = tuple((bytes([max(word)]), word) for word in _ABROAD_STEMS if not word.isascii())
"""With a byte that is looked for first, since that takes hardly any time."""
SHORT = 1024
"""Bytes of a text in which one search for everything takes less time than one for each."""
LOOSE_STEMS = frozenset({b"pass", *ABROAD})
"""What stands beside them may be short."""
WEAK_STEMS = frozenset({b"signature", b"cookie", b"session", b"bearer", b"jwt", b"assertion"})
"""Where such a name gives its value away whatever it is, another stem stands in it."""

_STRONG = re.compile(
    rb"passw|passphrase|pwd|secret|credential|(?:api|access|private|account|subscription)[-_.]?keys?(?:$|[^a-z])|authorization$"
    rb"|(?:auth|access|refresh|id|bearer|session|security)[-_.]?tokens?$"
)
_HOLDS_NUMBERS = re.compile(
    rb"(?:passw(?:or)?ds?|passphrases?|pwds?|secrets?|credentials?|(?:api|access|private|account)[-_.]?keys?"
    rb"|(?:auth|access|refresh|id|bearer|session|security)[-_.]?tokens?)$"
)
"""Beside other strong names a number counts or dates something: `password_length`, `secret_created_at`."""
_PASS = re.compile(
    rb"^pass(?:e|code)?$|passwort$|passord$"
    rb"|(?:admin|api|app|auth|basic|bot|db|database|ftp|http|imap|login|mail|mysql|pg|postgres|proxy|redis|root|smtp|sql|ssh|user)"
    rb"[-_.]?pass(?:code)?$"
)
"""A pass that opens something; `first_pass` and `render_pass` do not."""
_WEAK_SINCE_3 = frozenset(
    {
        b"auth", b"_auth", b"appkey", b"licensekey", b"consumerkey", b"primarykey", b"secondarykey", b"openaikey", b"azurekey",
        b"servicekey", b"deploykey", b"sshkey", b"webhookkey", b"key1", b"key2",
    }
)  # fmt: skip
_NO_NAMES = frozenset({b"auth", b"session.created", b"session.updated"})
_LAST_WORDS = frozenset({b"key", b"keys", b"token", b"tokens"})
_FIRST_WORDS = frozenset(
    {b"api", b"access", b"secret", b"private", b"account", b"subscription", b"auth", b"refresh", b"bearer", b"security"}
)
_ESCAPES = frozenset(b"nrt")
NAME_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_LONGEST_NAME = 64
_NAME_RUN = re.compile(rb"[A-Za-z0-9_.-]{0,64}+")
BY_THE_USER = 4


def may_tell(low: bytes) -> bool:
    """Whether any stem stands in a text, which is in small letters."""
    if _ANY_STEM.search(low) is not None:
        return True
    if low.isascii() and b"\\u" not in low:
        return False
    return any(stem in low for stem in stems_for(low, 3)[len(_STEMS) + len(_IN_ASCII) :])


def stems_for(low: bytes, version: int) -> tuple[bytes, ...]:
    """The stems that may stand in a text, as far as its letters tell."""
    if version < 3:
        return _STEMS
    stems = _STEMS + _IN_ASCII
    if b"\\u" in low:
        stems += _ESCAPED
    return stems if low.isascii() else stems + tuple([word for sign, word in _IN_UTF_8 if sign in low])


@lru_cache(maxsize=4096)
def strength(name: bytes, version: int) -> int:
    """0: the name tells nothing; 1: it may; 2: it can mean nothing else; 3: neither can it with a number or a list."""
    if version > 2:
        if _PASS.search(name) or any(word in name for word in ABROAD):
            return 3
        if name in _WEAK_SINCE_3:
            return 1
    if name in _NO_NAMES or not is_field_slot(name.decode("ascii", "replace")):
        return 0
    if not _STRONG.search(name):
        return 1
    return 3 if _HOLDS_NUMBERS.search(name) else 2


def name_at(low: bytes, place: int, end: int, done: int, version: int) -> tuple[int, bytes]:
    """Where the name begins that has a stem at `place` and ends at `end`, not before `done`; and the name."""
    begin = max(place - _LONGEST_NAME, done)
    start = begin + len(low[begin:place].rstrip(NAME_LETTERS))
    if version > 2 and low[start - 1 : start] == b"\\" and start < place and low[start] in _ESCAPES:
        start += 1  # the letter is that of an escape of JSON
    name = low[start:end]
    if version > 2 and name in _LAST_WORDS and start > done and low[start - 1] == 32:
        first = low[max(start - 16, done) : start - 1]
        first = first[len(first.rstrip(NAME_LETTERS)) :]
        if first in _FIRST_WORDS:
            return start, first + b"_" + name
    return start, name


def has_telling_name(
    low: bytes, stem: bytes, *, allowed: frozenset[bytes], more: frozenset[bytes], version: int
) -> bool:
    """Whether a name with this stem tells, and `telling.named` would look at what follows. `low` is the text in small letters."""
    done = 0
    place = low.find(stem)
    while place >= 0:
        run = _NAME_RUN.match(low, place + len(stem))
        end = place + len(stem) if run is None else run.end()
        _, name = name_at(low, place, end, done, version)
        if name not in allowed and (name in more or strength(name, version)):
            return True
        done = end
        place = low.find(stem, end)
    return False
