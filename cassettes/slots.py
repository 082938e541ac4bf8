"""Slots: the places that hold a credential by their name, in header lines, queries and URLs.

A slot's value is hidden; a scheme word (`Bearer`), a cookie's name and its attributes are kept. In other header lines,
the queries of URLs are looked through, and user info (`https://user:password@host`) is hidden. Hiding twice changes
nothing. What the slots held is given beside, so that it can be looked for elsewhere.
"""

import binascii
import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from .interaction import Headers
from .scrubber import REPLACEMENT

PLACEHOLDER = REPLACEMENT

_KIND = re.compile(
    r"auth|token|secret|passw|passphrase|pwd|session|signature|credential|cookie|bearer|jwt|assertion|client-principal"
    r"|(?:api|subscription|access|private|vault|functions?|master|account|shared|signing|encryption)[-_.]?key|[-_.]key$"
)
_SLOT = re.compile(r"(?:^|[-_.]|user|db)pass$|passcode$|(?:^|[-_.])(?:otp|[cx]srf)$")
"""More names that say it of a header or a parameter."""
_HEADER_SLOTS = frozenset({"key", "openai-organization", "openai-project", "x-openai-client-user-agent"})
_QUERY_SLOTS = frozenset({"key", "sig", "code"})
_HARMLESS_WORDS = """
    www-authenticate proxy-authenticate authority :authority author x-author token-count tokens-count tokens
    page-token next-page-token prev-page-token previous-page-token continuation-token next-token sync-token
    pagetoken nextpagetoken prevpagetoken continuationtoken nexttoken synctoken tokencount
    maxtokens maxcompletiontokens maxprompttokens maxoutputtokens
    access-control-allow-credentials access-control-allow-headers access-control-allow-methods
    access-control-allow-origin access-control-expose-headers access-control-max-age access-control-request-headers
    access-control-request-method
"""
_HARMLESS = frozenset(_HARMLESS_WORDS.split())
"""Names that sound like a credential and hold none, with `-` for `_`. Of `access-control-`: those of the Fetch standard."""
_HARMLESS_KEY_WORDS = """
    idempotency websocket cache partition surrogate public sort order group row primary foreign next start end
    after before dedup deduplication routing object
"""
_HARMLESS_KEYS = tuple(f"{word}-key" for word in _HARMLESS_KEY_WORDS.split())
_RATE_LIMIT = re.compile(r"x-ratelimit-(?:limit|remaining|reset)-[a-z-]*tokens?[a-z-]*")
_MEASURE_WORDS = "max min total prompt completion input output used remaining cached reasoning limit"
_MEASURES = frozenset(_MEASURE_WORDS.split())
_SCHEMES = frozenset({b"bearer", b"basic", b"digest", b"token", b"apikey", b"api-key", b"negotiate", b"ntlm", b"key"})
_NOT_TAINT = frozenset({b"x-openai-client-user-agent"})
"""Slots whose value is no credential: hidden where it stands, not searched for elsewhere."""

_SEPARATOR = re.compile(rb"([&;?#])")
_QUERY = re.compile(rb"[?#;][^\s\"<>]+")
_USER_INFO = re.compile(rb"//([^/?#\s\"<>\\]+)@")


class Sifted(NamedTuple):
    """Header lines with their slots hidden, what those held, and all values in one text to look for it elsewhere."""

    lines: Headers
    held: tuple[bytes, ...]
    text: bytes


def is_header_slot(name: bytes) -> bool:
    """Whether a header of this name holds a credential."""
    verdict = _VERDICTS.get(name)
    if verdict is None:
        word = name.lower().decode("latin-1")
        verdict = word in _HEADER_SLOTS or _SLOT.search(word) is not None or _sounds_secret(word)
        if len(_VERDICTS) < 4096 and len(name) <= 64:
            _VERDICTS[name] = verdict
    return verdict


_VERDICTS: dict[bytes, bool] = {}
"""What was found of header names. Clients and servers use a few dozen; names without end are judged each time."""


def is_query_slot(name: bytes) -> bool:
    """Whether a query parameter or a form's field of this (percent-encoded) name holds a credential."""
    return _query_slot(name) if len(name) <= 64 else _query_slot.__wrapped__(name)


@lru_cache(maxsize=4096)
def _query_slot(name: bytes) -> bool:
    word = unquote_to_bytes(name.replace(b"+", b" ")).strip().lower().decode("latin-1")
    return word in _QUERY_SLOTS or _SLOT.search(word) is not None or _sounds_secret(word)


def is_field_slot(name: str) -> bool:
    """Whether a member of a JSON object of this name sounds as if it held a credential."""
    return _sounds_secret(name.lower())


def _sounds_secret(word: str) -> bool:
    if not _KIND.search(word):
        return False
    word = word.replace("_", "-")
    if word in _HARMLESS or _RATE_LIMIT.fullmatch(word):
        return False
    if word.endswith(_HARMLESS_KEYS):
        return _KIND.search(word.removesuffix("-key")) is not None
    parts = word.split("-")
    return not (parts[-1] in ("token", "tokens") and not _MEASURES.isdisjoint(parts))


def split_scheme(value: bytes) -> tuple[bytes, bytes]:
    """Split a credential into its scheme word (with the space after it; empty if it has none) and the rest."""
    scheme, space, rest = value.partition(b" ")
    if scheme.lower() in _SCHEMES:
        return scheme + space, rest.strip()
    return b"", value


def sift(headers: Headers) -> Sifted:
    """Hide the slots of header lines."""
    held: list[bytes] = []
    lines = list(headers)
    verdict = _VERDICTS.get
    for number in [number for number, (name, _) in enumerate(headers) if verdict(name, True)]:
        name, value = headers[number]
        if is_header_slot(name):
            held += _held(name.lower(), value)
            lines[number] = name, _hidden(name, value)
    text = b"\n".join([value for _, value in lines])
    if b"?" in text or b"//" in text:
        for number, (name, value) in enumerate(lines):
            if (b"?" in value or b"//" in value) and not is_header_slot(name):
                shown, found = _hide_in_urls(value)
                held += found
                lines[number] = name, shown
        text = b"\n".join([value for _, value in lines])
    return Sifted(tuple(lines), tuple(held), text)


def redact_target(target: bytes) -> bytes:
    """The target with the values of its query slots replaced; names, order and all else as they came."""
    path, mark, query = target.partition(b"?")
    return path + mark + hide_query(query)[0] if query else target


def hide_query(query: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """The query (or form) with its slots hidden, and what they held, encoded and decoded.

    Readers differ on `;`, and on a `?` within: each separates too. But what follows one in a hidden value and has no
    name of its own is taken for the rest of the value.
    """
    return _hide_query(query) if len(query) <= 256 else _hide_query.__wrapped__(query)


@lru_cache(maxsize=1024)
def _hide_query(query: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    if b";" in query or b"?" in query or b"#" in query:
        return _hide_divided(query)
    held: list[bytes] = []
    pieces = query.split(b"&")
    for number, piece in enumerate(pieces):
        name, equals, value = piece.partition(b"=")
        if value and is_query_slot(name):
            pieces[number] = name + equals + PLACEHOLDER
            held += _both(value)
    return b"&".join(pieces), tuple(held)


def _hide_divided(query: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    out: list[bytes] = []
    held: list[bytes] = []
    rest: list[bytes] | None = None
    mark = b""
    for piece in _SEPARATOR.split(query):
        if _SEPARATOR.fullmatch(piece):
            mark = piece
            continue
        name, equals, value = piece.partition(b"=")
        if rest is not None and mark in (b";", b"?") and not (name and value):
            rest += mark, piece
            continue
        if rest:
            held += _both(b"".join(rest))
        rest = None
        if value and is_query_slot(name):
            rest = [value]
            held += _both(value)
            piece = name + equals + PLACEHOLDER
        out += mark, piece
    if rest:
        held += _both(b"".join(rest))
    return b"".join(out), tuple(held)


def _both(value: bytes) -> tuple[bytes, bytes]:
    return value, unquote_to_bytes(value.replace(b"+", b" "))


def _hide_in_urls(text: bytes) -> tuple[bytes, list[bytes]]:
    """A header value with the slots of its URLs hidden, and what they held."""
    held: list[bytes] = []

    def hide_user(match: re.Match[bytes]) -> bytes:
        user, _, password = match[1].partition(b":")
        held.extend((match[1], unquote_to_bytes(match[1]), password or user, unquote_to_bytes(password or user)))
        return b"//" + PLACEHOLDER + b"@"

    def hide_pairs(match: re.Match[bytes]) -> bytes:
        shown, found = hide_query(match[0][1:])
        for value in found:
            held.extend((value, value.rstrip(b",')]}")))  # what a sentence or a list puts behind an URL
        return match[0][:1] + shown

    return _QUERY.sub(hide_pairs, _USER_INFO.sub(hide_user, text)), held


def _hidden(name: bytes, value: bytes) -> bytes:
    kind = name.lower()
    value = value.strip()
    if not value:
        return value
    if kind == b"cookie":
        return b"; ".join(_hidden_cookie(piece) for piece in value.split(b";"))
    if kind == b"set-cookie":
        cookie, semicolon, attributes = value.partition(b";")
        return _hidden_cookie(cookie) + semicolon + attributes
    scheme, secret = split_scheme(value)
    return scheme + PLACEHOLDER if secret else scheme


def _hidden_cookie(piece: bytes) -> bytes:
    name, equals, value = piece.strip().partition(b"=")
    if not equals:
        return PLACEHOLDER if name else b""
    return name + equals + (PLACEHOLDER if value else b"")


def _held(kind: bytes, value: bytes) -> list[bytes]:
    """The credentials in the value of a slot."""
    if kind in _NOT_TAINT:
        return []
    if kind not in (b"cookie", b"set-cookie"):
        scheme, secret = split_scheme(value.strip())
        return [secret, *_user_and_password(secret)] if scheme[:5].lower() == b"basic" else [secret]
    held = []
    for piece in value.split(b";") if kind == b"cookie" else [value.partition(b";")[0]]:
        cookie, equals, text = piece.strip().partition(b"=")
        held.append((text if equals else cookie).strip(b'"'))
    return held


def _user_and_password(secret: bytes) -> list[bytes]:
    """What a Basic credential says (RFC 7617): the pair, and its password, or the user where there is none."""
    try:
        pair = binascii.a2b_base64(secret + b"==")
    except binascii.Error:
        return []
    user, colon, password = pair.partition(b":")
    return [pair, password or user] if colon else []
