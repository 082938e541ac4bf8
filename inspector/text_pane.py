"""The panel on the right: a laid-out document, scrolled by row, with one line marked: where the chosen row begins.

Which of the panels it is, the names in its border tell; a click on a name asks for that one.
"""

from collections.abc import Iterable

from textual import events
from textual.content import Content
from textual.message import Message

from . import tabs
from .ink import Ink
from .keys import PANEL, bindings
from .layout import Sheet
from .pane import Pane
from .tabs import Tab

SOON = 0.15
"""Seconds for which nothing is said of reading: a word that comes and goes with each key is not read, and costs a frame."""


class TextPane(Pane):
    """Shows a sheet. It has the app lay the document out again when its own width changes."""

    BINDINGS = bindings(PANEL)

    class Resized(Message):
        """The pane's width changed."""

    class Asked(Message):
        """This panel shall be shown."""

        def __init__(self, tab: Tab) -> None:
            super().__init__()
            self.tab = tab

    def __init__(self) -> None:
        super().__init__(id="conversation")
        self._sheet: Sheet | None = None
        self._marked: int | None = None
        self._waiting = self._late = False
        self._stays = False
        self.tab = Tab.MESSAGES

    @property
    def sheet(self) -> Sheet | None:
        return self._sheet

    def wait(self) -> None:
        """Say that what is shown will be replaced by what is being read, unless it comes at once."""
        if not self._waiting:
            self._waiting = True
            self.set_timer(SOON, self._announce)
        self._count()

    def _announce(self) -> None:
        self._late = self._waiting
        self._count()

    def stay(self) -> None:
        """What is shown next is the same grown: it keeps its place, or goes on with its end where that is in view."""
        self._stays = True

    def show(self, sheet: Sheet, line: int | None) -> None:
        """Show a sheet with `line` marked and in view. The same document again keeps its place if the mark is the same."""
        before, mark = self._sheet, self._marked
        self._waiting = self._late = False
        if self._stays and before is not None and before.width == sheet.width:
            top, at_end = round(self.scroll_y), round(self.scroll_y) + self.height >= self.virtual_size.height
            self._sheet, self._marked, self._stays = sheet, line, False
            self.resize(len(sheet.pieces))
            self.jump(len(sheet.pieces) if at_end else top)
            self._count()
            return
        self._stays = False
        same = before is not None and before.document is sheet.document
        top = before.line_at(round(self.scroll_y)) if before is not None and same else 0
        self._sheet, self._marked = sheet, line
        self.resize(len(sheet.pieces))
        row = sheet.starts[line] if line is not None and line < len(sheet.starts) else 0
        if same and line == mark:
            if before is not sheet:
                self.jump(sheet.starts[top])
        elif same and line is not None:
            self._reveal(row)
        else:
            self.jump(max(row - 1, 0))
        self._count()

    def action_line(self, rows: int) -> None:
        self.jump(round(self.scroll_y) + rows)

    def action_page(self, way: int) -> None:
        self.jump(round(self.scroll_y) + way * max(self.height - 1, 1))

    def action_half(self, way: int) -> None:
        self.jump(round(self.scroll_y) + way * max(self.height // 2, 1))

    def action_first(self) -> None:
        self.jump(0)

    def action_last(self) -> None:
        self.jump(self.virtual_size.height)

    def on_resize(self, _: events.Resize) -> None:
        if self._sheet is None or self._sheet.width != self.width:
            self.post_message(self.Resized())
        self._count()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._count()

    def marked(self, row: int) -> bool:
        return self._sheet is not None and self._marked is not None and self._sheet.pieces[row].line == self._marked

    def spans(self, row: int, width: int) -> Iterable[tuple[str, Ink]]:
        return self._sheet.spans(row) if self._sheet is not None else ()

    def _reveal(self, row: int) -> None:
        """Move only when the row is not well in view, and then so that what follows it can be read."""
        top, height = round(self.scroll_y), self.height
        if not top <= row < top + height * 2 // 3:
            self.jump(max(row - 1, 0))

    def on_click(self, event: events.Click) -> None:
        at = event.x - 1 - 2 * self.gutter.left  # behind the corner, if there is one
        if event.y == 0 and (tab := tabs.at(at, self.tab, self._room)) is not None:
            self.post_message(self.Asked(tab))

    @property
    def _room(self) -> int:
        """Cells for the names of the panels: Textual keeps one at each end, and one more beside a corner."""
        return self.size.width - 2 - 2 * self.gutter.left

    def _count(self) -> None:
        """Name the panels, and say how far down this one stands, when not all of it is in view."""
        found = tabs.labels(self.tab, self._room)
        names = [(label.text, "bold reverse" if label.tab is self.tab else "") for label in found]
        title = Content(" ").join(Content.styled(*name) for name in names)
        rows = self.virtual_size.height
        last = min(round(self.scroll_y) + self.height, rows)
        place = f"line {last:,} of {rows:,}" if rows > self.height else ""
        self.caption(title, Content("reading …" if self._late else place))
