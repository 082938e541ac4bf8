"""The list of a proxy that is looked at live: rows come in, the cursor keeps its row, or follows what is new from the end.

The cursor at the end follows; moved away, it lets go, and the frame counts what is new. Nothing that comes in above what is
in view moves it.
"""

from textual.content import Content

from ..cassettes.notes import Notes
from .list_pane import ListPane
from .outline import Branch, Kind, Outline, Row


class FollowingList(ListPane):
    """A `ListPane` whose outline grows."""

    def __init__(self, outline: Outline, notes: Notes) -> None:
        super().__init__(outline, notes)
        self.following = True
        self.unseen = 0
        """Calls that came since the cursor let go."""

    def go(self, index: int) -> None:
        super().go(index)
        self.following = not self.outline.rows or self.cursor == self.newest()
        if self.following:
            self.unseen = 0
        self.refresh_rows()

    def action_last(self) -> None:
        self.go(self.newest())

    def refresh_rows(self) -> None:
        super().refresh_rows()
        if self.unseen:
            self.border_subtitle = Content(f"▼ {self.unseen:,} new (G to follow)")

    def grow(self, rows: list[Row], collections: list[str]) -> None:
        """Threads and misses came."""
        kept = self.row
        self.outline.grow(rows, collections)
        self._stand(kept)

    def renew(self, branch: Branch) -> None:
        """What is inside a thread, or a collection, is this now; what was open in it stays open."""
        row, outline, kept = branch.row, self.outline, self.row
        if not outline.is_open(row) or row not in outline.rows:
            outline.learn(branch)
            self.refresh_rows()
            return
        index = outline.rows.index(row)
        opened: list[Row] = []
        for each in outline.rows[index + 1 :]:
            if each.depth <= row.depth:
                break
            if outline.is_open(each):
                opened.append(each)
        outline.close(index)
        outline.learn(branch)
        outline.open(index)
        for each in opened:
            if each in outline.rows and outline.knows(each):
                outline.open(outline.rows.index(each))
        self._stand(kept)

    def clear(self) -> None:
        """The outline is another one now."""
        self.cursor, self.following, self.unseen = 0, True, 0
        self.refresh_rows()
        self.jump(0)

    def follow(self) -> bool:
        """Where the cursor follows, go to the newest row; whether that is another one."""
        if not self.following or not self.outline.rows:
            return False
        before, place = self.row, self.cursor
        self.cursor = self.newest()
        if (
            self.cursor != place
        ):  # it is asked ten times a second, and to draw all rows each time would cost a tenth of a core
            self.refresh_rows()
        self.show_row(self.cursor)
        return self.row != before

    def withdraw(self, row: Row) -> None:
        """A row goes."""
        kept = self.row
        self.outline.remove(row)
        self._stand(kept)

    def newest(self) -> int:
        """Where the cursor follows to: the last row that is no held call, since keys do something to those."""
        place = self.outline.newest
        while place > 0 and self.outline.rows[place].kind is Kind.HELD:
            place -= 1
        return max(place, 0)

    def _stand(self, kept: Row | None) -> None:
        """Keep the cursor on its row, and that row where it is on the screen."""
        rows, before = self.outline.rows, self.cursor
        if kept is not None and rows:
            self.cursor = _place_of(rows, kept, before)
        top = round(self.scroll_y) + self.cursor - before
        self.refresh_rows()
        if self.cursor != before and not self.following:
            # At once: the next rows may come in before the screen is drawn, and reckon from here.
            self.scroll_to(y=max(top, 0), animate=False, immediate=True)


def _place_of(rows: list[Row], kept: Row, before: int) -> int:
    """Where a row stands now; one that is gone, for it is folded into another, by the one that it was folded into."""
    if before < len(rows) and rows[before] == kept:
        return before
    if kept in rows:
        return rows.index(kept)
    number = kept.arrival
    near = 0
    for place, row in enumerate(rows):
        before_it = row.arrival is None or number is None or row.arrival <= number
        if row.scope == kept.scope and (before_it or row.kind is Kind.THREAD):
            near = place
    return near or min(before, len(rows) - 1)
