"""The rules of faults, one line each: `WHERE[#NTH][%CHANCE]: WHAT`.

`WHERES` and `EFFECTS` hold the grammar's words and their meaning; the docs' tables are made from them. What is no rule is
refused with the column at which it went wrong. Which rules strike a call is told in `faults`.
"""

import difflib
import re
from dataclasses import dataclass
from typing import Literal

from .errors import UsageError
from .operations import OPERATIONS

LONGEST_WAIT = 600.0
"""Seconds that a rule may wait at most."""
MOST_COUNT = 1_000_000_000
MOST_STARS = 4
"""Of a path: each more makes a long path that does not match take longer by its length."""
LONGEST_PATH = 2_000
"""A longer path is not compared with rules for paths."""
LONGEST_RULE = 500
"""Characters."""

Unit = Literal["events", "bytes"]
RunEnd = Literal["failed", "expired", "incomplete", "cancelled"]

WHERES: dict[str, str] = {
    "NAME": "calls of this operation, such as `createRun` or `listMessages`",
    "METHOD PATH": "calls of this method whose path below the base matches: `*` is one segment, `**` any number",
    "stream": "calls whose recorded answer is an event stream",
    "*": "all calls",
    "run": "runs that the session creates, for the faults by meaning",
}

EFFECTS: dict[str, str] = {
    "status CODE [retry-after N|retry-after-ms N]": "an error of this status (400 to 599) in the API's shape; the recording is "
    "not touched, so that a retry gets what was recorded",
    "delay TIME": "the whole answer comes this much later",
    "first-byte TIME": "the head comes at once, the first byte of the body this much later",
    "cut after N events|bytes": "the connection closes when this much of the body was sent",
    "reset [after N events|bytes]": "the connection is reset: at once, without an answer, or when this much was sent",
    "stall TIME [after N events|bytes]": "the body stops for this long, after this much of it (half of it), and goes on",
    "failed [server_error|rate_limit_exceeded|invalid_prompt]": "the run ends failed, with this `last_error`",
    "incomplete [max_completion_tokens|max_prompt_tokens]": "the run ends incomplete, for this reason",
    "expired": "the run ends expired",
    "cancelled": "the run ends cancelled, though nobody cancelled it",
    "requires_action again": "after the tool outputs were submitted the run asks once more, with new call ids",
}


@dataclass(frozen=True, slots=True)
class Status:
    status: int
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Delay:
    seconds: float


@dataclass(frozen=True, slots=True)
class FirstByte:
    seconds: float


@dataclass(frozen=True, slots=True)
class Break:
    """The connection ends after `count` of `unit`. `reset`: by a reset, and without a count before the head."""

    count: int | None
    unit: Unit
    reset: bool


@dataclass(frozen=True, slots=True)
class Stall:
    """`count` None: after half of the body."""

    seconds: float
    count: int | None
    unit: Unit


@dataclass(frozen=True, slots=True)
class RunEnds:
    """`reason`: the code of a failure, the reason of an incomplete run, else empty."""

    status: RunEnd
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AskAgain:
    """The run asks for its tools once more."""


Effect = Status | Delay | FirstByte | Break | Stall | RunEnds | AskAgain


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `last` None: no end; `chance` is in percent."""

    text: str
    where: str
    path: re.Pattern[str] | None
    effect: Effect
    first: int = 1
    last: int | None = None
    chance: float = 100.0

    @classmethod
    def parse(cls, text: str) -> "Rule":
        """Read one rule. Raises UsageError, which names the column."""
        return _Parser(text).rule()

    @property
    def of_runs(self) -> bool:
        return self.where == "run"

    def names(self, method: str, path: str, operation: str, *, streams: bool) -> bool:
        """Whether a call is one that this rule counts."""
        if self.path is not None:
            return self.where == method and len(path) <= LONGEST_PATH and self.path.fullmatch(path) is not None
        return self.where == "*" or self.where == operation or (self.where == "stream" and streams)


_WHERE = re.compile(r"\s*(?:(?P<method>[A-Z]+)\s+(?P<path>/[^\s:#%]*)|(?P<name>\*|[A-Za-z]\w*))")
_NTH = re.compile(r"#(?P<first>\d{1,10})(?:(?P<open>\+)|-(?P<last>\d{1,10}))?")
_CHANCE = re.compile(r"%(?P<chance>\d{1,3}(?:\.\d{1,6})?)")
_TIME = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(ms|s|m)")
_SCALE = {"ms": 0.001, "s": 1.0, "m": 60.0}
_NAMES = tuple(operation.name for operation in OPERATIONS)
_CODES = ("server_error", "rate_limit_exceeded", "invalid_prompt")
_REASONS = ("max_completion_tokens", "max_prompt_tokens")
_BY_MEANING = ("failed", "expired", "incomplete", "cancelled", "requires_action")
_BY_WIRE = ("status", "delay", "first-byte", "cut", "reset", "stall")


class _Parser:
    """Reads a rule from left to right; `_at` is the column that an error names, from 0."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._words: list[tuple[str, int]] = []

    def rule(self) -> Rule:
        text = self._text
        if len(text) > LONGEST_RULE or not (text.isascii() and text.isprintable()):
            raise UsageError(
                f"--fault takes a rule of at most {LONGEST_RULE} printable ASCII characters", "see docs/faults.md"
            )
        match = _WHERE.match(text)
        if match is None:
            raise self._error(
                "a rule begins with where it strikes", "write an operation, *, stream, run or METHOD /path"
            )
        where, path = match["method"] or match["name"], match["path"]
        if path is None and where not in {"*", "stream", "run", *_NAMES}:
            near = difflib.get_close_matches(where, _NAMES, 1)
            self._at = match.start("name")
            raise self._error(f"{where} is no operation", f"did you mean {near[0]}?" if near else "see docs/faults.md")
        self._at = match.end()
        first, last = self._nth()
        chance = self._chance()
        rest = text[self._at :].lstrip()
        self._at = len(text) - len(rest)
        if not rest.startswith(":"):
            raise self._error("here `:` and what happens should follow", "such as createRun#1: status 429")
        self._words = [(found[0], found.start()) for found in re.finditer(r"\S+", text) if found.start() > self._at]
        if rest[1:2].strip():  # no space after the colon
            word = rest[1:].split()[0]
            self._words.insert(0, (word, self._at + 1))
        self._at = len(text)
        if path and path.replace("**", "*").count("*") > MOST_STARS:
            self._at = match.start("path")
            raise self._error(f"a path takes {MOST_STARS} stars at most")
        effect = self._effect(of_runs=where == "run")
        if self._words:
            word, self._at = self._words[0]
            raise self._error(f"nothing is expected behind the rule, here is {word}")
        return Rule(text.strip(), where, _glob(path) if path else None, effect, first, last, chance)

    def _nth(self) -> tuple[int, int | None]:
        match = _NTH.match(self._text, self._at)
        if match is None:
            if self._text.startswith("#", self._at):
                raise self._error("# takes a count", "write #2, #2-4 or #3+")
            return 1, None
        first = int(match["first"])
        last = None if match["open"] else int(match["last"] or first)
        if first < 1 or (last is not None and last < first):
            raise self._error("counts begin with 1 and rise", "write #2, #2-4 or #3+")
        self._at = match.end()
        return first, last

    def _chance(self) -> float:
        match = _CHANCE.match(self._text, self._at)
        if match is None:
            if self._text.startswith("%", self._at):
                raise self._error("% takes a number up to 100", "write %10 for ten of a hundred")
            return 100.0
        if float(match["chance"]) > 100:
            raise self._error("% takes a number up to 100", "write %10 for ten of a hundred")
        self._at = match.end()
        return float(match["chance"])

    def _effect(self, *, of_runs: bool) -> Effect:
        allowed = _BY_MEANING if of_runs else _BY_WIRE
        word, _ = self._next(allowed)
        match word:
            case "status":
                return self._status()
            case "delay":
                return Delay(self._time())
            case "first-byte":
                return FirstByte(self._time())
            case "cut":
                return Break(*self._after(needed=True), reset=False)
            case "reset":
                return Break(*self._after(), reset=True)
            case "stall":
                return Stall(self._time(), *self._after())
            case "failed":
                return RunEnds("failed", self._next(_CODES)[0] if self._words else _CODES[0])
            case "incomplete":
                return RunEnds("incomplete", self._next(_REASONS)[0] if self._words else _REASONS[0])
            case "expired" | "cancelled":
                return RunEnds(word)
            case _:
                self._next(("again",))
                return AskAgain()

    def _status(self) -> Status:
        word, column = self._next()
        if not word.isdecimal() or not 400 <= int(word) <= 599:
            self._at = column
            raise self._error(f"{word} is no status of an error", "write a number from 400 to 599")
        if not self._words:
            return Status(int(word))
        name, _ = self._next(("retry-after", "retry-after-ms"))
        value, column = self._next()
        if not value.isdecimal() or len(value) > 9:
            self._at = column
            raise self._error(f"{name} takes a whole number", f"write {name} 2")
        return Status(int(word), ((name.encode(), value.encode()),))

    def _time(self) -> float:
        word, column = self._next()
        match = _TIME.fullmatch(word)
        seconds = float(match[1]) * _SCALE[match[2]] if match else -1.0
        if not 0 <= seconds <= LONGEST_WAIT:
            self._at = column
            raise self._error(f"{word} is no time up to {LONGEST_WAIT / 60:.0f} minutes", "write 500ms, 2s or 1m")
        return seconds

    def _after(self, *, needed: bool = False) -> tuple[int | None, Unit]:
        if not self._words and not needed:
            return None, "bytes"
        self._next(("after",))
        word, column = self._next()
        if not word.isdecimal() or int(word[:11]) > MOST_COUNT:
            self._at = column
            raise self._error(f"{word} is no count", "write after 5 events, or after 100 bytes")
        unit, _ = self._next(("events", "bytes", "event", "byte"))
        return int(word), "events" if unit.startswith("event") else "bytes"

    def _next(self, allowed: tuple[str, ...] = ()) -> tuple[str, int]:
        """The next word and its column. Raises UsageError where there is none, or not one of `allowed`."""
        choice = f"one of {', '.join(allowed)}" if len(allowed) > 1 else "".join(allowed) or "a value"
        if not self._words:
            raise self._error(f"here {choice} should follow")
        word, column = self._words.pop(0)
        if allowed and word not in allowed:
            self._at = column
            raise self._error(f"{word} is not {choice}")
        return word, column

    def _error(self, what: str, hint: str = "see docs/faults.md") -> UsageError:
        return UsageError(f"--fault {self._text!r}, column {self._at + 1}: {what}", hint)


def _glob(path: str) -> re.Pattern[str]:
    """A star becomes a segment's part, two any path."""
    parts = re.split(r"(\*+)", path)
    spelled = ["[^/]*" if part == "*" else ".*" if part[:1] == "*" else re.escape(part) for part in parts]
    return re.compile("".join(spelled))
