"""Where rules come from: the command line, the cassette itself, a file beside it, and a project's `pyproject.toml`.

All that is found is added together; nothing takes a rule away again. The file beside `NAME.cassette` is
`NAME.cassette.toml`; of `pyproject.toml` the nearest is read, upward of the cassette and upward of the working
directory, and of it only `[tool.respool]`. A name that is not known there is an error: a misspelt rule would be silent.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from .errors import CassetteError, UsageError
from .file_names import file_named, sibling
from .projects import OF_THE_INSPECTOR, PROJECT, loaded, project_of
from .rules import NO_RULES, Rules
from .secrets.policy import PLAIN, Policy, policy_of_notes
from .text import clip

IGNORE = "ignore"
MATCH_HEADER = "match-header"
COMMAND_LINE = "command line"
KNOWN = (IGNORE, MATCH_HEADER)
"""What may stand in `[tool.respool]`, in the file beside a cassette, and (with more) in a cassette's notes."""
REDACT = "redact"
REDACT_ALLOW = "redact-allow"
KEY_FILE = "key-file"
OF_REDACTION = (REDACT, REDACT_ALLOW, KEY_FILE)
"""What may stand in `[tool.respool]` besides: how a recording is redacted (see `redaction_for`)."""
OF_THE_PLUGIN = "pytest"
"""A table in `[tool.respool]` that pytest's plugin reads."""


class Found(NamedTuple):
    """The rules of one place. `where` is fit for a sentence."""

    where: str
    rules: Rules


@dataclass(frozen=True, slots=True)
class Settings:
    """The rules in effect for one cassette, and the places that they come from."""

    rules: Rules = NO_RULES
    found: tuple[Found, ...] = ()

    @property
    def left_behind(self) -> Rules:
        """Those that do not go along with the cassette: neither its notes nor the file beside it has them."""
        along = [each.rules for each in self.found if each.where not in (COMMAND_LINE, PROJECT)]
        return Rules.of(
            [text for text in self.rules.ignore if not any(text in rules.ignore for rules in along)],
            [name for name in self.rules.match_headers if not any(name in rules.match_headers for rules in along)],
        )

    def __str__(self) -> str:
        """One line for a person: `ignoring $.metadata.trace_id (app.cassette.toml), matching header X (--match-header)`."""
        places: dict[str, list[str]] = {}
        for where, rules in self.found:
            for text in (
                *(f"ignoring {rule}" for rule in rules.ignore),
                *(f"matching header {name}" for name in rules.match_headers),
            ):
                places.setdefault(text, []).append(where)
        return ", ".join(f"{text} ({', '.join(where)})" for text, where in places.items())


def settings_for(
    cassette: Path | None,
    *,
    ignore: Iterable[str] = (),
    match_headers: Iterable[str] = (),
    notes: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> Settings:
    """The rules for a cassette.

    `ignore` and `match_headers` are the command line's (or a test's own), `notes` what the cassette says of itself
    (`Reader.meta`), `folder` the working directory. Raises UsageError for a rule or a file that cannot be used, and
    CassetteError where it stands in the cassette's own notes.
    """
    found = [Found(COMMAND_LINE, _read(COMMAND_LINE, ignore, match_headers))]
    if notes is not None:
        found.append(Found("cassette", _from_notes(notes, cassette)))
    if cassette is not None:
        beside = sibling(cassette, ".toml")
        if beside.is_file():
            found.append(Found(beside.name, _from_table(loaded(beside), str(beside))))
    near = [cassette.absolute().parent] if cassette is not None else []
    projects = dict.fromkeys(filter(None, map(project_of, [*near, (folder or Path()).absolute()])))
    for project in projects:
        table = loaded(project).get("tool", {})
        table = table.get("respool", {}) if isinstance(table, dict) else {}
        if isinstance(table, dict):
            others = (OF_THE_PLUGIN, OF_THE_INSPECTOR, *OF_REDACTION)
            table = {name: value for name, value in table.items() if name not in others}
        found.append(Found(PROJECT, _from_table(table, f"[tool.respool] in {project}")))
    found = [each for each in found if each.rules]
    # By the policy that the keys in the index were made with: what is redacted today does not count for them.
    policy = PLAIN if notes is None else policy_of_notes(notes)
    rules = Rules.of(
        [text for each in found for text in each.rules.ignore],
        [name for each in found for name in each.rules.match_headers],
        policy=policy,
    )
    return Settings(rules, tuple(found))


def notes_of(rules: Rules) -> dict[str, Any]:
    """What a new cassette is told of the rules that it was recorded with."""
    notes = {IGNORE: list(rules.ignore), MATCH_HEADER: list(rules.match_headers)}
    return {name: texts for name, texts in notes.items() if texts}


def as_toml(rules: Rules) -> str:
    """The rules as the file beside a cassette has them, in one line."""
    # What can be printed is spelled alike in JSON and TOML.
    return "; ".join(f"{name} = {json.dumps(texts, ensure_ascii=False)}" for name, texts in notes_of(rules).items())


class Redaction(NamedTuple):
    """How a recording is to be redacted, and the file that a project names for the key of its pseudonyms."""

    policy: Policy
    key_file: str


def redaction_for(
    cassette: Path | None,
    *,
    redact: Iterable[str] = (),
    allow: Iterable[str] = (),
    pii: bool = False,
    folder: Path | None = None,
) -> Redaction:
    """The redaction of a new cassette: the command line's rules, and those of the projects that `settings_for` looks at.

    Raises UsageError for a rule or a file that cannot be used.
    """
    redact, allow = list(redact), list(allow)
    key_file = ""
    near = [cassette.absolute().parent] if cassette is not None else []
    for project in dict.fromkeys(filter(None, map(project_of, [*near, (folder or Path()).absolute()]))):
        table = loaded(project).get("tool", {})
        table = table.get("respool", {}) if isinstance(table, dict) else {}
        if not isinstance(table, dict):
            continue  # `settings_for` refuses it
        for name, texts in ((REDACT, redact), (REDACT_ALLOW, allow)):
            value = table.get(name, [])
            if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
                raise UsageError(f"`{name}` in {project} is no list of texts", f'write {name} = ["..."]')
            texts += value
        named = table.get(KEY_FILE, "")
        if not isinstance(named, str):
            raise UsageError(f"`{KEY_FILE}` in {project} is no text", f'write {KEY_FILE} = "path/to/a/key"')
        try:
            key_file = key_file or (str(project.parent / file_named(named)) if named else "")
        except UsageError as error:
            raise UsageError(f"`{KEY_FILE}` in {project}: {error.message}", error.hint) from None
    return Redaction(Policy.of(redact, allow, pii=pii), key_file)


def _from_notes(notes: Mapping[str, Any], cassette: Path | None) -> Rules:
    where = f"the notes in {cassette}" if cassette is not None else "the cassette's notes"
    try:
        return _from_table({name: notes[name] for name in KNOWN if name in notes}, where)
    except UsageError as error:
        raise CassetteError(error.message, "a newer respool may have written it: upgrade, and try again") from error


def _from_table(table: object, where: str) -> Rules:
    if not isinstance(table, dict):
        raise UsageError(f"{where} is no table", f"write {IGNORE} = [...] or {MATCH_HEADER} = [...] in it")
    known = f"known are {' and '.join(KNOWN)}"
    for name in table:
        if name not in KNOWN:
            raise UsageError(f"{where} holds `{clip(str(name), 100)}`, which is no setting", known)
    lists: list[list[str]] = []
    for name in KNOWN:
        value = table.get(name, [])
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise UsageError(f"`{name}` in {where} is no list of texts", f'write {name} = ["..."]')
        lists.append(value)
    return _read(where, *lists)


def _read(where: str, ignore: Iterable[str], match_headers: Iterable[str]) -> Rules:
    try:
        return Rules.of(ignore, match_headers)
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", error.hint) from error
