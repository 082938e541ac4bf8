"""Credentials out of an interaction, before anything of it is written or shown.

What stands in a slot (see `slots`) is replaced. *Taint*: a value seen in a slot is replaced wherever else it stands in that
interaction, in its raw, JSON, percent-encoded and base64 spelling (see `taint`). *Rules*: what `secrets` finds, in targets,
headers, bodies and the joined text of streams. Redacting twice changes nothing, and the canonical key of a request is that of
its redacted form, so that matching needs no secret.

Ids of the API (`thread_...`, `run_...`) and words of its vocabulary are never taken for a secret, even where a test uses one
as its key. Bodies whose pieces stand in the cassette already are left alone: the recorder scrubs while it spools them.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from itertools import islice

from .interaction import Body, End, Headers, Interaction, Request, Response
from .scopes import scope_of
from .scrubber import replaced
from .secrets.cleaning import DEFAULT, Cleaning
from .secrets.finder import Edit, edited, unified
from .slots import (
    PLACEHOLDER,
    Sifted,
    hide_query,
    is_header_slot,
    is_query_slot,
    redact_target,
    sift,
    split_scheme,
)
from .taint import SHORTEST_TAINT, longest_first, needles

__all__ = [
    "PLACEHOLDER",
    "SHORTEST_TAINT",
    "is_header_slot",
    "is_query_slot",
    "joined",
    "redact",
    "redact_call",
    "redact_request",
    "redact_response",
    "redact_target",
    "scope_of_redacted",
    "scrub",
    "scrub_text",
    "secrets_of",
    "secrets_of_response",
    "split_scheme",
]

CUT = (End.CLIENT_CUT, End.UPSTREAM_CUT, End.PROXY_CUT)
"""How a call ended whose answer may have stopped anywhere."""
SHORTEST_LINE = 12
"""Bytes of a header's value that the rules look at."""
SHORTEST_NAME = 24
"""Bytes of a header's name, or of a method, that they look at: somebody pastes a key into the wrong place."""
MOST_WORDS = 4
"""Words of such a name that a key is looked for behind."""
_FIRST_WORDS = re.compile(rb"[-_.]")
_BETWEEN = b"\n&"
"""Between texts that are looked at together: no secret reaches across it."""


def redact(interaction: Interaction, cleaning: Cleaning = DEFAULT) -> Interaction:
    """The interaction without its credentials, those of each side taken out of both, and out of its names.

    What only the response's headers named (an organisation's id) is taken out of the request too. A later request
    cannot know it; who makes the summary therefore gives it the key of the request as it came (`keys.request_key`).
    """
    secrets = secrets_of(interaction.request)
    if interaction.response is not None:
        secrets = joined(secrets, secrets_of_response(interaction.response.headers))
    cut = interaction.request_cut, interaction.end in CUT
    request, response = redact_call(interaction.request, interaction.response, secrets, cleaning, cut=cut)
    scope = interaction.scope
    if scrub_text(scope, secrets, cleaning) != scope:
        scope = scrub_text(scope_of_redacted(request, response), secrets)
    session = scrub_text(interaction.session, secrets, cleaning)
    return replace(interaction, request=request, response=response, scope=scope, session=session)


def scope_of_redacted(request: Request, response: Response | None) -> str:
    """The scope of a call without its credentials.

    Calls of one key have to be of one scope. So where a name was taken out of the path, the word of its class stands for it.
    """
    scope = scope_of(request, response)
    return unified(scope.encode("ascii")).decode("ascii") if "rsp_" in scope else scope


def redact_call(
    request: Request,
    response: Response | None,
    secrets: tuple[bytes, ...],
    cleaning: Cleaning = DEFAULT,
    *,
    cut: tuple[bool, bool] = (False, False),
) -> tuple[Request, Response | None]:
    """Both sides of a call without their credentials. `secrets` are those of the request (`secrets_of`).

    `cut`: which of the bodies broke off, and may end with the beginning of a secret.
    """
    if response is not None:
        sifted = sift(response.headers)
        secrets = joined(secrets, needles(sifted.held))
        response = _cleaned(response, sifted, secrets, cleaning, cut=cut[1])
    return _redacted(request, secrets, cleaning, cut=cut[0]), response


def redact_request(request: Request, taint: tuple[bytes, ...] = (), cleaning: Cleaning = DEFAULT) -> Request:
    """The request without its credentials. `taint`: further values to take out."""
    return _redacted(request, joined(secrets_of(request), taint), cleaning)


def redact_response(response: Response, taint: tuple[bytes, ...] = (), cleaning: Cleaning = DEFAULT) -> Response:
    """The response without credentials. `taint`: what the request's slots held (`secrets_of`).

    `marks` follow the body: a piece that held a secret has its new length.
    """
    sifted = sift(response.headers)
    return _cleaned(response, sifted, joined(taint, needles(sifted.held)), cleaning)


def _redacted(request: Request, taint: tuple[bytes, ...], cleaning: Cleaning, *, cut: bool = False) -> Request:
    target = redact_target(request.target)
    sifted = _sift_request(request.headers)
    body = request.body
    data = body.read() if body.at_hand else b""
    found = _found(taint, (target, sifted.text, data))
    target = cleaning.value(replaced(target, found) if found else target)
    edits = cleaning.edits(data, taint if cut else found, cut=cut) if data else []
    if edits:
        body = Body.of(edited(data, edits))
    usual = not found and len(sifted.text) <= 4096
    headers = _scrubbed(sifted, cleaning) if usual else _scrub_lines(sifted, found, cleaning)
    method = request.method
    if len(method) >= SHORTEST_NAME:
        method = cleaning.value(method.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
    return Request(method, target, headers, body, request.coding)


def _cleaned(
    response: Response, sifted: Sifted, taint: tuple[bytes, ...], cleaning: Cleaning, *, cut: bool = False
) -> Response:
    reason, body, marks = response.reason, response.body, response.marks
    data = body.read() if body.at_hand else b""
    found = _found(taint, (reason, sifted.text, data))
    reason = cleaning.value(replaced(reason, found) if found else reason)
    edits = cleaning.edits(data, taint if cut else found, cut=cut) if data else []
    if edits:
        body, marks = Body.of(edited(data, edits)), _moved(marks, edits)
    headers = _scrub_lines(sifted, found, cleaning)
    return Response(response.status, reason, headers, body, response.coding, response.head_us, marks)


def _found(taint: tuple[bytes, ...], texts: tuple[bytes, ...]) -> list[bytes]:
    """Those of `taint` that may stand in one of `texts`. One search of all is faster than one of each."""
    if not taint:
        return []
    text = b"\n".join(texts)
    return [secret for secret in taint if secret in text]


def secrets_of(request: Request) -> tuple[bytes, ...]:
    """The values in the request's slots that are worth looking for elsewhere, in each spelling, the longest first."""
    held = _sift_request(request.headers).held
    query = request.target.partition(b"?")[2]
    if query:
        found = hide_query(query)[1]
        if found:
            held = (*held, *found)
    return needles(held)


def secrets_of_response(headers: Headers) -> tuple[bytes, ...]:
    """The values in the slots of a response's headers, as `secrets_of` gives a request's."""
    return needles(sift(headers).held)


def joined(first: tuple[bytes, ...], second: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Two results of `secrets_of` or `secrets_of_response` in one: each value once, the longest first."""
    if not second:
        return first
    return _merged(first, second) if first else second


@lru_cache(maxsize=256)
def _merged(first: tuple[bytes, ...], second: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return longest_first({*first, *second})


def scrub(data: bytes, secrets: Iterable[bytes]) -> bytes:
    """`data` with each of `secrets` replaced. Their order does not count."""
    return replaced(data, secrets)


def scrub_text(text: str, secrets: Iterable[bytes], cleaning: Cleaning | None = None) -> str:
    """`text` (a session's or a scope's name) with each of `secrets` replaced, and what the rules find."""
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # it holds a surrogate that stands for no byte
        data = text.encode("utf-8", "surrogatepass")
    clean = replaced(data, secrets)
    if cleaning is not None:
        clean = cleaning.value(clean)
    return text if clean == data else clean.decode("utf-8", "replace")


_SIFTED: dict[Headers, Sifted] = {}
"""Of request headers: a client sends the same lines with every poll."""


def _sift_request(headers: Headers) -> Sifted:
    sifted = _SIFTED.get(headers)
    if sifted is None:
        sifted = sift(headers)
        if len(sifted.text) + sum(map(len, sifted.held)) <= 4096:
            if len(_SIFTED) >= 256:
                _SIFTED.clear()
            _SIFTED[headers] = sifted
    return sifted


@lru_cache(maxsize=256)
def _scrubbed(sifted: Sifted, cleaning: Cleaning) -> Headers:
    """The lines of a request where nothing that is known stands elsewhere: they are the same with every poll."""
    return _scrub_lines(sifted, [], cleaning)


def _scrub_lines(sifted: Sifted, found: list[bytes], cleaning: Cleaning) -> Headers:
    """The lines, without what stands in others than the slots."""
    if found:
        lines = [(name, replaced(value, found)) for name, value in sifted.lines]
    else:
        lines = list(sifted.lines)
    texts = [value for _, value in lines if len(value) >= SHORTEST_LINE]
    texts += [_with_tails(name) for name, _ in lines if len(name) >= SHORTEST_NAME]
    shown = cleaning.values(texts)
    if shown is texts:
        return tuple(lines)
    clean = dict(zip(texts, shown, strict=True))
    return tuple([(_renamed(name, clean), clean.get(value, value)) for name, value in lines])


@lru_cache(maxsize=1024)
def _with_tails(name: bytes) -> bytes:
    """A long name of a header, and what stands in it behind each of its first words: a key may be written onto them."""
    words = islice(_FIRST_WORDS.finditer(name), MOST_WORDS)
    return _BETWEEN.join((name, *(tail for word in words if len(tail := name[word.end() :]) >= SHORTEST_NAME - 4)))


def _renamed(name: bytes, clean: dict[bytes, bytes]) -> bytes:
    """The name of a header with what stands for its tail; the longest that holds anything counts."""
    if len(name) >= SHORTEST_NAME:
        text = _with_tails(name)
        for tail, left in zip(text.split(_BETWEEN), clean[text].split(_BETWEEN), strict=False):
            if left != tail:
                return name[: len(name) - len(tail)] + left
    return name


def _moved(marks: tuple[tuple[int, int], ...], edits: list[Edit]) -> tuple[tuple[int, int], ...]:
    """The marks after `edits`. A secret cut by marks counts to the piece in which it ends."""
    moved: list[tuple[int, int]] = []
    number = before = change = cut = 0
    for length, moment in marks:
        before += length
        while number < len(edits) and edits[number].end <= before:
            change += len(edits[number].text) - (edits[number].end - edits[number].start)
            number += 1
        # What stands of an unfinished secret at the end of this piece is given to the next one.
        end = (min(before, edits[number].start) if number < len(edits) else before) + change
        moved.append((end - cut, moment))
        cut = end
    return tuple(moved)
