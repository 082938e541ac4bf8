"""Looking for secrets in what is stored already, and taking them out of it: a cassette, or a file of any kind.

A finding names the place and the rule, never what stands there. Bodies of more than LARGEST bytes are not looked into,
and that is said.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ..editing import begin, reported, whole
from ..errors import CassetteError
from ..interaction import Body, Interaction, Response
from ..keys import request_key
from ..reader import Reader
from ..redaction import redact, redact_target
from ..rules import Rules
from ..slots import split_scheme
from ..summaries import summarise
from ..text import clip
from .archives import TOO_LARGE, texts_of
from .cleaning import Cleaning
from .finder import clean, find
from .policy import PLAIN, Policy
from .streams import is_stream, joined_places
from .telling import PUT_IN, Span

LARGEST = 64 << 20
"""Bytes of one body, or of one file, that are looked into."""
SLOT = "slot"
"""The rule of what stands in a header or parameter whose name says that it is a credential."""
KNOWN_VALUE = "known value"
"""The rule of what a slot of the same call held, met elsewhere."""
LONGEST_NAME = 100

Progress = Callable[[int, int], None]


class Suspect(NamedTuple):
    """Where something stands that looks like a secret, and the rule that says so."""

    place: str
    rule: str


def suspects_in(reader: Reader, policy: Policy = PLAIN, *, progress: Progress | None = None) -> Iterator[Suspect]:
    """What today's rules would take out of a cassette, in order of the calls."""
    cleaning = Cleaning(policy)
    # The user's own rules stand in the notes, as what they are.
    for span in find(repr(reader.meta).encode("utf-8", "replace"), Policy.of((), policy.allow)):
        yield Suspect("the notes", span.rule)
    for row in reported(reader.rows(), len(reader), progress):
        for place, rule in suspects_of(reader.interaction(row), policy, cleaning):
            yield Suspect(f"call {row.summary.arrival}, {place}", rule)


def suspects_in_file(path: Path, policy: Policy = PLAIN) -> Iterator[Suspect]:
    """What the rules find in a file that is no cassette: an export, a log, a script. Raises CassetteError if it is unreadable.

    What is packed (`archives`), or written in UTF-16, is looked at as what it says; a stream as the texts that it joins to.
    """
    try:
        with path.open("rb") as file:  # what a pipe or a device gives has no size before it is read
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise CassetteError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > LARGEST:
        yield Suspect("the file", TOO_LARGE)
        return
    for told in texts_of(data, most=LARGEST):
        inside = "".join([f"{_shown(name, policy)}, " for name in told.members])
        if told.fault:
            yield Suspect(f"{inside}the file", told.fault)
        for span in find(told.members[-1], policy) if told.members else ():
            yield Suspect(f"{inside}the name", span.rule)
        yield from _by_line(told.text, policy, inside)
        if _is_utf_16(told.text):
            yield from _by_line(_as_utf_8(told.text), policy, inside)


def _shown(name: bytes, policy: Policy) -> str:
    """The name of a member of an archive, without what looks like a secret."""
    return clip(clean(name, policy).decode("utf-8", "replace"), LONGEST_NAME)


def suspects_in_name(path: Path, policy: Policy = PLAIN) -> Iterator[Suspect]:
    """What the rules find in the name of a file."""
    for span in find(os.fsencode(path), policy):
        yield Suspect("the name", span.rule)


def _by_line(data: bytes, policy: Policy, inside: str = "") -> Iterator[Suspect]:
    found = [(span.start, span.rule) for span in find(data, policy) if not _is_put_in(data, span)]
    if is_stream(data):
        found = sorted({*found, *joined_places(data, policy)})
    line, before = 1, 0
    for start, rule in found:
        line, before = line + data.count(b"\n", before, start), start
        yield Suspect(f"{inside}line {line:,}", rule)


def _is_put_in(data: bytes, span: Span) -> bool:
    """Whether what was found is a scheme word and the placeholder behind it, as an export writes a header line."""
    return span.end - span.start <= 64 and PUT_IN.fullmatch(split_scheme(data[span.start : span.end])[1]) is not None


def _is_utf_16(data: bytes) -> bool:
    """Whether a text says that it is in UTF-16, or has a NUL at every second place from its beginning on."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    begin = data[:64]
    return len(begin) > 7 and not (any(begin[1::2]) and any(begin[::2]))


def _as_utf_8(data: bytes) -> bytes:
    order = "utf-16" if data[:1] in (b"\xff", b"\xfe") else "utf-16-be" if not data[0] else "utf-16-le"
    return data.decode(order, "replace").encode("utf-8", "surrogatepass")


def redact_cassette(
    reader: Reader, path: Path, cleaning: Cleaning, *, overwrite: bool = False, progress: Progress | None = None
) -> int:
    """Write a cassette with all that today's rules find taken out; returns how many calls were changed.

    Keys are made anew by these rules, whose note goes with the cassette. Raises CassetteError for a body of more than LARGEST
    bytes; nothing is written then.
    """
    policy = cleaning.policy or PLAIN
    rules = Rules(policy=policy)
    changed = 0
    with whole(begin(path, [reader], {**reader.meta, **policy.note()}, overwrite=overwrite)) as writer:
        for row in reported(reader.rows(), len(reader), progress):
            stored = _at_hand(reader.interaction(row))
            if stored is None:
                raise CassetteError(
                    f"call {row.summary.arrival} of {reader.path} has a body of more than {LARGEST:,} bytes",
                    "`respool trim --drop` leaves the call out",
                )
            cleaned = redact(stored, cleaning)
            changed += cleaned != stored
            writer.append(cleaned, summarise(cleaned, key=request_key(stored.request, rules=rules)))
    return changed


def suspects_of(interaction: Interaction, policy: Policy, cleaning: Cleaning) -> Iterator[Suspect]:
    """What the rules would take out of one call. `cleaning` is by the same policy."""
    whole = _at_hand(interaction)
    if whole is None:
        yield Suspect("a body", TOO_LARGE)
        return
    cleaned = redact(whole, cleaning)
    if cleaned == whole:
        return
    for place, told, shown in (
        ("the method", whole.request.method, cleaned.request.method),
        ("the session", whole.session, cleaned.session),
        ("the name of its thread", whole.scope, cleaned.scope),
    ):
        if shown != told:
            yield from _told(place, told.encode("utf-8", "surrogateescape"), policy, KNOWN_VALUE)
    target = whole.request.target
    if cleaned.request.target != target:
        yield from _told("the path or query", target, policy, SLOT if redact_target(target) != target else KNOWN_VALUE)
    for side, before, after in (
        ("the request", whole.request, cleaned.request),
        ("the response", whole.response, cleaned.response),
    ):
        if before is None or after is None:
            continue
        for (name, value), (shown, now) in zip(before.headers, after.headers, strict=True):
            if shown != name:
                yield from _told(f"the name of a header of {side}", name, policy, KNOWN_VALUE)
            if now != value:
                yield from _told(f"{side}'s header {shown.decode('latin-1')}", value, policy, SLOT)
        if isinstance(before, Response) and isinstance(after, Response) and after.reason != before.reason:
            yield from _told("the response's status line", before.reason, policy, KNOWN_VALUE)
        if after.body != before.body:
            yield from _told(f"{side}'s body", before.body.read(), policy, KNOWN_VALUE)


def _told(place: str, text: bytes, policy: Policy, otherwise: str) -> Iterator[Suspect]:
    """What the rules find in a text that was changed; where they find nothing, what else changed it."""
    found = [(span.start, span.rule) for span in find(text, policy)]
    if not found and is_stream(text):
        found = sorted(set(joined_places(text, policy)))
    for start, rule in found:
        yield Suspect(f"{place}, byte {start:,}", rule)
    if not found:
        yield Suspect(place, otherwise)


def _at_hand(interaction: Interaction) -> Interaction | None:
    """The interaction with its bodies read; None where one is too large."""
    request, response = interaction.request, interaction.response
    if request.body.length > LARGEST or (response is not None and response.body.length > LARGEST):
        return None
    if response is not None:
        response = replace(response, body=Body.of(response.body.read()))
    return replace(interaction, request=replace(request, body=Body.of(request.body.read())), response=response)
