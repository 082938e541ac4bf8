"""The script language: one line, or a few, that say what happens in a run.

A statement stands on a line of its own or is set off by `;`. A `#` opens a comment. Strings are written as in JSON,
durations as `50ms`, `1.5s`, `2m` or `1h`. Nothing here knows of HTTP or of the store: text goes in, frozen values come out, and a
mistake is an error that names its line and column. The grammar, with examples, is `docs/sandbox.md`.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Literal

from ...cassettes.errors import UsageError
from ...cassettes.operations import OPERATIONS
from .statements import (
    Call,
    CallTools,
    Ending,
    HttpFault,
    Mark,
    Pace,
    RunCode,
    Say,
    Script,
    Search,
    Statement,
    Tokens,
    Wait,
)

MAX_LENGTH = 65_536
MAX_STATEMENTS = 1_000
MAX_SECONDS = 86_400.0

ENDINGS = ("complete", "fail", "expire", "cancel", "incomplete", "error", "drop")
FAIL_CODES = ("server_error", "rate_limit_exceeded", "invalid_prompt")
INCOMPLETE_REASONS = ("max_completion_tokens", "max_prompt_tokens")


class ScriptError(UsageError):
    """A script that cannot be read. `line` and `column` count from 1."""

    def __init__(self, what: str, line: int, column: int) -> None:
        super().__init__(f"script, line {line}, column {column}: {what}", "The grammar is in docs/sandbox.md.")
        self.line = line
        self.column = column


_SPACE = re.compile(r"(?:[ \t\r]|#[^\n]*)*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)\b")
_INTEGER = re.compile(r"\d{1,9}\b(?![.\w])")
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,6})?\b(?![.\w])")
_FUNCTION = re.compile(r"[A-Za-z0-9_-]{1,64}(?=\s*\()")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_JSON = json.JSONDecoder()


class _Scanner:
    """A place in the text, and what can be taken there."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def error(self, what: str, at: int | None = None) -> ScriptError:
        at = self.at if at is None else at
        line = self.text.count("\n", 0, at) + 1
        return ScriptError(what, line, at - (self.text.rfind("\n", 0, at) + 1) + 1)

    def skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def take(self, pattern: re.Pattern[str]) -> str | None:
        self.skip()
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found[0]

    def need(self, pattern: re.Pattern[str], what: str) -> str:
        taken = self.take(pattern)
        if taken is None:
            raise self.error(f"expected {what}, found {self.here()}")
        return taken

    def mark(self, sign: str) -> bool:
        self.skip()
        if self.text.startswith(sign, self.at):
            self.at += len(sign)
            return True
        return False

    def word(self, *wanted: str) -> str | None:
        """Take the next word if it is one of these."""
        self.skip()
        found = _WORD.match(self.text, self.at)
        if found is None or found[0] not in wanted:
            return None
        self.at = found.end()
        return found[0]

    def here(self) -> str:
        self.skip()
        if self.at >= len(self.text):
            return "the end"
        rest = self.text[self.at : self.at + 24].split("\n")[0]
        return json.dumps(rest) if rest else "the end of the line"

    def json(self, what: str, kind: type) -> Any:
        self.skip()
        start = self.at
        try:
            value, self.at = _JSON.raw_decode(self.text, start)
        except (ValueError, RecursionError):
            raise self.error(f"expected {what} as JSON, found {self.here()}", start) from None
        if not isinstance(value, kind):
            raise self.error(f"expected {what}", start)
        try:
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, RecursionError):
            raise self.error(f"{what} holds a value that JSON cannot carry", start) from None
        return value

    def string(self, what: str) -> str:
        return self.json(what, str)

    def has_string(self) -> bool:
        self.skip()
        return self.text.startswith('"', self.at)

    def duration(self, what: str) -> float:
        self.skip()
        start = self.at
        found = _DURATION.match(self.text, start)
        if found is None:
            raise self.error(f"expected {what}, such as 50ms, 1.5s, 2m or 1h, found {self.here()}")
        seconds = float(found[1]) * _UNITS[found[2]]
        if seconds > MAX_SECONDS:
            raise self.error("a duration is a day at most", start)
        self.at = found.end()
        return seconds


def _wait(status: Literal["queued", "in_progress"]) -> Callable[[_Scanner], Statement]:
    return lambda scan: Wait(status, scan.duration(f"how long {status} lasts"))


def _call(scan: _Scanner) -> Statement:
    calls: list[Call] = []
    while True:
        name = scan.need(_FUNCTION, "a function name and its arguments, such as lookup({})")
        scan.mark("(")
        arguments = scan.json("the arguments, an object", dict)
        if not scan.mark(")"):
            raise scan.error(f"expected ')', found {scan.here()}")
        calls.append(Call(name, json.dumps(arguments, ensure_ascii=False)))
        if not scan.mark("&"):
            return CallTools(tuple(calls))


def _code(scan: _Scanner) -> Statement:
    source = scan.string("the code, a string")
    return RunCode(source, scan.string("the output, a string") if scan.mark("->") else None)


def _search(scan: _Scanner) -> Statement:
    if not scan.has_string():
        return Search()
    file_id = scan.string("a file id")
    return Search(file_id, scan.string("a file name") if scan.has_string() else "")


def _say(scan: _Scanner) -> Statement:
    text = scan.string("what to say, a string")
    marks: list[Mark] = []
    while (kind := scan.word("cite", "path")) is not None:
        start = scan.at
        piece = scan.string("the piece of the message that the annotation stands on")
        if not piece or piece not in text:
            raise scan.error("this piece does not occur in the message", start + 1)
        file_id = scan.string("a file id")
        quote = scan.string("the quotation") if kind == "cite" and scan.has_string() else ""
        marks.append(Mark("file_citation" if kind == "cite" else "file_path", piece, file_id, quote))
    return Say(text, tuple(marks))


def _tokens(scan: _Scanner) -> Statement:
    prompt = int(scan.need(_INTEGER, "the number of prompt tokens"))
    return Tokens(prompt, int(scan.need(_INTEGER, "the number of completion tokens")))


def _ending(kind: str) -> Callable[[_Scanner], Statement]:
    def read(scan: _Scanner) -> Statement:
        code = message = ""
        if kind == "fail":
            code = scan.word(*FAIL_CODES) or ""
            if not code and not scan.has_string():
                raise scan.error(f"expected one of {', '.join(FAIL_CODES)}, found {scan.here()}")
            code = code or "server_error"
        elif kind == "incomplete":
            code = scan.word(*INCOMPLETE_REASONS) or ""
            if not code:
                raise scan.error(f"expected one of {', '.join(INCOMPLETE_REASONS)}, found {scan.here()}")
        if kind in ("fail", "error") and scan.has_string():
            message = scan.string("the message")
        after = scan.duration("a duration") if scan.word("after") else None
        return Ending(kind, code, message, after)

    return read


def _http(scan: _Scanner) -> Statement:
    scan.skip()
    start = scan.at
    status = int(scan.need(_INTEGER, "a status between 400 and 599"))
    if not 400 <= status <= 599:
        raise scan.error("the status is between 400 and 599", start)
    retry_after, times, operation = None, 1, ""
    while (option := scan.word("retry-after", "times", "on")) is not None:
        if option == "retry-after":
            retry_after = scan.need(_NUMBER, "a number of seconds")
        elif option == "times":
            times = int(scan.need(_INTEGER, "how many times"))
        else:
            operation = scan.word(*(row.name for row in OPERATIONS)) or ""
            if not operation:
                raise scan.error(f"expected the name of an operation, such as getRun, found {scan.here()}")
    return HttpFault(status, retry_after, times, operation)


STATEMENTS: dict[str, Callable[[_Scanner], Statement]] = {
    "queued": _wait("queued"),
    "in_progress": _wait("in_progress"),
    "call": _call,
    "code": _code,
    "search": _search,
    "say": _say,
    "pace": lambda scan: Pace(scan.duration("a duration")),
    "tokens": _tokens,
    "http": _http,
    **{kind: _ending(kind) for kind in ENDINGS},
}


def parse_script(text: str) -> Script:
    """Read a script. Raises `ScriptError`, which names the line and the column."""
    scan = _Scanner(text)
    if len(text) > MAX_LENGTH:
        raise scan.error(f"a script has {MAX_LENGTH} characters at most")
    statements: list[Statement] = []
    while True:
        scan.skip()
        if scan.at >= len(text):
            return Script(tuple(statements), text)
        if scan.mark(";") or scan.mark("\n"):
            continue
        if len(statements) == MAX_STATEMENTS:
            raise scan.error(f"a script has {MAX_STATEMENTS} statements at most")
        word = scan.word(*STATEMENTS)
        if word is None:
            raise scan.error(f"expected a statement ({', '.join(STATEMENTS)}), found {scan.here()}")
        _check_order(scan, statements, word)
        statements.append(STATEMENTS[word](scan))
        scan.skip()
        if scan.at < len(text) and text[scan.at] not in ";\n":
            raise scan.error(f"expected ';' or a new line, found {scan.here()}")


def _check_order(scan: _Scanner, before: list[Statement], word: str) -> None:
    """Refuse what could never happen: a statement after the end, a second ending, waiting in the queue while at work."""
    endings = [statement for statement in before if isinstance(statement, Ending)]
    start = scan.at - len(word)
    if any(ending.after is None for ending in endings) and word != "http":
        raise scan.error(f"'{word}' comes after the run's end", start)
    if word == "queued" and any(_is_work(statement) for statement in before):
        raise scan.error("'queued' comes first: a run is queued before it does anything", start)


def _is_work(statement: Statement) -> bool:
    if isinstance(statement, Wait):
        return statement.status == "in_progress"
    return isinstance(statement, CallTools | RunCode | Search | Say)
