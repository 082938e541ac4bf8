"""A small menu over the screen: a letter, or the arrows and Enter, choose; Escape chooses nothing."""

from collections.abc import Mapping

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from .keys import MENU, bindings


class MenuScreen(ModalScreen[str]):
    """`choices`: by letter, what is chosen and what that is, in our own words. Dismissed with the letter, or the empty text."""

    BINDINGS = bindings(MENU)
    DEFAULT_CSS = """
    MenuScreen { align: center middle; }
    MenuScreen > Vertical { width: 64; max-width: 100%; height: auto; background: $surface; border: round $primary; }
    MenuScreen OptionList { height: auto; max-height: 16; border: none; background: $surface; }
    MenuScreen OptionList:focus { border: none; }
    """

    def __init__(self, title: str, choices: Mapping[str, tuple[str, str]]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices

    def compose(self) -> ComposeResult:
        width = max(len(name) for name, _ in self._choices.values())
        with Vertical() as box:
            box.border_title = Content(self._title)
            yield OptionList(
                *(
                    Option(Content(f" {letter}  {name:<{width}}  {what}"), id=letter)
                    for letter, (name, what) in self._choices.items()
                ),
                markup=False,
            )

    def on_key(self, event: events.Key) -> None:
        if event.character is not None and event.character in self._choices:
            event.stop()
            self._leave_with(event.character)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self._leave_with(event.option.id or "")

    def action_leave(self) -> None:
        self._leave_with("")

    def _leave_with(self, letter: str) -> None:
        if self.is_current:  # a second key may come before the screen is gone
            self.dismiss(letter)
