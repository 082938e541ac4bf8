"""The canonical key of a request: two requests with one key ask for the same thing.

A key is 64 bits of BLAKE2b over the method, the path below its base prefix, the query as a sorted multiset and the
canonical body, all taken from the *redacted* request, so that a recording answers another credential, and the key of a
stored request is that of the request as it came. Headers do not count (see `variants` for the one exception).
"""

import hashlib

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
        _, path, query = split_target(scrub(redact_target(target), secrets))
        self._scrubber = Scrubber(secrets) if secrets else None
        self._content_type = next((value for name, value in headers if name.lower() == b"content-type"), b"")
        self._body = bytearray()
        self._overflowed = False
        self._hash = hashlib.blake2b(digest_size=8)
        self._frame(method.encode("utf-8", "surrogateescape"))
        self._frame(path)
        pairs = sorted(parse_pairs(query[1:]))
        self._hash.update(len(pairs).to_bytes(8, "little"))
        for name, value in pairs:
            self._frame(name)
            self._frame(value)

    def feed(self, data: bytes) -> None:
        """Take the next piece of the body."""
        self._take(self._scrubber.feed(data) if self._scrubber else data)

    def finish(self) -> int:
        """The key. Nothing can be fed after."""
        if self._scrubber:
            self._take(self._scrubber.finish())
        if not self._overflowed:
            kind, form = canonical_body(bytes(self._body), self._content_type)
            self._frame(kind)
            self._hash.update(form)
        return int.from_bytes(self._hash.digest(), "little")

    def _take(self, data: bytes) -> None:
        if self._overflowed:
            self._hash.update(data)
            return
        self._body += data
        if len(self._body) > CANONICAL_LIMIT:
            self._overflowed = True
            self._frame(RAW)
            self._hash.update(self._body)
            self._body.clear()

    def _frame(self, data: bytes) -> None:
        self._hash.update(len(data).to_bytes(8, "little"))
        self._hash.update(data)


def request_key(request: Request) -> int:
    """The key of a whole request."""
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
