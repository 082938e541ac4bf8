"""The keys of the inspector: one table, from which the bindings, the help, the command palette and the docs are made.

Each key has a name that stays (`list.up`); `[tool.respool.keys]` in a `pyproject.toml` gives it others, see `keymap.py`.
"""

from collections.abc import Mapping
from typing import NamedTuple

from textual.binding import Binding, BindingType


class Key(NamedTuple):
    """`keys`: in Textual's spelling, commas between; `place`: where they work; `says`: what they do, for a person."""

    place: str
    name: str
    keys: str
    action: str
    says: str

    @property
    def id(self) -> str:
        return f"{self.place}.{self.name}"


LIST, PANEL, EVERYWHERE, LIVE, PROMPT, MENU, HELP = "list", "panel", "everywhere", "live", "prompt", "menu", "help"

KEYS: tuple[Key, ...] = (
    Key(LIST, "up", "up,k", "move(-1)", "one row up"),
    Key(LIST, "down", "down,j", "move(1)", "one row down"),
    Key(LIST, "page-up", "pageup", "page(-1)", "one page up"),
    Key(LIST, "page-down", "pagedown", "page(1)", "one page down"),
    Key(LIST, "first", "home,g", "first", "the first row"),
    Key(LIST, "last", "end,G", "last", "the last row"),
    Key(LIST, "open", "enter,space", "unfold", "open or close the row; a call: show it raw"),
    Key(LIST, "into", "right,l", "inward", "open the row, then go into it"),
    Key(LIST, "out", "left,h", "outward", "close the row, or go to the one it is in"),
    Key(PANEL, "up", "up,k", "line(-1)", "one line up"),
    Key(PANEL, "down", "down,j", "line(1)", "one line down"),
    Key(PANEL, "page-up", "pageup", "page(-1)", "one page up"),
    Key(PANEL, "page-down", "pagedown,space", "page(1)", "one page down"),
    Key(PANEL, "first", "home,g", "first", "the beginning"),
    Key(PANEL, "last", "end,G", "last", "the end"),
    Key(PANEL, "left", "left,h", "back", "the list"),
    Key(EVERYWHERE, "threads", "1", "panel(1)", "the list of threads"),
    Key(EVERYWHERE, "waterfall", "2", "panel(2)", "the waterfall"),
    Key(EVERYWHERE, "messages", "3", "panel(3)", "the conversation"),
    Key(EVERYWHERE, "tools", "4", "panel(4)", "tool calls, outputs, and what is wrong"),
    Key(EVERYWHERE, "raw", "5", "panel(5)", "the call as it was recorded"),
    Key(EVERYWHERE, "diff", "6", "panel(6)", "the last comparison"),
    Key(EVERYWHERE, "secrets", "7", "panel(7)", "what was taken out"),
    Key(EVERYWHERE, "log", "8", "panel(8)", "what was done here"),
    Key(EVERYWHERE, "miss", "9,w", "panel(9)", "why a request was a miss"),
    Key(EVERYWHERE, "view", "v", "view", "the call pretty, raw, in hex, as stream frames"),
    Key(EVERYWHERE, "next-pane", "tab", "focus_next", "the next pane"),
    Key(EVERYWHERE, "last-pane", "shift+tab", "focus_previous", "the pane before"),
    Key(EVERYWHERE, "zoom", "z", "zoom", "the list, the panels on the right, or both"),
    Key(EVERYWHERE, "read-up", "ctrl+u", "read(-1)", "half a page up in the panel"),
    Key(EVERYWHERE, "read-down", "ctrl+d", "read(1)", "half a page down in the panel"),
    Key(EVERYWHERE, "filter", "slash", "filter", "show what a filter finds alone"),
    Key(EVERYWHERE, "filter-off", "backslash", "toggle_filter", "the filter off, and on again"),
    Key(EVERYWHERE, "find", "f,ctrl+f", "find", "find plain text in the rows of the list"),
    Key(EVERYWHERE, "next", "n", "again(1)", "the next row that has it"),
    Key(EVERYWHERE, "previous", "N", "again(-1)", "the row before that has it"),
    Key(EVERYWHERE, "mark", "m", "mark", "mark the row, or take the mark away"),
    Key(EVERYWHERE, "next-mark", "M", "next_mark", "the next mark in the list"),
    Key(EVERYWHERE, "note", "semicolon", "note", "mark the row with a note"),
    Key(EVERYWHERE, "compare", "d", "diff", "compare the row with the last mark of its kind"),
    Key(EVERYWHERE, "compare-file", "D", "diff_file", "compare all of it with another cassette"),
    Key(EVERYWHERE, "copy", "y", "copy", "copy: curl, Python, pytest, Markdown, id, body"),
    Key(EVERYWHERE, "export", "x", "export", "write the row to a file: cassette, HAR, HTML …"),
    Key(EVERYWHERE, "editor", "o", "editor", "open the panel's text in $EDITOR"),
    Key(EVERYWHERE, "resend", "r", "resend", "send the call again, and compare the answers"),
    Key(EVERYWHERE, "resend-edited", "R", "resend_edited", "the same, edited in $EDITOR first"),
    Key(EVERYWHERE, "palette", "ctrl+p,colon", "command_palette", "all commands, and the themes"),
    Key(EVERYWHERE, "help", "question_mark", "help", "the keys of this panel"),
    Key(EVERYWHERE, "quit", "q,ctrl+q,ctrl+c", "quit", "quit"),
    Key(LIVE, "pause", "p", "pause", "stop taking in what comes, and go on with it"),
    Key(LIVE, "intercept", "i", "intercept", "hold back what a filter fits; empty ends it"),
    Key(LIVE, "release", "u", "release", "let a held call go on"),
    Key(LIVE, "release-edited", "U", "release_edited", "let it go on, edited in $EDITOR first"),
    Key(LIVE, "drop", "X", "drop", "drop it: its client gets an error"),
    Key(PROMPT, "take", "enter", "submit", "take what was typed"),
    Key(PROMPT, "leave", "escape", "leave", "leave it"),
    Key(PROMPT, "complete", "tab,right", "complete", "take the completion"),
    Key(MENU, "leave", "escape,q", "leave", "choose nothing"),
    Key(HELP, "close", "escape,question_mark,q,enter", "dismiss", "close the keys"),
    Key(HELP, "up", "up,k", "scroll(-1)", "one line up"),
    Key(HELP, "down", "down,j", "scroll(1)", "one line down"),
)

PLACES = {
    LIST: "In the list",
    PANEL: "In a panel",
    EVERYWHERE: "Everywhere",
    LIVE: "Attached to a proxy",
    PROMPT: "While something is typed",
    MENU: "In a menu",
    HELP: "While the keys are shown",
}

_SPELLED = {
    "question_mark": "?",
    "slash": "/",
    "backslash": "\\",
    "semicolon": ";",
    "colon": ":",
    "pageup": "PageUp",
    "pagedown": "PageDown",
}


def spelled(keys: str) -> str:
    """Keys as a person names them: `PageUp`, `?`, `Ctrl+D`; a single letter stays as it is, since case counts."""
    return ", ".join(
        _SPELLED.get(key) or (key if len(key) == 1 else "+".join(part.capitalize() for part in key.split("+")))
        for key in keys.split(",")
    )


def bindings(place: str) -> list[BindingType]:
    """Textual's bindings of one place."""
    return [Binding(key.keys, key.action, key.says, show=False, id=key.id) for key in KEYS if key.place == place]


def remapped(keymap: Mapping[str, str]) -> list[Key]:
    """The table with the keys that a person gave."""
    return [key._replace(keys=keymap.get(key.id, key.keys)) for key in KEYS]


def markdown() -> str:
    """The table as the docs have it."""
    lines = ["| where | keys | what they do | name |", "|---|---|---|---|"]
    lines += [f"| {PLACES[key.place].lower()} | {spelled(key.keys)} | {key.says} | `{key.id}` |" for key in KEYS]
    return "\n".join(lines) + "\n"
