"""The screen that lists the keys, from the table."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from .keys import HELP, KEYS, PLACES, bindings, spelled


class HelpScreen(ModalScreen[None]):
    """All keys and what they do."""

    BINDINGS = bindings(HELP)
    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > VerticalScroll {
        width: 76; max-width: 100%; height: auto; max-height: 90%;
        padding: 0 2; background: $surface; border: round $primary;
    }
    """

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False) as box:
            box.border_title = "Keys"
            yield Static(Content("\n".join(help_lines())), markup=False)

    def action_scroll(self, rows: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=rows, animate=False)

    async def action_dismiss(self, result: None = None) -> None:
        self.dismiss(result)


def help_lines() -> list[str]:
    """The table as text, one block a place."""
    width = max(len(spelled(key.keys)) for key in KEYS)
    lines: list[str] = []
    for place, title in PLACES.items():
        lines += [title, *(f"  {spelled(key.keys):<{width}}  {key.says}" for key in KEYS if key.place == place), ""]
    return lines[:-1]
