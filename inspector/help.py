"""The screen that lists the keys, from the table: first those of the pane that has the focus, then those of everywhere."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from .keys import EVERYWHERE, HELP, KEYS, PLACES, Key, bindings, spelled


class HelpScreen(ModalScreen[None]):
    """The keys of a place and what they do."""

    BINDINGS = bindings(HELP)
    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > VerticalScroll {
        width: 80; max-width: 100%; height: auto; max-height: 95%;
        padding: 0 2; background: $surface; border: round $primary;
    }
    """

    def __init__(self, place: str, keys: Sequence[Key] = KEYS, *more: str) -> None:
        """`more`: places whose keys work here too."""
        super().__init__()
        self._places = (place, *more, EVERYWHERE)
        self._keys = keys

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False) as box:
            box.border_title = Content("Keys")
            box.border_subtitle = Content("Escape closes")
            yield Static(Content("\n".join(help_lines(self._places, self._keys))), markup=False)

    def action_scroll(self, rows: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=rows, animate=False)

    async def action_dismiss(self, result: None = None) -> None:
        if self.is_current:  # a second key may come before the screen is gone
            self.dismiss(result)


def help_lines(places: Sequence[str] = tuple(PLACES), keys: Sequence[Key] = KEYS) -> list[str]:
    """The table as text, one block a place."""
    width = max(len(spelled(key.keys)) for key in keys)
    lines: list[str] = []
    for place in dict.fromkeys(places):
        shown = [key for key in keys if key.place == place]
        lines += [PLACES[place], *(f"  {spelled(key.keys):<{width}}  {key.says}" for key in shown), ""]
    return lines[:-1]
