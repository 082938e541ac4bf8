"""What is typed at the foot and looked for: filters over the cassette, plain text in the rows.

Part of the app, apart for its size.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on

from ..cassettes.summary import Row as IndexRow
from ..cassettes.text import clip, safe
from .actions import Actions
from .desk import SCAN, Job
from .outline import Outline, Row
from .prompt import Prompt

if TYPE_CHECKING:
    from .search import Batch, Search

LOOKS = 0.25
"""Seconds between two looks at what was found so far: drawing it takes time away from the search."""


class Searching(Actions):
    """A part of `app.Inspector`, which has what is named here."""

    _outline: Outline

    def begin_searching(self) -> None:
        self._needle = ""
        self._found: Row | None = None
        self._search: Search | None = None
        self._filter_off = ""
        self._next_look = 0.0

    @on(Prompt.Closed)
    async def _on_prompt_closed(self) -> None:
        if self.focused is None or not self.focused.display or self.focused.id == "line":
            self._list.take_focus()
        await self._window.let_keys_go()

    @on(Prompt.Answered)
    async def _on_answered(self, event: Prompt.Answered) -> None:
        wrong = event.purpose == "filter" and not self._begin_filter(event.text)
        if wrong or (event.purpose == "intercept" and event.text and not self._understood(event.text)):
            await self._window.let_keys_go()  # the prompt stays, and has them
            return
        self.query_one(Prompt).close()
        if event.purpose == "find":
            self._needle = event.text
            self._find(self._list.cursor, 1)
        elif event.purpose == "note":
            self.noted(event.text)
        elif event.purpose == "export":
            self.save_to(event.text)
        elif event.purpose == "compare":
            self.compare_with(event.text)

    def action_find(self) -> None:
        self.query_one(Prompt).ask("find", self._needle)

    def action_filter(self) -> None:
        self.query_one(Prompt).ask("filter", self._search.text if self._search is not None else self._filter_off)

    def action_toggle_filter(self) -> None:
        if self._search is not None:
            self._filter_off = self._search.text
            self._begin_filter("")
        elif self._filter_off:
            self._begin_filter(self._filter_off)
        else:
            self._window.say("there is no filter: / asks for one")

    def _begin_filter(self, text: str) -> bool:
        """Begin to look for what fits, or show all again; False when it is no filter, and then it is said why."""
        self.desk.forget("scan")
        chosen = self._list.row
        if not text:
            self._search = None
            self._outline.narrow(None)
        else:
            from .search import Search

            if not self._understood(text):
                return False
            self._search = Search(self._recording, text, self.rows_to_search())
            self._outline.narrow(self._search.hits)
            self.note_down(f"filter {clip(text, 200)}")
            self._scan()
        self._list.begin(chosen)
        self._window.choose(self._list.row)
        self._window.hint()
        return True

    def _understood(self, text: str) -> bool:
        """Whether this is a filter; if not, the line stays open and says why."""
        from ..cassettes.filters import FilterError, parse

        try:
            parse(text)
        except FilterError as error:
            self.query_one(Prompt).complain(
                *error.lines, safe(error.message + (f" ({error.hint})" if error.hint else ""))
            )
            return False
        return True

    def rows_to_search(self) -> Sequence[IndexRow] | None:
        """The calls that a filter looks at; None for all."""
        return None

    def found_in(self, scopes: set[str]) -> None:
        """The filter found calls in these."""

    def look_at(self, row: IndexRow) -> None:
        """A call came: the filter, if there is one, looks at it, too."""
        if self._search is not None:
            self._search.later(row)
            if not self.desk.asked("scan"):
                self._scan()

    def _scan(self) -> None:
        search = self._search
        if search is None:
            return

        def taken(found: "tuple[Batch, int, bool]") -> None:
            if search is not self._search:
                return
            batch, looked, done = found
            search.take(batch, looked, done=done)
            done = search.done
            self.found_in({scope for scope, _ in batch})
            first = bool(batch) and not self._outline.rows
            if done or first or time.monotonic() >= self._next_look:
                self._show_found(done=done)
                self._next_look = time.monotonic() + LOOKS
            if not done:
                self._scan()

        self.desk.ask("scan", Job(SCAN, search.slice, taken, self.complain))

    def _show_found(self, *, done: bool) -> None:
        before = self._list.row
        self._outline.found_more()
        self._list.refresh_rows()
        if before is None or done:
            self._window.choose(self._list.row)
        self._window.hint()

    def action_again(self, way: int) -> None:
        self._find(self._list.cursor + way, way)

    def _find(self, start: int, way: int) -> None:
        if not self._needle:
            self._window.say("nothing to find: f asks for a text")
        elif self._list.find(self._needle, start, way):
            self._found = self._list.row
            self._window.say(f"found {clip(self._needle, 30)}  n next  N back")
        else:
            self._window.say(f"no row in the list has {clip(self._needle, 30)}")
