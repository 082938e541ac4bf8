"""One kind of secret as the table has it: what it is called, what marks it in a text, and the pattern that is tried there.

The pieces that patterns are made of stand here too: where a token begins, and what base64 and its slashes look like as JSON and
percent-encoding spell them.
"""

import re
from dataclasses import dataclass

APART = rb"(?:(?<![A-Za-z0-9_-])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4}))"
"""A token begins here: behind no other token's character, or behind an escape of JSON or of a percent-encoded text."""
SLASH = rb"(?:\\{0,7}/|%2[Ff])"
B64 = rb"(?:[A-Za-z0-9+]++|\\{0,7}/|%2[FfBb]|\\{1,7}u00(?:2[BbFf]))++"
B64_SIGN = rb"(?:[A-Za-z0-9+]|\\{0,7}/|%2[FfBb]|\\{1,7}u00(?:2[BbFf]))"
B64_PLAIN = rb"[A-Za-z0-9+/]"
X = b"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z"
"""What the examples are made of: no secret of anybody."""
A = X + X[:17]
PAD = rb"(?:=|%3[Dd]|\\{1,7}u003[Dd]){0,2}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret.

    `kind` names it in a pseudonym. `markers` are plain text; the pattern begins `back` bytes before one. Its group 1 is the
    secret, or all of it where it has no group. `mixed`: it counts only with a digit and a letter in it. `word`: a marker is the
    beginning of a word of WORD characters at least, and is looked for there alone. `since`: the first table that has it.
    `run`: it holds RUN letters of base64 in a row, and is looked for only where a text has so many.
    """

    name: str
    what: str
    where: str
    kind: str
    markers: tuple[bytes, ...]
    pattern: re.Pattern[bytes]
    example: bytes
    counter: bytes
    back: int = 0
    mixed: bool = False
    word: bool = False
    since: int = 1
    run: bool = False


def rule(
    name: str,
    kind: str,
    what: str,
    markers: tuple[bytes, ...],
    pattern: bytes,
    example: bytes,
    counter: bytes,
    *,
    where: str = "anywhere",
    back: int = 0,
    mixed: bool = False,
    word: bool = False,
    since: int = 1,
    run: bool = False,
) -> Rule:
    """The rule, its pattern ready to be tried."""
    made = re.compile(pattern)
    return Rule(name, what, where, kind, markers, made, example, counter, back, mixed, word, since, run)
