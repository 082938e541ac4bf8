"""The keys that a project gives: `[tool.respool.keys]` in its `pyproject.toml`, a key's name and the keys for it.

    [tool.respool.keys]
    "everywhere.copy" = "c"
    "list.down" = "down,n"

Raises UsageError for a name that is none, for what is no key, and where one key would mean two things in a place, be it one that
no project can change: what is typed into a prompt, a letter that chooses in a menu.
"""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path

from ..cassettes.errors import UsageError
from ..cassettes.projects import OF_THE_INSPECTOR, table_near
from ..cassettes.text import clip
from .keys import EVERYWHERE, KEYS, LIST, LIVE, MENU, PANEL, PROMPT, Key, remapped, spelled
from .takeaway import COPIES, EXPORTS

_KEYS = re.compile(r"[A-Za-z0-9_+]{1,40}(?:,[A-Za-z0-9_+]{1,40}){0,9}")
_CHOOSING = frozenset({*COPIES, *EXPORTS, "up", "down", "home", "end", "pageup", "pagedown", "enter"})
"""What chooses in a menu."""
_SIGNS = {"?": "question_mark", "/": "slash", "\\": "backslash", ";": "semicolon", ":": "colon"}


def keymap_for(cassette: Path, folder: Path | None = None) -> dict[str, str]:
    """The keys by their names, as the projects of a cassette and of the working directory give them."""
    found: dict[str, str] = {}
    for where, table in table_near(cassette, OF_THE_INSPECTOR, folder):
        found |= checked(table, where)
    return found


def checked(table: object, where: str) -> dict[str, str]:
    """The table, when it makes sense."""
    if not isinstance(table, Mapping):
        raise UsageError(f"`keys` in {where} is no table", f'write {KEYS[0].id} = "k" below [tool.respool.keys]')
    known = {key.id for key in KEYS}
    found: dict[str, str] = {}
    for name, keys in table.items():
        if name not in known:
            near = difflib.get_close_matches(str(name)[:64], sorted(known), 1)
            hint = f"did you mean {near[0]}?" if near else "docs/inspector.md names all of them"
            if isinstance(keys, Mapping):  # TOML reads a bare dot as a table in the table
                hint = f'put names in quotation marks: "{clip(str(name), 60)}.{clip(next(iter(keys), "…"), 60)}" = …'
            raise UsageError(f"{where}: there is no key named {clip(str(name), 60)}", hint)
        keys = ",".join(_SIGNS.get(part, part) for part in keys.split(",")) if isinstance(keys, str) else ""
        if not _KEYS.fullmatch(keys):
            raise UsageError(f"{where}: `{name}` is given no keys", 'write one or several, such as "ctrl+d,x"')
        found[name] = keys
    for name, keys in found.items():
        for one in keys.split(","):
            if name.startswith(f"{PROMPT}.") and (len(one) == 1 or one in _SIGNS.values() or one == "space"):
                raise UsageError(f"{where}: {spelled(one)} is typed into a prompt, so it cannot be {name}")
            if name.startswith(f"{MENU}.") and one in _CHOOSING:
                raise UsageError(f"{where}: {spelled(one)} chooses in a menu, so it cannot be {name}")
    _unambiguous(remapped(found), where)
    return found


def _unambiguous(keys: list[Key], where: str) -> None:
    for places in ((LIST, LIVE, EVERYWHERE), (PANEL, LIVE, EVERYWHERE), *((key.place,) for key in keys)):
        meant: dict[str, str] = {}
        for key in keys:
            for one in key.keys.split(",") if key.place in places else ():
                if meant.setdefault(one, key.id) != key.id:
                    raise UsageError(f"{where}: {spelled(one)} would mean both {meant[one]} and {key.id}")
