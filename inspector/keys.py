"""The keys of the inspector: one table, from which the bindings, the help screen and the docs are made."""

from typing import NamedTuple

from textual.binding import Binding, BindingType


class Key(NamedTuple):
    """`keys`: in Textual's spelling, commas between; `place`: where they work; `says`: what they do, for a person."""

    place: str
    keys: str
    action: str
    says: str


LIST, CONVERSATION, EVERYWHERE, FIND, HELP = "list", "conversation", "everywhere", "find", "help"

KEYS: tuple[Key, ...] = (
    Key(LIST, "up,k", "move(-1)", "one row up"),
    Key(LIST, "down,j", "move(1)", "one row down"),
    Key(LIST, "pageup", "page(-1)", "one page up"),
    Key(LIST, "pagedown", "page(1)", "one page down"),
    Key(LIST, "home,g", "first", "the first row"),
    Key(LIST, "end,G", "last", "the last row"),
    Key(LIST, "enter,space", "unfold", "open or close the row"),
    Key(LIST, "right,l", "inward", "open the row, then go into it"),
    Key(LIST, "left,h", "outward", "close the row, or go to the one it is in"),
    Key(CONVERSATION, "up,k", "line(-1)", "one line up"),
    Key(CONVERSATION, "down,j", "line(1)", "one line down"),
    Key(CONVERSATION, "pageup", "page(-1)", "one page up"),
    Key(CONVERSATION, "pagedown,space", "page(1)", "one page down"),
    Key(CONVERSATION, "home,g", "first", "the beginning"),
    Key(CONVERSATION, "end,G", "last", "the end"),
    Key(EVERYWHERE, "tab,shift+tab", "focus_next", "the other pane"),
    Key(EVERYWHERE, "ctrl+u", "read(-1)", "half a page up in the conversation"),
    Key(EVERYWHERE, "ctrl+d", "read(1)", "half a page down in the conversation"),
    Key(EVERYWHERE, "slash", "find", "find plain text in the rows of the list"),
    Key(EVERYWHERE, "n", "again(1)", "the next row that has it"),
    Key(EVERYWHERE, "N", "again(-1)", "the row before that has it"),
    Key(EVERYWHERE, "question_mark", "help", "these keys"),
    Key(EVERYWHERE, "q,ctrl+q,ctrl+c", "quit", "quit"),
    Key(FIND, "escape", "leave", "do not search"),
    Key(HELP, "escape,question_mark,q,enter", "dismiss", "close the keys"),
    Key(HELP, "up,k", "scroll(-1)", "one line up"),
    Key(HELP, "down,j", "scroll(1)", "one line down"),
)

PLACES = {
    LIST: "In the list",
    CONVERSATION: "In the conversation",
    EVERYWHERE: "In both",
    FIND: "While a search is typed",
    HELP: "While the keys are shown",
}

_SPELLED = {"question_mark": "?", "slash": "/", "pageup": "PageUp", "pagedown": "PageDown"}


def spelled(keys: str) -> str:
    """Keys as a person names them: `PageUp`, `?`, `Ctrl+D`; a single letter stays as it is, since case counts."""
    return ", ".join(
        _SPELLED.get(key) or (key if len(key) == 1 else "+".join(part.capitalize() for part in key.split("+")))
        for key in keys.split(",")
    )


def bindings(place: str) -> list[BindingType]:
    """Textual's bindings of one place."""
    return [Binding(key.keys, key.action, key.says, show=False) for key in KEYS if key.place == place]


def markdown() -> str:
    """The table as the docs have it."""
    lines = ["| where | keys | what they do |", "|---|---|---|"]
    lines += [f"| {PLACES[key.place].lower()} | {spelled(key.keys)} | {key.says} |" for key in KEYS]
    return "\n".join(lines) + "\n"
