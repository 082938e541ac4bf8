"""Credentials out of an interaction, before anything of it is written or shown.

What stands in a slot (see `slots`) is replaced. *Taint*: a value seen in a slot is replaced wherever else it stands in
that interaction, in its raw, JSON, percent-encoded and base64 spelling. Redacting twice changes nothing, and the
canonical key of a request is that of its redacted form, so that matching needs no secret.

Ids of the API (`thread_...`, `run_...`) and words of its vocabulary are never taken for a secret, even where a test
uses one as its key. Bodies whose pieces stand in the cassette already are left alone: the recorder scrubs while it
spools them.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from urllib.parse import quote_from_bytes, quote_plus

from .interaction import Body, Headers, Interaction, Request, Response
from .operations import OPERATIONS
from .scopes import scope_of
from .scrubber import replaced, spans_of, with_spans_replaced
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
    "scrub",
    "scrub_text",
    "secrets_of",
    "secrets_of_response",
    "split_scheme",
]

SHORTEST_TAINT = 8
"""Bytes. A shorter value would be found by chance in what has nothing to do with it."""

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
    attachments auto chunking_strategy citation code content context delta developer file_citation file_id file_ids
    file_path filename filters first_id gpt-3.5-turbo image_file image_url include input input_text json_object
    json_schema last_id last_messages limit_exceeded max_completion_tokens max_prompt_tokens max_output_tokens
    max_tokens model name none output_text ranking_options reasoning_effort refusal role server_error status
    step_type strict stream_options system text thread tools top_p type usage user value vector_store
    vector_store_ids vector_stores rate_limit_exceeded invalid_request_error
"""
_SCHEMA_WORDS = b"""
    $anchor $comment $defs $dynamicanchor $dynamicref $id $ref $schema $vocabulary additionalitems
    additionalproperties allof anyof array boolean const contains contentencoding contentmediatype contentschema
    date-time default definitions dependencies dependentrequired dependentschemas deprecated duration email else enum
    examples exclusivemaximum exclusiveminimum format hostname if integer ipv4 ipv6 items maxcontains maximum maxitems
    maxlength maxproperties mincontains minimum minitems minlength minproperties multipleof not null number oneof
    pattern patternproperties prefixitems properties propertynames readonly regex required string then title
    unevaluateditems unevaluatedproperties uniqueitems uri uri-reference uuid writeonly
"""
_COMMON_WORDS = b"""
    anything disabled document dummy dummykey empty enabled everything example external fake internal language localhost
    nokey none not-needed notneeded not-used notused nothing openai optional password placeholder production question
    response secret something testing testtest unknown unspecified whatever
"""
_PLACEHOLDERS = b"""
    sanitized sanitised [sanitized] filtered [filtered] <filtered> [redacted] <redacted> scrubbed [scrubbed] secretplaceholder
"""
"""What other recorders put where a credential stood, and elsewhere: it hides already."""
_VOCABULARY = frozenset((_API_WORDS + _SCHEMA_WORDS + _COMMON_WORDS + _PLACEHOLDERS).split()) | {
    part.strip("{}").lower().encode() for row in OPERATIONS for part in row.template.split("/")
}
"""Words, in lower case, that stand in every body or path: replacing one would break the recording and hide nothing."""


def redact(interaction: Interaction) -> Interaction:
    """The interaction without its credentials, those of each side taken out of both, and out of its names.

    What only the response's headers named (an organisation's id) is taken out of the request too. A later request
    cannot know it; who makes the summary therefore gives it the key of the request as it came (`keys.request_key`).
    """
    secrets = secrets_of(interaction.request)
    if interaction.response is not None:
        secrets = joined(secrets, secrets_of_response(interaction.response.headers))
    request, response = redact_call(interaction.request, interaction.response, secrets)
    scope = interaction.scope
    if scrub_text(scope, secrets) != scope:
        scope = scrub_text(scope_of(request, response), secrets)
    session = scrub_text(interaction.session, secrets)
    return replace(interaction, request=request, response=response, scope=scope, session=session)


def redact_call(
    request: Request, response: Response | None, secrets: tuple[bytes, ...]
) -> tuple[Request, Response | None]:
    """Both sides of a call without their credentials. `secrets` are those of the request (`secrets_of`)."""
    if response is not None:
        sifted = sift(response.headers)
        secrets = joined(secrets, _needles(sifted.held))
        response = _cleaned(response, sifted, secrets)
    return _redacted(request, secrets), response


def redact_request(request: Request, taint: tuple[bytes, ...] = ()) -> Request:
    """The request without its credentials. `taint`: further values to take out."""
    return _redacted(request, joined(secrets_of(request), taint))


def redact_response(response: Response, taint: tuple[bytes, ...] = ()) -> Response:
    """The response without credentials. `taint`: what the request's slots held (`secrets_of`).

    `marks` follow the body: a piece that held a secret has its new length.
    """
    sifted = sift(response.headers)
    return _cleaned(response, sifted, joined(taint, _needles(sifted.held)))


def _redacted(request: Request, taint: tuple[bytes, ...]) -> Request:
    target = redact_target(request.target)
    sifted = _sift_request(request.headers)
    body = request.body
    found = _found(taint, (target, sifted.text, body.read())) if body.at_hand else _found(taint, (target, sifted.text))
    if found:
        target = replaced(target, found)
        body = _redact_body(body, found, ())[0]
    return Request(request.method, target, _scrub_lines(sifted, found), body, request.coding)


def _cleaned(response: Response, sifted: Sifted, taint: tuple[bytes, ...]) -> Response:
    reason, body, marks = response.reason, response.body, response.marks
    found = _found(taint, (reason, sifted.text, body.read())) if body.at_hand else _found(taint, (reason, sifted.text))
    if found:
        reason = replaced(reason, found)
        body, marks = _redact_body(body, found, marks)
    headers = _scrub_lines(sifted, found)
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
    return _needles(held)


def secrets_of_response(headers: Headers) -> tuple[bytes, ...]:
    """The values in the slots of a response's headers, as `secrets_of` gives a request's."""
    return _needles(sift(headers).held)


def joined(first: tuple[bytes, ...], second: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Two results of `secrets_of` or `secrets_of_response` in one: each value once, the longest first."""
    if not second:
        return first
    return _merged(first, second) if first else second


@lru_cache(maxsize=256)
def _merged(first: tuple[bytes, ...], second: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return _longest_first({*first, *second})


def scrub(data: bytes, secrets: Iterable[bytes]) -> bytes:
    """`data` with each of `secrets` replaced. Their order does not count."""
    return replaced(data, secrets)


def scrub_text(text: str, secrets: Iterable[bytes]) -> str:
    """`text` (a session's or a scope's name) with each of `secrets` replaced."""
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # it holds a surrogate that stands for no byte
        data = text.encode("utf-8", "surrogatepass")
    clean = replaced(data, secrets)
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


def _scrub_lines(sifted: Sifted, found: list[bytes]) -> Headers:
    """The lines, scrubbed of what stands in others than the slots."""
    if not found:
        return sifted.lines
    return tuple([(name, value if is_header_slot(name) else replaced(value, found)) for name, value in sifted.lines])


def _needles(secrets: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Each secret that can be told from ordinary text, in each spelling that it may have elsewhere."""
    return _spelled(secrets) if sum(map(len, secrets)) <= 4096 else _spelled.__wrapped__(secrets)


@lru_cache(maxsize=256)
def _spelled(secrets: tuple[bytes, ...]) -> tuple[bytes, ...]:
    found: set[bytes] = set()
    for secret in secrets:
        if _tells(secret):
            found |= _spellings(secret)
    return _longest_first(found)


def _longest_first(needles: set[bytes]) -> tuple[bytes, ...]:
    return tuple(sorted(needles, key=lambda needle: (-len(needle), needle)))


_PLAIN = re.compile(rb"[A-Za-z0-9_.-]+")
"""What JSON and percent-encoding leave as it is."""
_NEVER_BARE = re.compile(r"[\"&'+<>`\x7f]")


def _spellings(secret: bytes) -> set[bytes]:
    found = {secret, *_in_base64(secret)}
    if _PLAIN.fullmatch(secret):
        return found
    text = secret.decode("utf-8", "surrogateescape")
    ascii_json = json.dumps(text)[1:-1]
    readable = json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "surrogateescape")
    # Go writes `\u0026` and `\u003c` where others write the sign, .NET `\u002B` too, and its digits in capitals.
    markup = re.sub("[&<>]", _escape, ascii_json)
    wary = _NEVER_BARE.sub(_escape, ascii_json.replace('\\"', '"'))
    in_json = {ascii_json, markup, wary, re.sub(r"\\u[0-9a-f]{4}", lambda digits: "\\u" + digits[0][2:].upper(), wary)}
    found |= {readable, *(each.encode("ascii") for each in in_json)}
    found |= {each.replace(b"/", b"\\/") for each in (readable, ascii_json.encode("ascii"))}
    # RFC 3986, Python's `quote`, JavaScript's `encodeURIComponent` and a form.
    quoted = [quote_from_bytes(secret, safe) for safe in ("", "/", "!'()*")] + [quote_plus(secret)]
    for each in quoted:
        lower = re.sub("%..", lambda digits: digits[0].lower(), each)
        found |= {each.encode("ascii"), lower.encode("ascii")}
    return found


def _escape(sign: re.Match[str]) -> str:
    return f"\\u{ord(sign[0]):04x}"


def _in_base64(secret: bytes) -> set[bytes]:
    """What is sure to stand in the base64 of any text that holds the secret: it begins at one of three places."""
    found: set[bytes] = set()
    for before, begin in ((0, 0), (1, 2), (2, 3)):
        inner = b64encode(bytes(before) + secret)[begin : (before + len(secret)) * 4 // 3]
        if len(inner) >= SHORTEST_TAINT:
            found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def _tells(value: bytes) -> bool:
    """Whether a slot's value can be told from ordinary text: long enough, no id, no common word, no mere number."""
    return (
        len(value) >= SHORTEST_TAINT
        and value.lower() not in _VOCABULARY
        and value != PLACEHOLDER
        and not _API_ID.fullmatch(value)
        and not _COUNT.fullmatch(value)
    )


def _redact_body(
    body: Body, taint: list[bytes], marks: tuple[tuple[int, int], ...]
) -> tuple[Body, tuple[tuple[int, int], ...]]:
    data = body.read() if body.at_hand else b""
    spans = spans_of(data, taint)
    return (Body.of(with_spans_replaced(data, spans)), _moved(marks, spans)) if spans else (body, marks)


def _moved(marks: tuple[tuple[int, int], ...], spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The marks after `spans` were replaced. A secret cut by marks counts to the piece in which it ends."""
    moved: list[tuple[int, int]] = []
    number = before = change = cut = 0
    for length, moment in marks:
        before += length
        while number < len(spans) and spans[number][1] <= before:
            change += len(PLACEHOLDER) - (spans[number][1] - spans[number][0])
            number += 1
        # What stands of an unfinished secret at the end of this piece is given to the next one.
        end = (min(before, spans[number][0]) if number < len(spans) else before) + change
        moved.append((end - cut, moment))
        cut = end
    return tuple(moved)
