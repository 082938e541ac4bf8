"""Which script a run follows.

The first that is there decides: `sandbox_script` in the run's metadata, the same in the assistant's, the first rule that
matches the user's last message, the sandbox's own script, and else one made to fit: a call of a function if the run has
any that the user's last message did not have answered yet, then a reply.
"""

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...cassettes.errors import UsageError
from .script import ScriptError, parse_script
from .statements import Call, CallTools, Say, Script, Statement, Wait
from .store import Json

KEY = "sandbox_script"
"""The metadata key that holds a script."""

QUEUED = 0.15
THINKING = 0.3
"""Seconds of the script that is made to fit. Speaking takes about as long again."""

MAX_FILE = 1 << 20
MAX_RULES = 10_000


@dataclass(frozen=True)
class Rule:
    """Runs whose last message of the user has `match` in it follow `script`.

    `match` is plain text, in any case, or a regular expression between slashes: `/order \\d+/`.
    """

    match: str
    script: str
    parsed: Script = field(init=False, repr=False, compare=False)
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        between = len(self.match) > 2 and self.match.startswith("/") and self.match.endswith("/")
        try:
            pattern = re.compile(self.match[1:-1] if between else re.escape(self.match), re.IGNORECASE)
        except re.error as error:
            raise UsageError(f"rule {self.match}: not a regular expression: {error}") from None
        object.__setattr__(self, "_pattern", pattern)
        object.__setattr__(self, "parsed", parse_script(self.script))

    def matches(self, text: str) -> bool:
        return self._pattern.search(text) is not None


@dataclass(frozen=True)
class RuleFile:
    """What a rules file holds: its rules in order, and the script for all that match none (or None)."""

    rules: tuple[Rule, ...]
    script: str | None = None


def parse_rules(text: str, name: str = "rules") -> RuleFile:
    """Read rules from TOML: `[[rule]]` tables with `match` and `script`, and a `script` of the file's own.

    Raises `UsageError`, naming the rule and, for a script, its line and column.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} is not TOML: {error}") from None
    _expect(name, data, {"rule", "script"})
    tables = data.get("rule", [])
    if not isinstance(tables, list) or len(tables) > MAX_RULES:
        raise UsageError(f"{name}: write each rule as [[rule]], {MAX_RULES} at most")
    rules = [_rule(f"{name}, rule {number}", table) for number, table in enumerate(tables, 1)]
    script = data.get("script")
    if script is not None:
        _parse(name, script)
    return RuleFile(tuple(rules), script)


def read_rules(path: Path) -> RuleFile:
    """Read a file of rules (`.toml`), or one that is a script."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise UsageError(f"{path} is larger than {MAX_FILE >> 20} MiB")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} cannot be read: it is no text in UTF-8") from None
    if path.suffix == ".toml":
        return parse_rules(text, path.name)
    _parse(path.name, text)
    return RuleFile((), text)


def find_script(
    sources: Sequence[Json], rules: Sequence[Rule], own: Script | None, question: str
) -> tuple[str, Script] | None:
    """The script that was written for a run, and where it stands. `sources`: metadata, the nearest first."""
    for metadata in sources:
        if KEY in metadata:
            return f"metadata:{metadata[KEY]}", cached_script(metadata[KEY])
    for number, rule in enumerate(rules):
        if rule.matches(question):
            return f"rule:{number}", rule.parsed
    return None if own is None else ("sandbox", own)


@lru_cache(maxsize=256)
def cached_script(text: str) -> Script:
    return parse_script(text)


def fitting_script(tools: list[Json], tool_choice: Any, question: str, *, answered: bool) -> Script:
    """The script for a run that nobody wrote one for: the same question always gets the same answer."""
    statements: list[Statement] = [Wait("queued", QUEUED), Wait("in_progress", THINKING)]
    function = None if answered else _pick(tools, tool_choice, question)
    if function is None:
        asked = " ".join(question.split())
        asked = asked if len(asked) <= 80 else asked[:79] + "…"
        statements.append(Say(f"You asked: {asked} Here is what I can tell you." if asked else "How can I help you?"))
    else:
        arguments = _arguments(function.get("parameters") or {}, question)
        statements.append(CallTools((Call(function["name"], arguments),)))
        statements += [Wait("in_progress", THINKING), Say(f"According to {function['name']}: {{outputs}}")]
    return Script(tuple(statements))


def _pick(tools: list[Json], tool_choice: Any, question: str) -> Json | None:
    """The function that is asked for by name, in the request or in the question, or else the first."""
    functions = [tool["function"] for tool in tools if tool["type"] == "function"]
    if not functions or tool_choice == "none":
        return None
    if isinstance(tool_choice, dict):
        name = (tool_choice.get("function") or {}).get("name")
        return next((function for function in functions if function["name"] == name), None)
    return next((function for function in functions if function["name"] in question), functions[0])


def _arguments(schema: Json, question: str) -> str:
    value = _sample(schema | {"type": "object"}, question, 0)
    return json.dumps(value, ensure_ascii=False)


def _sample(schema: Any, question: str, depth: int) -> Any:
    """A value of about this JSON schema: the first number of the question for a number, its text for a string."""
    if not isinstance(schema, dict) or depth > 8:
        return None
    options = schema.get("enum")
    if isinstance(options, list) and options:
        return options[0]
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((item for item in kind if item != "null"), "null")
    if kind == "object":
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        wanted = schema.get("required")
        names = [name for name in wanted if isinstance(name, str)] if isinstance(wanted, list) else list(properties)
        return {name: _sample(properties.get(name, {}), question, depth + 1) for name in names[:64]}
    number = re.search(r"\d{1,15}", question)
    match kind:
        case "integer" | "number":
            return int(number[0]) if number else 1
        case "boolean":
            return True
        case "array":
            return [_sample(schema.get("items", {}), question, depth + 1)]
        case "null":
            return None
        case _:
            return " ".join(question.split())[:200]


def _rule(where: str, table: Any) -> Rule:
    if not isinstance(table, dict):
        raise UsageError(f"{where}: write it as [[rule]]")
    _expect(where, table, {"match", "script"})
    match, script = table.get("match"), table.get("script")
    if not isinstance(match, str) or not match:
        raise UsageError(f"{where}: `match` is missing", "Give text, or a regular expression between slashes.")
    _parse(where, script)
    return Rule(match, script if isinstance(script, str) else "")


def _parse(where: str, script: Any) -> None:
    if not isinstance(script, str):
        raise UsageError(f"{where}: `script` is missing or is not a string")
    try:
        parse_script(script)
    except ScriptError as error:
        raise UsageError(f"{where}: {error.message}", error.hint) from None


def _expect(where: str, table: Json, names: set[str]) -> None:
    if unknown := sorted(set(table) - names):
        raise UsageError(f"{where}: unknown key `{unknown[0]}`", f"The keys are {', '.join(sorted(names))}.")
