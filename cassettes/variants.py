"""What two request headers said before they were redacted, in 16 bits: the API's version and whose credential it was.

Headers do not count for a key. Where the recordings of one key differ in status by one of these two, that one counts: a
call with a wrong key got 401, a call of the other version 400. The credential's class has 12 bits only, so that nothing
can be confirmed from it; it is salted with the cassette's id, so that two cassettes cannot be joined by it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

from .interaction import Headers
from .redaction import split_scheme
from .summary import Row

BETAS = {b"": 0, b"assistants=v1": 1, b"assistants=v2": 2}
OTHER_BETA = 15
_BETA_BITS = 4
_CLASSES = 4095
_CREDENTIALS = (b"authorization", b"api-key", b"x-api-key")
_TELLING = frozenset(map(len, (b"openai-beta", *_CREDENTIALS)))

Group = tuple[int, int]
"""What counts of a variant for one key: a version and a class of credential, or one of the two below."""
ANY = -1
"""This header does not count, or (a version) was never recorded."""
GOOD = -2
"""A credential that was never recorded. It is taken for a good one."""


def variant_of(headers: Headers, salt: bytes) -> int:
    """The variant of a request: `OpenAI-Beta` in the low 4 bits, the credential's class (0: none) in the high 12.

    `salt` is the cassette's `file_id`, or nothing for a recording in memory. `headers` are those of the wire, not
    redacted ones.
    """
    beta = b""
    credentials: dict[bytes, bytes] = {}
    for name, value in headers:
        if len(name) not in _TELLING:
            continue
        kind = name.lower()
        if kind == b"openai-beta":
            beta = value.strip().lower()
        elif kind in _CREDENTIALS:
            credentials.setdefault(kind, value.strip())
    credential = b""
    for kind in _CREDENTIALS:
        credential = credential or split_scheme(credentials.get(kind, b""))[1]
    return _class_of(credential, salt) << _BETA_BITS | BETAS.get(beta, OTHER_BETA)


def beta_of(variant: int) -> int:
    """The API's version in a variant: 0 none, 1 and 2 `assistants=v1` and `v2`, 15 any other."""
    return variant & (1 << _BETA_BITS) - 1


def credential_of(variant: int) -> int:
    """The class of the credential in a variant: 0 none, else 1 to 4095."""
    return variant >> _BETA_BITS


def with_credential(variant: int, credential: int) -> int:
    """The variant with another class of credential."""
    return credential << _BETA_BITS | beta_of(variant)


@lru_cache(maxsize=256)
def _class_of(credential: bytes, salt: bytes) -> int:
    if not credential:
        return 0
    digest = hashlib.blake2b(salt + credential, digest_size=8).digest()
    return 1 + int.from_bytes(digest, "little") % _CLASSES


class Sensitivity:
    """Which of the two headers count for one key, told from the recordings of that key.

    A header counts when the recordings, grouped by it, have different sets of statuses. Recordings without a response
    say nothing. With `beta` or `credential` off, that header never counts.
    """

    def __init__(self, rows: Iterable[Row], *, beta: bool = True, credential: bool = True) -> None:
        answered = [row.summary for row in rows if row.summary.status]
        self._betas = _statuses((beta_of(summary.variant), summary.status) for summary in answered)
        self._classes = _statuses((credential_of(summary.variant), summary.status) for summary in answered)
        self.by_beta = beta and _differ(self._betas)
        self.by_credential = credential and _differ(self._classes)

    def group_of(self, variant: int) -> Group:
        """What of a request's variant counts: the same for two requests that are served alike."""
        beta, credential = beta_of(variant), credential_of(variant)
        return (
            beta if self.by_beta and beta in self._betas else ANY,
            (credential if credential in self._classes else GOOD) if self.by_credential else ANY,
        )


def select(rows: Sequence[Row], group: Group) -> list[Row]:
    """The recordings of one key that may answer a request of this group, in the same order."""
    beta, credential = group
    found = [row for row in rows if beta in (ANY, beta_of(row.summary.variant))]
    if credential == ANY:
        return found
    same = [row for row in found if credential_of(row.summary.variant) == credential]
    return same or [row for row in found if row.summary.status < 400] or found


def _statuses(pairs: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    groups: dict[int, set[int]] = {}
    for group, status in pairs:
        groups.setdefault(group, set()).add(status)
    return groups


def _differ(groups: dict[int, set[int]]) -> bool:
    return len({frozenset(statuses) for statuses in groups.values()}) > 1
