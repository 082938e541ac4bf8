"""The waterfall on the right, above the panels: drawn by `waterfall.py` at the width that there is."""

from collections.abc import Iterable

from textual import events
from textual.content import Content

from .ink import Ink
from .keys import PANEL, bindings
from .pane import Pane
from .waterfall import Waterfall, lines

MOST_ROWS = 12
"""Rows that the pane takes at most, with its border; more are scrolled to."""


class WaterfallPane(Pane):
    """Shows one waterfall. Its height is the screen's alone: a layout that moved with every row would be slow and unrestful."""

    BINDINGS = bindings(PANEL)

    def __init__(self) -> None:
        super().__init__(id="waterfall")
        self._fall = Waterfall(note="Choose a thread or a run.")
        self._drawn: list[tuple[tuple[str, Ink], ...]] = []

    def show(self, fall: Waterfall) -> None:
        """Show this one, from its beginning."""
        if fall is self._fall:
            return
        self._fall = fall
        self.jump(0)
        self._draw()

    def action_line(self, rows: int) -> None:
        self.jump(round(self.scroll_y) + rows)

    def action_page(self, way: int) -> None:
        self.jump(round(self.scroll_y) + way * max(self.height - 1, 1))

    def action_first(self) -> None:
        self.jump(0)

    def action_last(self) -> None:
        self.jump(self.virtual_size.height)

    def on_resize(self, _: events.Resize) -> None:
        self._draw()

    def marked(self, row: int) -> bool:
        return False

    def spans(self, row: int, width: int) -> Iterable[tuple[str, Ink]]:
        return self._drawn[row] if row < len(self._drawn) else ()

    def _draw(self) -> None:
        self.caption(Content(f"[2] {self._fall.title or 'Waterfall'}"))
        self._drawn = lines(self._fall, max(self.width, 20))
        self.styles.height = min(max(self.app.size.height // 3, 5), MOST_ROWS)
        self.resize(len(self._drawn))
