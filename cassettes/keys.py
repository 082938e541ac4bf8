"""The canonical key of a request: two requests with one key ask for the same thing.

A key is 64 bits of BLAKE2b over the method, the path below its base prefix, the query as a sorted multiset and the
canonical body, all taken from the *redacted* request, so that a recording answers another credential, and the key of a
stored request is that of the request as it came. Headers do not count (see `variants` for the one exception). The
keys in an index are made without rules (see `rules` and `rekeyed`).
"""

import hashlib
from functools import lru_cache

from .canonical import MOST_PARTS, RAW, NotPlainError, canonical_body, delimiter_of, kind_of, limit_of, parse_pairs
from .interaction import EMPTY, Headers, Request
from .operations import split_target
from .redaction import redact_request, redact_target, scrub, secrets_of
from .rules import NO_RULES, Rules
from .scrubber import Scrubber
from .secrets.cleaning import Cleaning, Sweeper
from .secrets.finder import canonical
from .secrets.policy import Policy
from .variants import credential_of, variant_of

__all__ = ["AnswerBuilder", "KeyBuilder", "answer_digest", "request_key", "variant_of"]

LARGE_MULTIPART = b"multipart in a stream"
_STEP = 65_536


class KeyBuilder:
    """Makes the key of a request while its body arrives, in bounded memory. The body is fed decoded from its coding.

    A body beyond `canonical.limit_of` its type counts by its bytes; one in parts, by its bytes without the boundary,
    since clients make up another for each upload. `variant` is the request's (`variants.variant_of`); it is looked at
    only where a matched header is a credential.
    """

    def __init__(
        self, method: str, target: bytes, headers: Headers, *, rules: Rules = NO_RULES, variant: int = 0
    ) -> None:
        secrets = secrets_of(Request(method, target, headers, EMPTY))
        self._scrubber = Scrubber(secrets) if secrets else None
        self._content_type = _content_type(headers)
        self._limit = limit_of(self._content_type)
        self._body = bytearray()
        self._overflowed = False
        self._parts: _Parts | None = None
        self._rules = rules.for_body_of(method)
        self._policy = rules.policy
        self._sweeper: Sweeper | None = None
        self._hash = hashlib.blake2b(_line(method, target, secrets, rules), digest_size=8)
        if rules.matched:
            lines = redact_request(Request(method, target, headers), (), Cleaning(rules.policy)).headers
            self._hash.update(rules.header_line(lines, credential_of(variant)))

    def feed(self, data: bytes) -> None:
        """Take the next piece of the body."""
        self._take(self._scrubber.feed(data) if self._scrubber else data)

    def finish(self) -> int:
        """The key. Nothing can be fed after."""
        if self._scrubber:
            self._take(self._scrubber.finish())
        if self._sweeper is not None:
            self._count(canonical(self._sweeper.finish(), self._policy))
        if self._parts is not None:
            self._hash.update(self._parts.finish())
        elif not self._overflowed:
            kind, form = canonical_body(canonical(bytes(self._body), self._policy), self._content_type, self._rules)
            self._hash.update(_framed(kind) + form)
        return int.from_bytes(self._hash.digest(), "little")

    def _take(self, data: bytes) -> None:
        if self._overflowed:
            self._count(self._swept(data))
            return
        self._body += data
        if len(self._body) > self._limit:
            self._overflowed = True
            self._parts = _parts_of(self._content_type)
            self._hash.update(_framed(RAW if self._parts is None else LARGE_MULTIPART))
            self._sweeper = Sweeper(Cleaning(self._policy)) if self._policy is not None else None
            body, self._body = self._body, bytearray()
            for begin in range(0, len(body), _STEP):
                self._count(self._swept(bytes(body[begin : begin + _STEP])))

    def _swept(self, data: bytes) -> bytes:
        return data if self._sweeper is None else canonical(self._sweeper.feed(data), self._policy)

    def _count(self, data: bytes) -> None:
        if self._parts is None:
            self._hash.update(data)
        else:
            for piece in self._parts.feed(data):
                self._hash.update(piece)


class _Parts:
    """Takes the delimiters out of a multipart body and tells, at its end, where they stood."""

    def __init__(self, delimiter: bytes) -> None:
        self._delimiter = delimiter
        self._held = b"\r\n"  # the first delimiter stands at the start of the body, without a line break of its own
        self._lengths = [0]

    def feed(self, data: bytes) -> list[bytes]:
        pieces = (self._held + data).split(self._delimiter, max(MOST_PARTS - len(self._lengths), 0))
        # A delimiter may stand across the end of this piece: what could be its beginning waits.
        cut = max(len(pieces[-1]) - len(self._delimiter) + 1, 0)
        self._held = pieces[-1][cut:]
        pieces[-1] = pieces[-1][:cut]
        self._lengths[-1] += len(pieces[0])
        self._lengths += map(len, pieces[1:])
        return pieces

    def finish(self) -> bytes:
        """What was held back, then the length of each part and how many there are."""
        self._lengths[-1] += len(self._held)
        counts = [*self._lengths, len(self._lengths)]
        return self._held + b"".join(count.to_bytes(8, "little") for count in counts)


def _parts_of(content_type: bytes) -> _Parts | None:
    if kind_of(content_type) != b"multipart/form-data":
        return None
    try:
        return _Parts(delimiter_of(content_type))
    except NotPlainError:
        return None


def _line(method: str, target: bytes, secrets: tuple[bytes, ...], rules: Rules = NO_RULES) -> bytes:
    """What of the request line counts, redacted, each part with its length before it."""
    _, path, query = split_target(canonical(scrub(redact_target(target), secrets), rules.policy))
    pairs = sorted(rules.keep_pairs(parse_pairs(query[1:]))) if len(query) > 1 else []
    parts = [_framed(method.encode("utf-8", "surrogateescape")), _framed(path), len(pairs).to_bytes(8, "little")]
    for name, value in pairs:
        parts += [_framed(name), _framed(value)]
    return b"".join(parts)


def _framed(data: bytes) -> bytes:
    return len(data).to_bytes(8, "little") + data


def _content_type(headers: Headers) -> bytes:
    for name, value in headers:
        if len(name) == 12 and name.lower() == b"content-type":
            return value
    return b""


SMALL = 2048
"""Bytes of a request, body and target, whose key is remembered: polls ask the same thing again and again."""


@lru_cache(maxsize=2048)
def _small_key(
    method: str, target: bytes, content_type: bytes, secrets: tuple[bytes, ...], body: bytes, policy: Policy | None
) -> int:
    kind, form = canonical_body(canonical(scrub(body, secrets), policy), content_type)
    line = _line(method, target, secrets, Rules(policy=policy))
    digest = hashlib.blake2b(line + _framed(kind) + form, digest_size=8).digest()
    return int.from_bytes(digest, "little")


def request_key(
    request: Request, secrets: tuple[bytes, ...] | None = None, *, rules: Rules = NO_RULES, variant: int = 0
) -> int:
    """The key of a whole request. `secrets` are its own (`redaction.secrets_of`), where they are known already."""
    if request.body.length + len(request.target) <= SMALL and not rules.changes_keys:
        if secrets is None:
            secrets = secrets_of(request)
        content_type = _content_type(request.headers)
        return _small_key(request.method, request.target, content_type, secrets, request.body.read(), rules.policy)
    builder = KeyBuilder(request.method, request.target, request.headers, rules=rules, variant=variant)
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
