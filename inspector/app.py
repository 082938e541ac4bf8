"""The inspector: a recording's threads, runs and steps on the left, and what was said and done on the right.

It only reads. The cassette is read in a thread of its own, for the chosen row and for rows that shall open, and never
for others; what comes back is applied by the scope's name, whatever was chosen meanwhile.
"""

import asyncio

from rich.text import Text
from textual import on
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static
from textual.worker import WorkerFailed

from ..cassettes.amounts import counted
from ..cassettes.conversation import Recorded
from ..cassettes.crashes import told
from ..cassettes.text import clip
from .help import HelpScreen
from .keys import EVERYWHERE, FIND, bindings
from .layout import lay_out
from .list_pane import ListPane
from .outline import Kind, Outline, Row
from .stories import Abandoned, Shelf, Story, tell
from .text_pane import TextPane
from .transcript import Document, plain

_HINT = "? keys  q quit"

_BREAKPOINTS = [(0, "-narrow"), (60, "-wide")]
"""From how many columns on which class is set: below 60 the panes stand one above the other."""


class FindBar(Input):
    """Where the text to be found is typed."""

    BINDINGS = bindings(FIND)

    def __init__(self) -> None:
        # What is pasted is no more to be trusted than what is recorded.
        super().__init__(id="find", placeholder="find in the list", compact=True, restrict=r"[^\x00-\x1f\x7f-\x9f]*")
        self.display = False

    def action_leave(self) -> None:
        self.screen.query_one(ListPane).focus()

    def on_blur(self) -> None:
        self.display = False


class Inspector(App[None]):
    """Browses a recording, which stays open for as long as the app runs and is read by nobody else meanwhile."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS = bindings(EVERYWHERE)
    HORIZONTAL_BREAKPOINTS = _BREAKPOINTS
    CSS = """
    #list { width: 38%; max-width: 64; }
    #conversation { width: 1fr; border-left: vkey $panel-lighten-2; padding-left: 1; }
    .-narrow #panes { layout: vertical; }
    .-narrow #list { width: 100%; max-width: 100%; height: 40%; }
    .-narrow #conversation { width: 100%; border-left: none; padding-left: 0; }
    #foot { height: 1; background: $panel; }
    #status { width: 1fr; height: 1; padding: 0 1; }
    #told { width: auto; max-width: 60%; height: 1; padding: 0 1; text-style: dim; }
    """

    def __init__(self, recording: Recorded) -> None:
        super().__init__()
        self._recording = recording
        self._outline = Outline(recording.scopes())
        self._shelf = Shelf()
        self._chosen: Row | None = None
        self._opening: dict[str, Row] = {}
        self._woken = asyncio.Event()
        self._leaving = False
        self._needle = ""
        self._found: Row | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="panes"):
            yield ListPane(self._outline)
            yield TextPane()
        yield FindBar()
        with Horizontal(id="foot"):
            yield Static(Content(status(self._recording, self._outline.threads)), id="status", markup=False)
            yield Static(Content(_HINT), id="told", markup=False)

    def _fatal_error(self) -> None:
        """Leave after a fault of its own; Textual would print each local variable, and with it what is recorded."""
        fault = self._exception
        if isinstance(fault, WorkerFailed):
            fault = fault.error
        self.panic(Text(f"respool: internal error: {told(fault)}" if fault is not None else "respool: internal error"))

    def on_mount(self) -> None:
        self._list = self.query_one(ListPane)
        self._text = self.query_one(TextPane)
        self._list.focus()
        if self._outline.threads == 1:
            self._opening[self._outline.rows[0].scope] = self._outline.rows[0]
        self._choose(self._list.row)
        self.run_worker(self._read(), name="read", exit_on_error=True)

    def on_unmount(self) -> None:
        self._leaving = True

    @on(ListPane.Chosen)
    def _on_chosen(self, event: ListPane.Chosen) -> None:
        if event.row != self._found:
            self._say(_HINT)
        self._choose(event.row)

    @on(ListPane.Wanted)
    def _on_wanted(self, event: ListPane.Wanted) -> None:
        self._opening[event.row.scope] = event.row
        self._woken.set()

    @on(TextPane.Resized)
    def _on_resized(self) -> None:
        if self._chosen is None or not self._chosen.scope:
            self._choose(self._chosen)
        self._woken.set()

    @on(Input.Submitted, "#find")
    def _on_find(self, event: Input.Submitted) -> None:
        self._needle = event.value.strip()
        self.query_one(FindBar).action_leave()
        self._find(self._list.cursor, 1)

    def action_read(self, way: int) -> None:
        self._text.action_half(way)

    def action_find(self) -> None:
        bar = self.query_one(FindBar)
        bar.display = True
        bar.value = self._needle
        bar.focus()

    def action_again(self, way: int) -> None:
        self._find(self._list.cursor + way, way)

    def action_help(self) -> None:
        self.push_screen(HelpScreen())

    def _find(self, start: int, way: int) -> None:
        if not self._needle:
            self._say("nothing to find: / asks for a text")
        elif self._list.find(self._needle, start, way):
            self._found = self._list.row
            self._say(f"found {clip(self._needle, 30)}  n next  N back")
        else:
            self._say(f"no row in the list has {clip(self._needle, 30)}")

    def _say(self, text: str) -> None:
        self.query_one("#told", Static).update(Content(text))

    def _choose(self, row: Row | None) -> None:
        """Show the row's story now if it is at hand, else when it was read."""
        self._chosen = row
        if row is None:
            self._show(plain("No calls were recorded in this cassette."))
        elif row.kind is Kind.OTHER:
            names = (clip(name, 200) for name in self._outline.collections[:1000])
            self._show(plain("Calls that belong to no thread, by their path:", "", *names))
        elif (story := self._shelf.get(row.scope)) is not None:
            self._show_story(story, row)
        else:
            self._text.wait()
        self._woken.set()

    def _show(self, document: Document) -> None:
        self._text.show(lay_out(document, self._text.width), None)

    def _show_story(self, story: Story, row: Row) -> None:
        last = len(story.document.lines) - 1
        whole = row.kind in (Kind.THREAD, Kind.COLLECTION)
        self._text.show(story.sheet, None if whole else story.document.anchors.get(row, last))

    async def _read(self) -> None:
        """Read what is wanted, one scope at a time, for as long as the app runs."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            while (scope := self._next()) is not None:
                story = await asyncio.to_thread(self._tell, scope, self._shelf.get(scope), self._text.width)
                if story is not None:
                    self._apply(scope, story)

    def _next(self) -> str | None:
        """The scope that is wanted first: the chosen one, then those that shall open."""
        chosen = self._chosen.scope if self._chosen is not None else ""
        if chosen:
            story = self._shelf.get(chosen)
            if story is None or story.sheet.width != self._text.width:
                return chosen
        return next(iter(self._opening), None)

    def _wanted(self, scope: str) -> bool:
        """Whether the scope is still chosen or shall open; also asked from the thread that reads."""
        chosen = self._chosen
        return not self._leaving and (scope in self._opening or (chosen is not None and chosen.scope == scope))

    def _tell(self, scope: str, story: Story | None, width: int) -> Story | None:
        """In the thread: the story of a scope at a width; None when it is wanted no more."""
        if story is not None:
            return story._replace(sheet=lay_out(story.document, width))
        try:
            return tell(self._recording, scope, width, lambda: self._wanted(scope))
        except Abandoned:
            return None

    def _apply(self, scope: str, story: Story) -> None:
        self._outline.learn(story.branch)
        gone = self._shelf.put(story)
        if gone is not None:
            self._outline.forget(gone)
        if (row := self._opening.pop(scope, None)) is not None:
            self._list.open(row)
        else:
            self._list.refresh_rows()
        if self._chosen is not None and self._chosen.scope == scope:
            self._show_story(story, self._chosen)


def status(recording: Recorded, threads: int) -> str:
    """The line at the foot: which cassette this is, what is in it, and whether it is whole."""
    words = [
        clip(recording.path.name, 100),
        counted(len(recording), "call"),
        counted(threads, "thread"),
    ]
    return " · ".join(words if recording.sealed else [*words, "not closed cleanly"])
