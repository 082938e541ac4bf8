"""Which rules apply: the table, what a user adds to it and takes from it, and personal data where it is asked for.

A policy is equal to another when its settings are. It travels in the notes of a cassette, since the keys in the index were made
of requests that it had gone through; a cassette without such a note was made before there were rules.

Rules of a user: `name:NAME` (a member, field or parameter of this name), `text:TEXT` (this text; `*` at its end stands for the
rest of a word). What may be allowed besides: `rule:RULE`, a rule of the table by its name.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import CassetteError, UsageError
from ..text import clip
from .pii import personal
from .table import RULES, TABLE_VERSION
from .telling import Span

MOST_RULES = 100
LONGEST = 200
NOTE = "redaction"
FORMS = "rules are name:NAME and text:TEXT, where TEXT may end with *; to allow, rule:RULE too"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_WORD = re.compile(rb"[A-Za-z0-9_.~+/=-]*+")


@dataclass(frozen=True, slots=True)
class Policy:
    """Made by `of`."""

    redact: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    pii: bool = False
    names: frozenset[bytes] = frozenset()
    texts: tuple[tuple[bytes, bool], ...] = ()
    allowed_names: frozenset[bytes] = frozenset()
    allowed_texts: tuple[tuple[bytes, bool], ...] = ()
    allowed_rules: frozenset[str] = frozenset()
    version: int = TABLE_VERSION
    """Of the table. What an older one did not look at is left alone for the requests of its cassettes."""

    number: int = field(init=False, repr=False, compare=False)
    """Its hash, which is asked for with every text."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "number", hash((self.redact, self.allow, self.pii, self.version)))

    def __hash__(self) -> int:
        return self.number

    @classmethod
    def of(
        cls,
        redact: Iterable[str] = (),
        allow: Iterable[str] = (),
        *,
        pii: bool = False,
        version: int = TABLE_VERSION,
    ) -> "Policy":
        """Read rules; a repeated one counts once. Raises UsageError that names the rule."""
        redact, allow = tuple(dict.fromkeys(redact)), tuple(dict.fromkeys(allow))
        if len(redact) + len(allow) > MOST_RULES:
            raise UsageError(
                f"there are {len(redact) + len(allow):,} rules of redaction; at most {MOST_RULES} are taken"
            )
        names, texts, _ = _read(redact, "redact")
        allowed_names, allowed_texts, rules = _read(allow, "redact-allow")
        return cls(redact, allow, pii, names, texts, allowed_names, allowed_texts, rules, version)

    def of_today(self) -> "Policy":
        """The same settings with today's table: what is written or shown goes by it, whatever keys were made with."""
        return self if self.version == TABLE_VERSION else replace(self, version=TABLE_VERSION)

    @property
    def adds(self) -> bool:
        """Whether more is looked for than what the table says."""
        return bool(self.names or self.texts or self.pii)

    def found(self, data: bytes) -> list[Span]:
        """What the user's texts and the rules for personal data find."""
        spans: list[Span] = []
        for text, open_end in self.texts:
            place = data.find(text)
            while place >= 0:
                end = place + len(text)
                if open_end:
                    word = _WORD.match(data, end)
                    end = word.end() if word is not None else end
                spans.append(Span(place, end, "custom", "text"))
                place = data.find(text, end)
        return spans + personal(data) if self.pii else spans

    def allows(self, span: Span, data: bytes) -> bool:
        """Whether the user lets this stand."""
        if span.rule in self.allowed_rules:
            return True
        if not self.allowed_texts:
            return False
        value = data[span.start : span.end]
        return any(value.startswith(text) if open_end else value == text for text, open_end in self.allowed_texts)

    def note(self) -> dict[str, Any]:
        """What a cassette keeps of it."""
        return {NOTE: {"rules": self.version, "redact": list(self.redact), "allow": list(self.allow), "pii": self.pii}}


PLAIN = Policy()


def policy_of_notes(notes: Mapping[str, Any]) -> Policy | None:
    """The policy that a cassette was recorded with; None for one of before there were rules. Raises CassetteError."""
    note = notes.get(NOTE)
    if note is None:
        return None
    hint = "a newer respool may have written it: upgrade, and try again"
    if not isinstance(note, dict) or note.get("rules") not in range(1, TABLE_VERSION + 1):
        raise CassetteError("the cassette was redacted by rules that this version does not have", hint)
    redact, allow = note.get("redact", []), note.get("allow", [])
    if not all(isinstance(texts, list) and all(isinstance(text, str) for text in texts) for texts in (redact, allow)):
        raise CassetteError("the cassette's note of its redaction is malformed", hint)
    try:
        return Policy.of(redact, allow, pii=note.get("pii") is True, version=note["rules"])
    except UsageError as error:
        raise CassetteError(error.message, hint) from error


def policy_of_today(notes: Mapping[str, Any]) -> Policy:
    """The settings that a cassette was recorded with, for what is shown or written now. Raises CassetteError."""
    return (policy_of_notes(notes) or PLAIN).of_today()


_Read = tuple[frozenset[bytes], tuple[tuple[bytes, bool], ...], frozenset[str]]


def _read(rules: Iterable[str], setting: str) -> _Read:
    names: set[bytes] = set()
    texts: list[tuple[bytes, bool]] = []
    of_table: set[str] = set()
    known = {rule.name for rule in RULES} | {"telling-name", "base64", "email", "phone", "iban", "card", "ip"}
    for rule in rules:
        kind, _, said = rule.partition(":")
        shown = f"the {setting} rule {clip(rule, 100)}"
        if len(rule) > LONGEST:
            raise UsageError(f"{shown} is longer than {LONGEST} characters")
        if kind == "name" and _NAME.fullmatch(said):
            names.add(said.lower().encode("ascii"))
        elif kind == "text" and len(said.rstrip("*")) >= 4:
            texts.append((said.removesuffix("*").encode("utf-8", "surrogateescape"), said.endswith("*")))
        elif kind == "rule" and setting == "redact-allow":
            if said not in known:
                raise UsageError(f"{shown} names no rule", "docs/secrets.md lists them")
            of_table.add(said)
        elif kind == "text":
            raise UsageError(f"{shown} is too short", "give four characters at least: less is found by chance")
        else:
            raise UsageError(f"{shown} is of no known kind", FORMS)
    return frozenset(names), tuple(texts), frozenset(of_table)
