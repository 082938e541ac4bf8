"""The list on the left: the outline's rows, with a cursor. It tells the app which row is chosen and which shall open."""

from collections.abc import Iterator

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message

from ..cassettes.notes import Notes, Place
from .ink import Ink, sign
from .keys import LIST, bindings
from .outline import Kind, Outline, Row
from .pane import Pane

_ID_ROOM = 10
"""Cells that a shortened id keeps at least."""


class ListPane(Pane):
    """The rows of an outline. Their numbers change when rows open and close; the cursor stays on its row."""

    BINDINGS = bindings(LIST)
    DEFAULT_CSS = "ListPane:focus > .pane--marked { background: $primary-darken-1; }"

    class Chosen(Message):
        """The cursor stands on this row."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    class Wanted(Message):
        """This row shall open, but what is inside it is not known yet."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    class Opened(Message):
        """A call was entered: it shall be shown raw."""

    def __init__(self, outline: Outline, notes: Notes) -> None:
        super().__init__(id="list")
        self.outline = outline
        self.notes = notes
        self.cursor = 0

    def on_mount(self) -> None:
        self.refresh_rows()

    @property
    def row(self) -> Row | None:
        """The row under the cursor; none in an empty list."""
        return self.outline.rows[self.cursor] if self.outline.rows else None

    def refresh_rows(self) -> None:
        """Draw the rows again, as many as there are now."""
        self.resize(len(self.outline.rows))
        self._caption()

    def show_again(self, row: Row) -> None:
        """Draw a row again that says something else now: most often it is the one under the cursor."""
        if self.row == row:
            self.refresh_row(self.cursor)
        else:
            self.refresh_rows()

    def _caption(self) -> None:
        rows = len(self.outline.rows)
        place = f"row {self.cursor + 1:,} of {rows:,}" if rows else "nothing here"
        self.caption(Content("[1] Threads"), Content(place))

    def begin(self, row: Row | None) -> None:
        """The rows are others now: stand on this row, or on the thread it was in, or on the first."""
        rows = self.outline.rows
        scope = row.scope if row is not None else None
        thread = next((at for at, each in enumerate(rows) if each.scope == scope and each.depth == 0), 0)
        self.cursor = rows.index(row) if row is not None and row in rows else thread
        self.refresh_rows()
        self.show_row(self.cursor)

    def go(self, index: int) -> None:
        """Put the cursor on a row, the nearest there is."""
        if not self.outline.rows:
            return
        before, self.cursor = self.cursor, min(max(index, 0), len(self.outline.rows) - 1)
        for row in (before, self.cursor):
            self.refresh_row(row)
        self._caption()
        self.show_row(self.cursor)
        if before != self.cursor:
            self.post_message(self.Chosen(self.outline.rows[self.cursor]))

    def open(self, row: Row) -> None:
        """Open a row, wherever it stands now, if what is inside is known. The cursor keeps its row."""
        if row not in self.outline.rows:
            return
        index, count = self.outline.rows.index(row), len(self.outline.rows)
        self.outline.open(index)
        added = len(self.outline.rows) - count
        if index < self.cursor:
            self.cursor += added
        self.refresh_rows()
        self.show_row(min(index + added, index + self.height - 1) if index == self.cursor else self.cursor)

    def find(self, text: str, start: int, way: int) -> bool:
        """Go to the nearest row that has `text`; False when none has."""
        found = self.outline.find(text, start, way)
        if found is not None:
            self.go(found)
        return found is not None

    def action_move(self, rows: int) -> None:
        self.go(self.cursor + rows)

    def action_page(self, way: int) -> None:
        self.go(self.cursor + way * max(self.height - 1, 1))

    def action_first(self) -> None:
        self.go(0)

    def action_last(self) -> None:
        self.go(len(self.outline.rows) - 1)

    def action_unfold(self) -> None:
        row = self.row
        if row is not None and row.arrival is not None and not self.outline.may_open(row):
            self.post_message(self.Opened())
        if row is None or not self.outline.may_open(row):
            return
        if self.outline.is_open(row):
            self.outline.close(self.cursor)
            self.refresh_rows()
            self.show_row(self.cursor)
        elif self.outline.knows(row):
            self.open(row)
        else:
            self.post_message(self.Wanted(row))

    def action_inward(self) -> None:
        row = self.row
        if row is not None and self.outline.is_open(row):
            self.go(self.cursor + 1)
        else:
            self.action_unfold()

    def action_outward(self) -> None:
        row = self.row
        if row is not None and self.outline.is_open(row):
            self.action_unfold()
        elif row is not None:
            self.go(self.outline.parent(self.cursor))

    def on_click(self, event: events.Click) -> None:
        where = event.get_content_offset(self)
        if where is None:
            return
        index = where.y + round(self.scroll_y)
        if index >= len(self.outline.rows):
            return
        if index == self.cursor:
            self.action_unfold()
        else:
            self.go(index)

    def marked(self, row: int) -> bool:
        return row == self.cursor

    def spans(self, row: int, width: int) -> Iterator[tuple[str, Ink]]:
        shown = self.outline.rows[row]
        face = self.outline.face(shown)
        place = place_of(shown)
        star = "★" if place in self.notes else " "
        fold = "▾ " if self.outline.is_open(shown) else "▸ " if self.outline.may_open(shown) else "  "
        lead = star + "  " * shown.depth + fold
        yield star, "wait"
        yield lead[1:], "dim"
        mark = sign(face.ink)
        if mark:
            yield f"{mark} ", face.ink
        room = width - len(lead) - (2 if mark else 0)
        text, tail = face.text, face.tail
        if note := self.notes.note(place):
            tail = f"{note}  {tail}"
        if (hits := self.outline.hits(shown)) is not None:
            tail = f"{hits:,} found  {tail}"
        if shown.kind in {Kind.THREAD, Kind.MISS, Kind.HELD}:
            # What was said first tells a person more than an id does: it gets half of the room, if it needs that.
            half = min(cell_len(tail), room // 2) + 2 if tail else 0
            text = _shortened(text, max(room - half, _ID_ROOM))
        else:
            tail = _fitting(tail, room - cell_len(text) - 1, first=shown.arrival is not None and face.ink != "bad")
        quiet = shown.kind in {Kind.POLLS, Kind.POLL}
        yield text, "strong" if shown.kind in {Kind.OTHER, Kind.RUN} else "dim" if quiet else ""
        if tail:
            gap = max(room - cell_len(text) - cell_len(tail), 1) if shown.depth else 2
            yield f"{' ' * gap}{tail}", "dim"


def place_of(row: Row) -> Place:
    """What a row is marked by. A call has one place, wherever it stands."""
    kind = Kind.EXCHANGE if row.kind is Kind.POLL else row.kind
    return Place(kind.value, row.scope, row.run, row.item)


def _shortened(text: str, room: int) -> str:
    """An id with its middle left out, where it is longer than `room`."""
    if len(text) <= room:
        return text
    end = min(4, room // 3)
    return f"{text[: room - end - 1]}…{text[len(text) - end :]}"


def _fitting(tail: str, room: int, *, first: bool) -> str:
    """As many of a tail's parts as fit; with `first` the first parts are given up first, else the last."""
    while tail and cell_len(tail) > room:
        tail = tail.partition("  ")[2] if first else tail.rpartition("  ")[0]
    return tail
