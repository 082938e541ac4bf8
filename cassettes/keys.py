"""The canonical key of a request: two requests with one key ask for the same thing.

A key is 64 bits of BLAKE2b over the method, the path below its base prefix, the query as a sorted multiset and the
canonical body, all taken from the *redacted* request, so that a recording answers another credential, and the key of a
stored request is that of the request as it came. Headers do not count (see `variants` for the one exception).
"""

import hashlib
from functools import lru_cache

from .canonical import RAW, canonical_body, parse_pairs
from .interaction import EMPTY, Headers, Request
from .operations import split_target
from .redaction import redact_target, scrub, secrets_of
from .scrubber import Scrubber
from .variants import variant_of

__all__ = ["CANONICAL_LIMIT", "AnswerBuilder", "KeyBuilder", "answer_digest", "request_key", "variant_of"]

CANONICAL_LIMIT = 16 * 1024 * 1024
"""Bytes of a body that are brought into canonical form. A longer body counts by its bytes."""


class KeyBuilder:
    """Makes the key of a request while its body arrives, in bounded memory. The body is fed decoded from its coding."""

    def __init__(self, method: str, target: bytes, headers: Headers) -> None:
        secrets = secrets_of(Request(method, target, headers, EMPTY))
        self._scrubber = Scrubber(secrets) if secrets else None
        self._content_type = _content_type(headers)
        self._body = bytearray()
        self._overflowed = False
        self._hash = hashlib.blake2b(_line(method, target, secrets), digest_size=8)

    def feed(self, data: bytes) -> None:
        """Take the next piece of the body."""
        self._take(self._scrubber.feed(data) if self._scrubber else data)

    def finish(self) -> int:
        """The key. Nothing can be fed after."""
        if self._scrubber:
            self._take(self._scrubber.finish())
        if not self._overflowed:
            kind, form = canonical_body(bytes(self._body), self._content_type)
            self._hash.update(_framed(kind) + form)
        return int.from_bytes(self._hash.digest(), "little")

    def _take(self, data: bytes) -> None:
        if self._overflowed:
            self._hash.update(data)
            return
        self._body += data
        if len(self._body) > CANONICAL_LIMIT:
            self._overflowed = True
            self._hash.update(_framed(RAW))
            self._hash.update(self._body)
            self._body.clear()


def _line(method: str, target: bytes, secrets: tuple[bytes, ...]) -> bytes:
    """What of the request line counts, redacted, each part with its length before it."""
    _, path, query = split_target(scrub(redact_target(target), secrets))
    pairs = sorted(parse_pairs(query[1:])) if len(query) > 1 else []
    parts = [_framed(method.encode("utf-8", "surrogateescape")), _framed(path), len(pairs).to_bytes(8, "little")]
    for name, value in pairs:
        parts += [_framed(name), _framed(value)]
    return b"".join(parts)


def _framed(data: bytes) -> bytes:
    return len(data).to_bytes(8, "little") + data


def _content_type(headers: Headers) -> bytes:
    return next((value for name, value in headers if name.lower() == b"content-type"), b"")


SMALL = 2048
"""Bytes of a request, body and target, whose key is remembered: polls ask the same thing again and again."""


@lru_cache(maxsize=2048)
def _small_key(method: str, target: bytes, content_type: bytes, secrets: tuple[bytes, ...], body: bytes) -> int:
    kind, form = canonical_body(scrub(body, secrets), content_type)
    digest = hashlib.blake2b(_line(method, target, secrets) + _framed(kind) + form, digest_size=8).digest()
    return int.from_bytes(digest, "little")


def request_key(request: Request, secrets: tuple[bytes, ...] | None = None) -> int:
    """The key of a whole request. `secrets` are its own (`redaction.secrets_of`), where they are known already."""
    if request.body.length + len(request.target) <= SMALL:
        if secrets is None:
            secrets = secrets_of(request)
        content_type = _content_type(request.headers)
        return _small_key(request.method, request.target, content_type, secrets, request.body.read())
    builder = KeyBuilder(request.method, request.target, request.headers)
    for piece in request.body.pieces():
        builder.feed(piece)
    return builder.finish()


class AnswerBuilder:
    """The digest of an answer, its status and its body: equal for two polls that told the same."""

    def __init__(self, status: int) -> None:
        self._hash = hashlib.blake2b(status.to_bytes(8, "little"), digest_size=8)

    def feed(self, data: bytes) -> None:
        """Take the next piece of the body, decoded from its coding."""
        self._hash.update(data)

    def finish(self) -> int:
        """The digest, 64 bits."""
        return int.from_bytes(self._hash.digest(), "little")


def answer_digest(status: int) -> AnswerBuilder:
    """Begin the digest of an answer. `status` is 0 where no response came."""
    return AnswerBuilder(status)
