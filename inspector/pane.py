"""What all panes are: rows of text drawn when they come into view, however many there are.

Textual's `DataTable` and `Tree` measure every row and read strings as markup; here a row costs something only while it
is visible, and text becomes segments with a style, never markup.
"""

from collections.abc import Iterable
from typing import Self

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from .ink import INKS, Ink


class Pane(ScrollView, inherit_bindings=False):
    """Rows of equal height, by number. A subclass says how many there are (`resize`) and what each shows (`spans`)."""

    COMPONENT_CLASSES = {f"ink--{ink}" for ink in INKS} | {"pane--marked"}
    DEFAULT_CSS = """
    Pane {
        scrollbar-size-vertical: 1; overflow-x: hidden; overflow-y: scroll;
        border: round $panel-lighten-2; border-title-color: $foreground; border-subtitle-color: $foreground-muted;
    }
    Pane:focus { border: round $primary; border-title-style: bold; }
    Pane > .ink--strong { text-style: bold; }
    Pane > .ink--name { color: $text-accent; text-style: bold; }
    Pane > .ink--dim { text-style: dim; }
    Pane > .ink--good { color: $text-success; }
    Pane > .ink--bad { color: $text-error; text-style: bold; }
    Pane > .ink--wait { color: $text-warning; }
    Pane > .ink--tool { color: $text-secondary; }
    Pane > .pane--marked { background: $panel-lighten-1; }
    """

    virtual_size: Reactive[Size] = Reactive(Size(0, 0))
    """Without a layout of the whole screen, as Textual has it: no pane is as large as what is in it."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._styles_known: dict[tuple[Ink, bool], Style] = {}
        self._captioning = False
        self._said = (Content(), Content())

    def spans(self, row: int, width: int) -> Iterable[tuple[str, Ink]]:
        """What the row shows, safe and on one line."""
        raise NotImplementedError

    def marked(self, row: int) -> bool:
        """Whether the row stands out."""
        raise NotImplementedError

    @property
    def height(self) -> int:
        """Rows that fit on the screen; one at least."""
        return max(self.scrollable_content_region.height, 1)

    @property
    def width(self) -> int:
        """Cells that a row has."""
        return self.scrollable_content_region.width

    def resize(self, rows: int) -> None:
        """Say how many rows there are, and that they are others."""
        self.virtual_size = Size(self.width, rows)
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = rows
        self.scroll_y = min(self.scroll_y, self.max_scroll_y)
        self.refresh()

    def caption(self, title: Content | None = None, subtitle: Content | None = None) -> None:
        """Write into the border. Drawn are the lines that changed: Textual would draw the whole pane again for each."""
        self._captioning = True
        if changed_above := title is not None and not title.is_same(self._said[0]):
            self.border_title = title
        if changed_below := subtitle is not None and not subtitle.is_same(self._said[1]):
            self.border_subtitle = subtitle
        self._captioning = False
        above, below = self._said
        self._said = (above if title is None else title, below if subtitle is None else subtitle)
        if changed_above:
            self._refresh_row(-1)
        if changed_below:
            self._refresh_row(self.size.height)

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        return (
            self if self._captioning else super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        )

    def refresh_row(self, row: int) -> None:
        """Draw one row again."""
        self._refresh_row(row - round(self.scroll_y))

    def _refresh_row(self, y: int) -> None:
        left, right = self.gutter.left, self.gutter.right
        self.refresh(Region(-left, y, self.size.width + left + right, 1))

    def show_row(self, row: int, margin: int = 0) -> None:
        """Scroll no further than needed to have the row, and `margin` rows on either side, in view."""
        top, height = round(self.scroll_y), self.height
        margin = min(margin, (height - 1) // 2)
        if row - margin < top:
            self.jump(row - margin)
        elif row + margin >= top + height:
            self.jump(row + margin - height + 1)

    def jump(self, row: int) -> None:
        """Have this row at the top, or as near to it as there are rows."""
        self.scroll_to(y=row, animate=False)

    def take_focus(self) -> None:
        """Take the focus at once, so that the next key is for this pane; one that is hidden takes it when it is shown."""
        self.screen.set_focus(self)
        if self.screen.focused is not self:
            self.focus()

    def action_back(self) -> None:
        """Give the focus to the list."""
        self.screen.query_one("#list", Pane).take_focus()

    def render_line(self, y: int) -> Strip:
        row = y + round(self.scroll_y)
        width = self.size.width
        if row >= self.virtual_size.height:
            return Strip.blank(width, self._style("", marked=False))
        marked = self.marked(row)
        segments = [Segment(text, self._style(ink, marked=marked)) for text, ink in self.spans(row, self.width)]
        return Strip(segments).adjust_cell_length(width, self._style("", marked=marked))

    def notify_style_update(self) -> None:
        """Another theme, or the focus: what was looked up of styles counts no more."""
        super().notify_style_update()
        self._styles_known.clear()

    def _style(self, ink: Ink, *, marked: bool) -> Style:
        """Looked up once: a style costs more than drawing a row."""
        known = self._styles_known.get((ink, marked))
        if known is None:
            known = self.rich_style
            if marked:
                known += self.get_component_rich_style("pane--marked", partial=True)
            if ink:
                known += self.get_component_rich_style(f"ink--{ink}", partial=True)
            self._styles_known[ink, marked] = known
        return known
