"""Ignore rules and matched headers: what of a request does not count for its key, and what counts besides.

A rule is text: `$...` (a JSONPath, RFC 9535), `query:NAME`, `header:NAME` or `multipart:NAME`. Rules are looked at
together, each against the request as it came, so that their order means nothing. They may come out of a cassette and
are not trusted: their number and length are capped, and of a JSONPath only what runs in time in proportion to the body
(see `paths`). Bodies of GET, HEAD and OPTIONS are left alone by every rule, as are those beyond `canonical.limit_of`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .canonical import Part
from .errors import UsageError
from .interaction import Headers
from .operations import READS
from .secrets.policy import PLAIN, Policy
from .text import clip

if TYPE_CHECKING:
    from .paths import Path

MOST_RULES = 100
LONGEST = 1000
"""Characters of a rule."""

FORMS = "rules are $.json.path, query:NAME, header:NAME and multipart:NAME"
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CREDENTIALS = frozenset({b"authorization", b"api-key", b"x-api-key"})
"""One class is kept of a credential, whichever of these held it (see `variants`)."""

Pairs = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules in effect. Made by `Rules.of`; equal when their texts are."""

    ignore: tuple[str, ...] = ()
    match_headers: tuple[str, ...] = ()
    _paths: "tuple[Path, ...]" = field(default=(), compare=False, repr=False)
    _query: frozenset[bytes] = field(default=frozenset(), compare=False, repr=False)
    _parts: frozenset[bytes] = field(default=frozenset(), compare=False, repr=False)
    _headers: frozenset[bytes] = field(default=frozenset(), compare=False, repr=False)
    matched: tuple[bytes, ...] = field(default=(), compare=False, repr=False)
    """Names, in small letters, of the headers that count."""
    policy: Policy | None = PLAIN
    """What requests go through before a key is made of them; None: known values alone, as before."""

    @classmethod
    def of(cls, ignore: Iterable[str], match_headers: Iterable[str] = (), *, policy: Policy | None = PLAIN) -> "Rules":
        """Read rules; a repeated one counts once. Raises UsageError that names the rule and the place in it."""
        texts, names = tuple(dict.fromkeys(ignore)), tuple(dict.fromkeys(match_headers))
        if len(texts) + len(names) > MOST_RULES:
            raise UsageError(f"there are {len(texts) + len(names):,} rules; at most {MOST_RULES} are taken")
        kinds: dict[str, set[bytes]] = {"query": set(), "multipart": set(), "header": set()}
        paths: list[Path] = []
        for text in texts:
            if len(text) > LONGEST:
                raise UsageError(f"the ignore rule {clip(text, 60)} is longer than {LONGEST:,} characters")
            if not text.isprintable():
                raise UsageError(
                    f"the ignore rule {clip(text, 200)} holds what cannot be printed", "escape it: \\u0000"
                )
            kind, colon, name = text.partition(":")
            if text.startswith("$"):
                from .paths import parse_path  # here, because the library costs more time than all of a short replay

                paths.append(parse_path(text))
            elif colon and kind in kinds and name:
                kinds[kind].add(_header(name) if kind == "header" else name.encode("utf-8"))
            else:
                raise UsageError(f"the ignore rule {clip(text, 200)} is of no known kind", FORMS)
        ignored = frozenset(kinds["header"])
        matched = sorted({_header(name) for name in names} - ignored)
        return cls(
            texts,
            names,
            tuple(paths),
            frozenset(kinds["query"]),
            frozenset(kinds["multipart"]),
            ignored,
            tuple(matched),
            policy,
        )

    def __bool__(self) -> bool:
        """Whether there is any rule at all."""
        return bool(self.ignore or self.match_headers)

    @property
    def changes_keys(self) -> bool:
        """Whether the key of any request may be another than without rules."""
        return bool(self._paths or self._query or self._parts or self.matched)

    @property
    def only_bodies(self) -> bool:
        """Whether no key can change but that of a request with a body."""
        return not (self._query or self.matched)

    @property
    def ignores_beta(self) -> bool:
        """Whether `OpenAI-Beta` never counts, not even as `variants` has it."""
        return b"openai-beta" in self._headers

    @property
    def ignores_credential(self) -> bool:
        """Whether credentials never count, not even as `variants` has it."""
        return not self._headers.isdisjoint(_CREDENTIALS)

    @property
    def matches_credential(self) -> bool:
        """Whether a credential counts for every key, by its class."""
        return not _CREDENTIALS.isdisjoint(self.matched)

    @property
    def none(self) -> "Rules":
        """No rules, under the same policy: what the keys in an index are made with."""
        return Rules(policy=self.policy)

    def for_body_of(self, method: str) -> "Rules | None":
        """These rules where they touch the body of such a request, else None."""
        return self if (self._paths or self._parts) and method not in READS else None

    def keep_pairs(self, pairs: Pairs) -> Pairs:
        """The pairs of a query without the ignored ones."""
        return [pair for pair in pairs if pair[0] not in self._query] if self._query else pairs

    def keep_fields(self, pairs: Pairs) -> Pairs:
        """The pairs of a percent-encoded form without the ignored ones."""
        return [pair for pair in pairs if pair[0] not in self._parts]

    def keep_parts(self, parts: list[Part]) -> list[Part]:
        """The parts of a multipart form without the ignored ones."""
        return [part for part in parts if part.name not in self._parts]

    def keep_json(self, value: object) -> object:
        """What `canonical.parse_json` read, changed in place: without the ignored members and elements.

        A body that would take too long to look through is left as it is. Without its root a body is an empty object.
        """
        from .paths import without

        return without(value, self._paths) if self._paths else value

    def header_line(self, headers: Headers, credential: int) -> bytes:
        """What the matched headers add to a key. `headers` are redacted ones, `credential` the class in the variant.

        A header that the request does not have adds nothing, so that its key is the same as without rules.
        """
        found: list[bytes] = []
        for name in self.matched:
            values = [value.strip() for each, value in headers if each.lower() == name]
            if values and name in _CREDENTIALS:
                values = [credential.to_bytes(2, "little")]
            for value in values:
                found += [len(name).to_bytes(8, "little"), name, len(value).to_bytes(8, "little"), value]
        return b"".join(found)


NO_RULES = Rules()


def _header(name: str) -> bytes:
    if len(name) > LONGEST or not _HEADER.fullmatch(name):
        raise UsageError(f"{clip(name, 200)} is no name of a header", "give the name alone, such as header:OpenAI-Beta")
    return name.lower().encode("ascii")
