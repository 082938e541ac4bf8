"""Looking for secrets in what is stored already, and taking them out of it: a cassette, or a file of any kind.

A finding names the place and the rule, never what stands there. Bodies of more than LARGEST bytes are not looked into,
and that is said.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ..editing import begin, reported
from ..errors import CassetteError
from ..interaction import Body, Interaction
from ..keys import request_key
from ..reader import Reader
from ..redaction import redact, redact_target
from ..rules import Rules
from ..summaries import summarise
from .cleaning import Cleaning
from .finder import find
from .policy import PLAIN, Policy

LARGEST = 64 << 20
"""Bytes of one body, or of one file, that are looked into."""
SLOT = "slot"
"""The rule of what stands in a header or parameter whose name says that it is a credential."""
KNOWN_VALUE = "known value"
"""The rule of what a slot of the same call held, met elsewhere."""
TOO_LARGE = "too large to look into"

Progress = Callable[[int, int], None]


class Suspect(NamedTuple):
    """Where something stands that looks like a secret, and the rule that says so."""

    place: str
    rule: str


def suspects_in(reader: Reader, policy: Policy = PLAIN, *, progress: Progress | None = None) -> Iterator[Suspect]:
    """What today's rules would take out of a cassette, in order of the calls."""
    cleaning = Cleaning(policy)
    for row in reported(reader.rows(), len(reader), progress):
        for place, rule in suspects_of(reader.interaction(row), policy, cleaning):
            yield Suspect(f"call {row.summary.arrival}, {place}", rule)


def suspects_in_file(path: Path, policy: Policy = PLAIN) -> Iterator[Suspect]:
    """What the rules find in a file that is no cassette: an export, a log, a script. Raises CassetteError if it is unreadable."""
    try:
        if path.stat().st_size > LARGEST:
            yield Suspect("the file", TOO_LARGE)
            return
        data = path.read_bytes()
    except OSError as error:
        raise CassetteError(f"{path} cannot be read: {error.strerror}") from error
    for span in find(data, policy):
        line = data.count(b"\n", 0, span.start) + 1
        yield Suspect(f"line {line:,}", span.rule)


def redact_cassette(
    reader: Reader, path: Path, cleaning: Cleaning, *, overwrite: bool = False, progress: Progress | None = None
) -> int:
    """Write a cassette with all that today's rules find taken out; returns how many calls were changed.

    Keys are made anew by these rules, whose note goes with the cassette. Raises CassetteError for a body of more than LARGEST
    bytes; nothing is written then.
    """
    policy = cleaning.policy or PLAIN
    writer = begin(path, [reader], {**reader.meta, **policy.note()}, overwrite=overwrite)
    rules = Rules(policy=policy)
    changed = 0
    try:
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
        writer.close()
    finally:
        writer.discard()
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
    target = whole.request.target
    if cleaned.request.target != target:
        yield from _told("the path or query", target, policy, SLOT if redact_target(target) != target else KNOWN_VALUE)
    for side, before, after in (
        ("the request", whole.request, cleaned.request),
        ("the response", whole.response, cleaned.response),
    ):
        if before is None or after is None:
            continue
        for (name, value), (_, now) in zip(before.headers, after.headers, strict=True):
            if now != value:
                yield from _told(f"{side}'s header {name.decode('latin-1')}", value, policy, SLOT)
        if after.body != before.body:
            yield from _told(f"{side}'s body", before.body.read(), policy, KNOWN_VALUE)


def _told(place: str, text: bytes, policy: Policy, otherwise: str) -> Iterator[Suspect]:
    """What the rules find in a text that was changed; where they find nothing, what else changed it."""
    spans = find(text, policy)
    for span in spans:
        yield Suspect(f"{place}, byte {span.start:,}", span.rule)
    if not spans:
        yield Suspect(place, otherwise)


def _at_hand(interaction: Interaction) -> Interaction | None:
    """The interaction with its bodies read; None where one is too large."""
    request, response = interaction.request, interaction.response
    if request.body.length > LARGEST or (response is not None and response.body.length > LARGEST):
        return None
    if response is not None:
        response = replace(response, body=Body.of(response.body.read()))
    return replace(interaction, request=replace(request, body=Body.of(request.body.read())), response=response)
