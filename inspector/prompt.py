"""The line at the foot in which a filter, a text to find, a note or a file's name is typed, with advice above it."""

import re

from textual import events
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Static

from ..cassettes.text import safe
from .keys import PROMPT, bindings

PURPOSES = {
    "filter": "/ filter  ",
    "find": "find in the list  ",
    "note": "note  ",
    "export": "write to  ",
    "compare": "compare with the cassette  ",
    "intercept": "hold back  ",
}
"""What is typed, and what stands before it."""
FILTERS = frozenset({"filter", "intercept"})
"""What is typed in the filter language."""

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""What a terminal would obey, or not show; Textual draws the line as it is."""


class _Fields(Suggester):
    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        from .completion import completed

        return completed(value)


class Line(Input):
    """The line itself. What is pasted is no more to be trusted than what is recorded."""

    BINDINGS = bindings(PROMPT)

    def __init__(self) -> None:
        super().__init__(id="line", compact=True, restrict=f"(?!.*{_UNSEEN.pattern}).*")
        self.completes = False

    def action_leave(self) -> None:
        self.query_ancestor(Prompt).close()

    def action_complete(self) -> None:
        from .completion import completed

        if self.completes and (text := completed(self.value)) is not None and self.cursor_position == len(self.value):
            self.value = text
            self.cursor_position = len(text)
        else:
            self.action_cursor_right()

    def on_hide(self, event: events.Hide) -> None:
        if self.query_ancestor(Prompt).display:
            event.prevent_default()  # word of it comes late: it was asked for again meanwhile, and keeps the focus

    def on_blur(self) -> None:
        if self.screen.focused is not self:  # it may have been asked for again meanwhile
            self.query_ancestor(Prompt).close()


class Prompt(Vertical):
    """Hidden until it is asked for something."""

    DEFAULT_CSS = """
    Prompt { height: auto; display: none; background: $panel; }
    Prompt Horizontal { height: 1; }
    Prompt #purpose { width: auto; height: 1; color: $text-accent; text-style: bold; padding-left: 1; }
    Prompt #advice { height: auto; max-height: 3; padding: 0 1; }
    Prompt #line { width: 1fr; }
    """

    class Answered(Message):
        """What was typed, and for what."""

        def __init__(self, purpose: str, text: str) -> None:
            super().__init__()
            self.purpose = purpose
            self.text = text

    class Closed(Message):
        """Nothing is typed any more."""

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self.purpose = ""

    def compose(self):

        yield Static(id="advice", markup=False)
        with Horizontal():
            yield Static(id="purpose", markup=False)
            yield Line()

    def ask(self, purpose: str, text: str = "") -> None:
        """Ask for a text, `text` being there already; of that too what can be seen alone, for it may be a cassette's."""
        text = _UNSEEN.sub("", text)
        self.purpose = purpose
        line = self.query_one(Line)
        line.completes = purpose in FILTERS
        line.suggester = _Fields() if line.completes else None
        self.query_one("#purpose", Static).update(Content(PURPOSES[purpose]))
        self.display = True
        line.value = text
        line.cursor_position = len(text)
        self._advise(text)
        self.screen.set_focus(line)  # at once: what is typed in the same breath belongs in here

    def complain(self, *lines: str) -> None:
        """Stay open and say what is wrong."""
        self.query_one("#advice", Static).update(Content("\n".join(lines)))
        self.query_one("#advice").display = bool(lines)

    def close(self) -> None:
        if self.display:
            self.display = False
            self.post_message(self.Closed())

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._advise(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Answered(self.purpose, event.value.strip()))

    def _advise(self, text: str) -> None:
        if self.purpose not in FILTERS or (self.purpose == "intercept" and not text.strip()):
            self.complain()
            return
        from .completion import advice

        shown = [safe(line) for line in advice(text)]
        if len(shown) == 2 and set(shown[0]) <= {" ", "^"}:
            shown[0] = " " * (len(PURPOSES[self.purpose])) + shown[0]  # below it stands what is typed, further in
        self.complain(*shown)
