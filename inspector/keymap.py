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

_KEYS = re.compile(r"[A-Za-z0-9_+]{1,40}(?:,[A-Za-z0-9_+]{1,40}){0,9}")
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
    _unambiguous(remapped(found), where)
    for name, keys in found.items():
        _harmless(name, keys.split(","), where)
    return found


def _harmless(name: str, keys: list[str], where: str) -> None:
    """No key of a prompt is one that types, none of a menu one that chooses."""
    place = name.partition(".")[0]
    if place not in {PROMPT, MENU}:
        return
    from .takeaway import COPIES, EXPORTS  # here, since it is slow to load and few name a menu's key

    typing = {one for one in keys if len(one) == 1} | {"space", *_SIGNS.values()}
    choosing = {*COPIES, *EXPORTS, "up", "down", "home", "end", "pageup", "pagedown", "enter"}
    taken, what = (typing, "is typed into a prompt") if place == PROMPT else (choosing, "chooses in a menu")
    for one in keys:
        if one in taken:
            raise UsageError(f"{where}: {spelled(one)} {what}, so it cannot be {name}")


def _unambiguous(keys: list[Key], where: str) -> None:
    for places in ((LIST, LIVE, EVERYWHERE), (PANEL, LIVE, EVERYWHERE), *((key.place,) for key in keys)):
        meant: dict[str, str] = {}
        for key in keys:
            for one in key.keys.split(",") if key.place in places else ():
                if meant.setdefault(one, key.id) != key.id:
                    raise UsageError(f"{where}: {spelled(one)} would mean both {meant[one]} and {key.id}")
