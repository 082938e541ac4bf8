"""Credentials out of an interaction, before anything of it is written or shown.

*Slots* are the places that hold a credential by their name: headers and query parameters. Their value is replaced; a
scheme word (`Bearer`), a cookie's name and its attributes are kept. *Taint*: a value seen in a slot is replaced
wherever else it stands in that interaction, in its raw, JSON and percent-encoded spelling. Redacting twice changes
nothing, and the canonical key of a request is that of its redacted form, so that matching needs no secret.

Ids of the API (`thread_...`, `run_...`) and words of its vocabulary are never taken for a secret, even where a test
uses one as its key. Bodies whose pieces stand in the cassette already are left alone: the recorder scrubs while it
spools them.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from .interaction import Body, Headers, Interaction, Request, Response
from .operations import OPERATIONS

PLACEHOLDER = b"REDACTED"
SHORTEST_TAINT = 8
"""Bytes. A shorter value would be found by chance in what has nothing to do with it."""

_KIND = re.compile(r"auth|token|secret|passw|api[-_]?key|subscription[-_]?key|session|signature|credential")
_HEADER_SLOTS = frozenset(
    {"cookie", "set-cookie", "openai-organization", "openai-project", "x-openai-client-user-agent"}
)
_QUERY_SLOTS = frozenset({"key", "sig", "code", "pwd"})
_HARMLESS_WORDS = """
    www-authenticate proxy-authenticate authority :authority author x-author token-count tokens-count tokens
    page-token next-page-token prev-page-token previous-page-token continuation-token next-token sync-token
    pagetoken nextpagetoken prevpagetoken continuationtoken nexttoken synctoken tokencount
    maxtokens maxcompletiontokens maxprompttokens maxoutputtokens
"""
_HARMLESS = frozenset(_HARMLESS_WORDS.split())
"""Names that sound like a credential and hold none, with `-` for `_`."""
_HARMLESS_STARTS = ("access-control-", "x-ratelimit-")
_MEASURE_WORDS = "max min total prompt completion input output used remaining cached reasoning limit"
_MEASURES = frozenset(_MEASURE_WORDS.split())
_SCHEMES = frozenset({b"bearer", b"basic", b"digest", b"token", b"apikey", b"api-key", b"negotiate", b"ntlm", b"key"})
_NOT_TAINT = frozenset({b"x-openai-client-user-agent"})
"""Slots whose value is no credential: hidden where it stands, not searched for elsewhere."""

_API_ID = re.compile(rb"(?:thread|run|msg|step|asst|assistant|file|call|vs|batch)[_-][A-Za-z0-9]*")
_COUNT = re.compile(rb"[0-9]{1,13}")
_API_WORDS = b"""
    application application/json annotations arguments assistant assistant_id assistants cancelled cancelling
    code_interpreter completed completed_at completion_tokens created_at description event-stream expired_at expires_at
    failed_at file_search function has_more in_progress incomplete incomplete_details instructions last_error
    message_creation messages metadata object output outputs parallel_tool_calls prompt_tokens queued required_action
    requires_action response_format retrieval started_at step_details submit_tool_outputs temperature thread.message
    thread.run thread_id tool_call_id tool_calls tool_choice tool_outputs tool_resources total_tokens
    truncation_strategy undefined
"""
_VOCABULARY = frozenset(_API_WORDS.split()) | {
    part.strip("{}").encode() for row in OPERATIONS for part in row.template.split("/")
}
"""Words that stand in every body or path: replacing one would break the recording and hide nothing."""


class _Sifted(NamedTuple):
    """Header lines with their slots hidden, what those held, and all values in one text to look for it elsewhere."""

    lines: Headers
    held: tuple[bytes, ...]
    text: bytes


def redact(interaction: Interaction) -> Interaction:
    """The interaction without its credentials, those of each side taken out of both.

    What only the response's headers named (an organisation's id) is taken out of the request too. A later request
    cannot know it; who makes the summary therefore gives it the key of the request as it came (`keys.request_key`).
    """
    request, response = redact_call(interaction.request, interaction.response, secrets_of(interaction.request))
    return replace(interaction, request=request, response=response)


def redact_call(
    request: Request, response: Response | None, secrets: tuple[bytes, ...]
) -> tuple[Request, Response | None]:
    """Both sides of a call without their credentials. `secrets` are those of the request (`secrets_of`)."""
    if response is not None:
        sifted = _sift(response.headers)
        secrets = _joined(secrets, _needles(sifted.held))
        response = _cleaned(response, sifted, secrets)
    return _redacted(request, secrets), response


def redact_request(request: Request, taint: tuple[bytes, ...] = ()) -> Request:
    """The request without its credentials. `taint`: further values to take out."""
    return _redacted(request, _joined(secrets_of(request), taint))


def redact_response(response: Response, taint: tuple[bytes, ...] = ()) -> Response:
    """The response without credentials. `taint`: what the request's slots held (`secrets_of`).

    `marks` follow the body: a piece that held a secret has its new length.
    """
    sifted = _sift(response.headers)
    return _cleaned(response, sifted, _joined(taint, _needles(sifted.held)))


def _redacted(request: Request, taint: tuple[bytes, ...]) -> Request:
    return Request(
        request.method,
        scrub(redact_target(request.target), taint),
        _scrub_lines(_sift_request(request.headers), taint),
        _redact_body(request.body, taint, ())[0],
        request.coding,
    )


def _cleaned(response: Response, sifted: _Sifted, taint: tuple[bytes, ...]) -> Response:
    body, marks = _redact_body(response.body, taint, response.marks)
    headers = _scrub_lines(sifted, taint)
    return Response(response.status, response.reason, headers, body, response.coding, response.head_us, marks)


def redact_target(target: bytes) -> bytes:
    """The target with the values of its query slots replaced; names, order and all else as they came."""
    path, mark, query = target.partition(b"?")
    if not query:
        return target
    pieces = query.split(b"&")
    for number, piece in enumerate(pieces):
        name, equals, value = piece.partition(b"=")
        if value and is_query_slot(name):
            pieces[number] = name + equals + PLACEHOLDER
    return path + mark + b"&".join(pieces)


def secrets_of(request: Request) -> tuple[bytes, ...]:
    """The values in the request's slots that are worth looking for elsewhere, in each spelling, the longest first."""
    if b"?" not in request.target:
        return _needles(_sift_request(request.headers).held)
    return _needles(tuple(_request_secrets(request)))


def scrub(data: bytes, secrets: Iterable[bytes]) -> bytes:
    """`data` with each of `secrets` replaced, in the order given (the longest first, as `secrets_of` gives them)."""
    for secret in secrets:
        data = data.replace(secret, PLACEHOLDER)
    return data


def is_header_slot(name: bytes) -> bool:
    """Whether a header of this name holds a credential."""
    verdict = _VERDICTS.get(name)
    if verdict is None:
        word = name.lower().decode("latin-1")
        verdict = word in _HEADER_SLOTS or _sounds_secret(word)
        if len(_VERDICTS) < 4096 and len(name) <= 64:
            _VERDICTS[name] = verdict
    return verdict


_VERDICTS: dict[bytes, bool] = {}
"""What was found of header names. Clients and servers use a few dozen; names without end are judged each time."""


def is_query_slot(name: bytes) -> bool:
    """Whether a query parameter of this (percent-encoded) name holds a credential."""
    return _query_slot(name) if len(name) <= 64 else _query_slot.__wrapped__(name)


@lru_cache(maxsize=4096)
def _query_slot(name: bytes) -> bool:
    word = unquote_to_bytes(name).lower().decode("latin-1")
    return word in _QUERY_SLOTS or _sounds_secret(word)


def _sounds_secret(word: str) -> bool:
    if not _KIND.search(word):
        return False
    word = word.replace("_", "-")
    if word in _HARMLESS or word.startswith(_HARMLESS_STARTS):
        return False
    parts = word.split("-")
    return not (parts[-1] in ("token", "tokens") and not _MEASURES.isdisjoint(parts))


def split_scheme(value: bytes) -> tuple[bytes, bytes]:
    """Split a credential into its scheme word (with the space after it; empty if it has none) and the rest."""
    scheme, space, rest = value.partition(b" ")
    if scheme.lower() in _SCHEMES:
        return scheme + space, rest.strip()
    return b"", value


def _sift(headers: Headers) -> _Sifted:
    lines: list[tuple[bytes, bytes]] = []
    held: list[bytes] = []
    for line in headers:
        name = line[0]
        if is_header_slot(name):
            held += _held(name.lower(), line[1])
            line = name, _hidden(name, line[1])
        lines.append(line)
    return _Sifted(tuple(lines), tuple(held), b"\n".join([value for _, value in lines]))


_SIFTED: dict[Headers, _Sifted] = {}
"""Of request headers: a client sends the same lines with every poll."""


def _sift_request(headers: Headers) -> _Sifted:
    sifted = _SIFTED.get(headers)
    if sifted is None:
        sifted = _sift(headers)
        if len(sifted.text) + sum(map(len, sifted.held)) <= 4096:
            if len(_SIFTED) >= 256:
                _SIFTED.clear()
            _SIFTED[headers] = sifted
    return sifted


def _scrub_lines(sifted: _Sifted, taint: tuple[bytes, ...]) -> Headers:
    """The lines, scrubbed of what stands in others than the slots."""
    for secret in taint:
        if secret in sifted.text:
            return tuple(
                [(name, value if is_header_slot(name) else scrub(value, taint)) for name, value in sifted.lines]
            )
    return sifted.lines


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


def _request_secrets(request: Request) -> Iterator[bytes]:
    yield from _sift_request(request.headers).held
    for piece in request.target.partition(b"?")[2].split(b"&"):
        name, _, value = piece.partition(b"=")
        if value and is_query_slot(name):
            yield value
            yield unquote_to_bytes(value.replace(b"+", b" "))


def _held(kind: bytes, value: bytes) -> list[bytes]:
    """The credentials in the value of a slot."""
    if kind in _NOT_TAINT:
        return []
    if kind not in (b"cookie", b"set-cookie"):
        return [split_scheme(value.strip())[1]]
    held = []
    for piece in value.split(b";") if kind == b"cookie" else [value.partition(b";")[0]]:
        cookie, equals, text = piece.strip().partition(b"=")
        held.append((text if equals else cookie).strip(b'"'))
    return held


def _needles(secrets: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Each secret in each spelling that it may have elsewhere; the longest first, so that no rest of one is left."""
    return _spelled(secrets) if sum(map(len, secrets)) <= 4096 else _spelled.__wrapped__(secrets)


@lru_cache(maxsize=256)
def _spelled(secrets: tuple[bytes, ...]) -> tuple[bytes, ...]:
    found: set[bytes] = set()
    for secret in secrets:
        if _tells(secret):
            found |= _spellings(secret)
    return tuple(sorted(found, key=lambda needle: (-len(needle), needle)))


def _spellings(secret: bytes) -> frozenset[bytes]:
    text = secret.decode("utf-8", "surrogateescape")
    escaped = json.dumps(text)[1:-1].encode("ascii")
    readable = json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "surrogateescape")
    quoted = quote_from_bytes(secret, safe="").encode("ascii")
    return frozenset({secret, escaped, readable, escaped.replace(b"/", b"\\/"), quoted})


def _joined(first: tuple[bytes, ...], second: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if not second:
        return first
    return _merged(first, second)


@lru_cache(maxsize=256)
def _merged(first: tuple[bytes, ...], second: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(sorted({*first, *second}, key=lambda needle: (-len(needle), needle)))


def _tells(value: bytes) -> bool:
    """Whether a slot's value can be told from ordinary text: long enough, no id, no word of the API, no mere number."""
    return (
        len(value) >= SHORTEST_TAINT
        and value not in _VOCABULARY
        and value != PLACEHOLDER
        and not _API_ID.fullmatch(value)
        and not _COUNT.fullmatch(value)
    )


def _redact_body(
    body: Body, taint: tuple[bytes, ...], marks: tuple[tuple[int, int], ...]
) -> tuple[Body, tuple[tuple[int, int], ...]]:
    if not taint or not body.at_hand:
        return body, marks
    data = body.read()
    found = [secret for secret in taint if secret in data]
    if not found:
        return body, marks
    for secret in found:
        marks = _moved(marks, data, secret)
        data = data.replace(secret, PLACEHOLDER)
    return Body.of(data), marks


def _moved(marks: tuple[tuple[int, int], ...], data: bytes, secret: bytes) -> tuple[tuple[int, int], ...]:
    """The marks after `secret` was replaced in `data`. A secret cut by marks counts to the piece in which it ends."""
    if not marks:
        return marks
    change = len(PLACEHOLDER) - len(secret)
    moved: list[tuple[int, int]] = []
    start = data.find(secret)
    before = after = cut = 0
    for length, moment in marks:
        before += length
        while start >= 0 and start + len(secret) <= before:
            after += change
            start = data.find(secret, start + len(secret))
        # What stands of an unfinished secret at the end of this piece is given to the next one.
        end = before + after - (before - start if 0 <= start < before else 0)
        moved.append((end - cut, moment))
        cut = end
    return tuple(moved)
