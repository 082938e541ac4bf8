"""The inspector: a recording's threads, runs and calls on the left; on the right a run's waterfall, and panels to read.

It only reads the cassette; marks and notes go into a file beside it. The cassette is read in a thread of its own (`desk.py`),
for the chosen row and for rows that shall open, and never for others; what comes back is applied by the scope's name,
whatever was chosen meanwhile. What is done with a row (compare, copy, export) stands in `actions.py`, what is typed and looked
for in `searching.py`.
"""

import gc
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.filter import LineFilter, NoColor
from textual.widgets import Static
from textual.worker import WorkerFailed

from ..cassettes.crashes import told
from ..cassettes.errors import CassetteError, RespoolError
from ..cassettes.notes import Notes
from ..cassettes.reader import Reader
from ..cassettes.text import clip, safe
from .desk import OPEN, SCAN, SHOW, Job
from .document import MODES, Document, plain
from .headline import status
from .help import HelpScreen
from .keyboard import Keyboard
from .keys import EVERYWHERE, LIST, PANEL, bindings
from .layout import Sheet, lay_out
from .list_pane import ListPane
from .outline import Kind, Outline, Row
from .prompt import Prompt
from .resending import Resending
from .searching import Searching
from .shelf import Shelf
from .tabs import Tab
from .text_pane import TextPane
from .views import NO_MISS, NOT_COMPARED, line_of, load_the_rest, log_document, made_for
from .watched import Abandoned
from .waterfall import Waterfall
from .waterfall_pane import WaterfallPane

if TYPE_CHECKING:
    from .stories import Story

_HINT = "/ filter  m mark  d diff  y copy  x export  ? keys  q quit"
_SHORT_HINT = "? keys  q quit"

_BREAKPOINTS = [(0, "-narrow"), (60, "-wide")]
"""From how many columns on which class is set: below 60 the panes stand one above the other."""


class Inspector(Keyboard, Resending, Searching, App[None]):
    """Browses a recording, which stays open for as long as the app runs and is read by nobody else meanwhile."""

    TITLE = "respool"
    BINDINGS = bindings(EVERYWHERE)
    EMPTY = "No calls were recorded in this cassette."
    COMMAND_PALETTE_BINDING = "ctrl+p"
    HORIZONTAL_BREAKPOINTS = _BREAKPOINTS
    CSS = """
    #head { height: 1; background: $panel; }
    #name { width: 1fr; height: 1; padding: 0 1; }
    #list { width: 38%; max-width: 72; height: 1fr; }
    #right { width: 1fr; }
    #waterfall { height: 8; }
    #conversation { height: 1fr; }
    .-narrow #panes { layout: vertical; }
    .-narrow #list { width: 100%; max-width: 100%; height: 40%; }
    .-narrow #right { width: 100%; height: 1fr; }
    .-narrow #waterfall { display: none; }
    .-narrow Pane { border: none; border-top: solid $panel-lighten-2; }
    .-narrow Pane:focus { border: none; border-top: solid $primary; }
    #panes.-list #right { display: none; }
    #panes.-list #list { width: 100%; max-width: 100%; height: 1fr; }
    #panes.-panels #list { display: none; }
    #foot { height: 1; background: $panel; }
    #status { width: 1fr; height: 1; padding: 0 1; }
    Pane:nocolor:focus { border: heavy; }
    .-narrow Pane:nocolor:focus { border-top: heavy; }
    Pane:nocolor > .pane--marked { text-style: underline; }
    ListPane:nocolor > .pane--marked { text-style: reverse; }
    OptionList:nocolor > .option-list--option-highlighted { text-style: reverse; }
    Input:nocolor > .input--suggestion { text-style: dim italic; }
    #told { width: auto; max-width: 75%; height: 1; padding: 0 1; color: $foreground-muted; }
    """

    def __init__(self, recording: Reader, keymap: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._recording = recording
        self.begin_keys(keymap or {})
        self._outline = Outline(recording.scopes())
        self._shelf = Shelf()
        self._chosen: Row | None = None
        self._opening: dict[str, Row] = {}
        self._leaving = False
        self._told = self._words = ""
        self._mode = MODES[0]
        self.begin_actions(self, *self.notes_of(recording))
        self.begin_searching()

    def notes_of(self, recording: Reader) -> tuple[Notes, str]:
        """The notes beside the cassette, and what is wrong with them."""
        try:
            return Notes.load(recording.path), ""
        except CassetteError as error:
            return Notes(recording.path), error.message + (f" ({error.hint})" if error.hint else "")

    def compose(self) -> ComposeResult:
        with Horizontal(id="head"):
            yield Static(
                Content.assemble((" respool ", "bold reverse"), "  ", status(self._recording, self._outline.threads)),
                id="name",
            )
        with Horizontal(id="panes"):
            yield self.list_pane()
            with Vertical(id="right"):
                yield WaterfallPane()
                yield TextPane()
        yield Prompt()
        with Horizontal(id="foot"):
            yield Static(Content(), id="status", markup=False)
            yield Static(Content(), id="told", markup=False)

    def list_pane(self) -> ListPane:
        return ListPane(self._outline, self.notes)

    def _fatal_error(self) -> None:
        """Leave after a fault of its own; Textual would print each local variable, and with it what is recorded."""
        fault = self._exception
        if isinstance(fault, WorkerFailed):
            fault = fault.error
        self.panic(Text(f"respool: internal error: {told(fault)}" if fault is not None else "respool: internal error"))

    def get_line_filters(self) -> Sequence[LineFilter]:
        """With NO_COLOR no colour at all: Textual by itself goes on in greys."""
        filters = super().get_line_filters()
        return [*filters, NoColor()] if self.no_color else filters

    def on_mount(self) -> None:
        self._list = self.query_one(ListPane)
        self._text = self.query_one(TextPane)
        self._fall = self.query_one(WaterfallPane)
        self.remap()
        self._list.take_focus()
        self.hint()
        self.tell_problems()
        if self._outline.threads == 1:
            self._open(self._outline.rows[0])
        self.choose(self._list.row)
        self.run_worker(self.desk.run(), name="read", exit_on_error=True)
        # What was loaded stays: to look at it again would take the collector longer than a frame.
        self.desk.ask("load", Job(SCAN, load_the_rest, lambda _: gc.freeze(), self.complain))

    def on_unmount(self) -> None:
        self._leaving = True

    # What is chosen and shown

    @on(ListPane.Chosen)
    def _on_chosen(self, event: ListPane.Chosen) -> None:
        if event.row != self._found:
            self.hint()
        self.choose(event.row)

    @on(ListPane.Wanted)
    def _on_wanted(self, event: ListPane.Wanted) -> None:
        self._open(event.row)

    @on(ListPane.Opened)
    def _on_opened(self) -> None:
        self.action_panel(Tab.RAW)

    @on(TextPane.Resized)
    def _on_resized(self) -> None:
        self.hint()
        self.choose(self._chosen)

    @on(TextPane.Asked)
    def _on_asked(self, event: TextPane.Asked) -> None:
        self.action_panel(event.tab)

    def _open(self, row: Row) -> None:
        self._opening[row.scope] = row
        self._ask_story(f"open {row.scope}", OPEN, row.scope)

    def _ask_story(self, name: str, urgency: int, scope: str) -> None:
        def work() -> "Story | None":
            from .stories import tell

            try:
                story = self._shelf.get(scope) or tell(self._recording, scope, lambda: self._wanted(scope))
            except Abandoned:
                return None
            story.lay(Tab.MESSAGES, self._text.width)
            return story

        self.desk.ask(name, Job(urgency, work, self._apply, self.complain))

    def _wanted(self, scope: str) -> bool:
        """Whether the scope is still chosen or shall open; also asked from the thread that reads."""
        chosen = self._chosen
        return not self._leaving and (scope in self._opening or (chosen is not None and chosen.scope == scope))

    def _apply(self, story: "Story | None") -> None:
        if story is None:
            return
        scope = story.branch.row.scope
        if self._shelf.get(scope) is not story:
            self._outline.learn(story.branch)
            gone = self._shelf.put(story)
            if gone is not None:
                self._outline.forget(gone)
        if (row := self._opening.pop(scope, None)) is not None:
            self._list.open(row)
        else:
            self._list.show_again(story.branch.row)
        if self._chosen is not None and self._chosen.scope == scope:
            self.choose(self._chosen)

    def choose(self, row: Row | None) -> None:
        """Show what the panel has of a row: now if it is at hand, else when it was read."""
        self._chosen = row
        self.desk.forget("show")
        tab, width = self._text.tab, self._text.width
        if width <= 0:
            return
        story = self._shelf.get(row.scope) if row is not None else None
        if row is None or row.kind is Kind.OTHER:
            self._fall.show(Waterfall("Waterfall", note="Choose a thread or a run."))
        if self.show_done():
            if story is not None and row is not None:
                self._fall.show(story.fall(row))
            elif row is not None and row.scope:
                self._ask_story("show", SHOW, row.scope)
        elif row is None:
            self._show(plain(self.EMPTY if not len(self._recording) else "The filter found nothing."))
        elif row.kind is Kind.OTHER:
            names = (clip(name, 200) for name in self._outline.collections[:1000])
            self._show(plain("Calls that belong to no thread, by their path:", "", *names))
        elif tab is Tab.MISS and (said := self.miss_of(row)) is not None:
            self._show(said)
        elif story is None:
            self._text.wait()
            self._ask_story("show", SHOW, row.scope)
        else:
            self._fall.show(story.fall(row))
            self._show_tab(story, row, tab, width)

    def _show_tab(self, story: "Story", row: Row, tab: Tab, width: int) -> None:
        if tab in {Tab.RAW, Tab.SECRETS, Tab.MISS} and story.conversation is not None:
            self._text.wait()

            def work() -> Sheet:
                return lay_out(made_for(self._recording, story, row, tab, self._mode), width)

            self.desk.ask("show", Job(SHOW, work, lambda sheet: self._text.show(sheet, None), self._cannot_show))
        elif (sheet := story.sheet(tab, width)) is not None:
            self._text.show(sheet, line_of(story.documents[tab], row))
        else:
            self._text.wait()
            self.desk.ask(
                "show", Job(SHOW, lambda: story.lay(tab, width), lambda _: self.choose(self._chosen), self.complain)
            )

    def show_done(self) -> bool:
        """Show what was done, in the panels that are the same for every row: the log, and the last comparison."""
        if self._text.tab is Tab.LOG:
            self._show(log_document(self.log_lines))
        elif self._text.tab is Tab.DIFF:
            self._show(self.compared or NOT_COMPARED)
        return self._text.tab in {Tab.LOG, Tab.DIFF}

    def miss_of(self, row: Row) -> Document | None:
        """Why a row is a miss; None for what has to be read first."""
        return None if row.arrival is not None else NO_MISS

    def _cannot_show(self, error: RespoolError) -> None:
        self._show(plain(error.message, error.hint, title="This cannot be read."))

    def _show(self, document: Document) -> None:
        self._text.show(lay_out(document, self._text.width), None)

    # Panes

    def action_panel(self, number: int) -> None:
        panes = self.query_one("#panes")
        if number == 1:
            panes.remove_class("-panels")
            self._list.take_focus()
        elif number == 2:
            panes.remove_class("-list")
            self._fall.take_focus()
        else:
            panes.remove_class("-list")
            self._text.tab = Tab(number)
            self._text.take_focus()
            self.show_chosen()

    def show_chosen(self) -> None:
        """Show the chosen row again, in the panel that there is."""
        self.choose(self._chosen)

    def action_view(self) -> None:
        self._mode = MODES[(MODES.index(self._mode) + 1) % len(MODES)] if self._text.tab is Tab.RAW else self._mode
        self.action_panel(Tab.RAW)

    def action_zoom(self) -> None:
        panes = self.query_one("#panes")
        if panes.has_class("-panels") or panes.has_class("-list"):
            panes.remove_class("-panels", "-list")
        else:
            panes.add_class("-list" if self.focused is self._list else "-panels")

    def action_read(self, way: int) -> None:
        self._text.action_half(way)

    def action_help(self) -> None:
        self.push_screen(HelpScreen(LIST if self.focused is self._list else PANEL, self.keys))

    # What is said

    def say(self, text: str) -> None:
        """Say a sentence of our own at the foot; what is foreign in it was made safe."""
        if text != self._told:
            self._told = text
            self.screen_stack[0].query_one("#told", Static).update(Content(text))

    def hint(self) -> None:
        search = self._search
        words = f"/{safe(clip(search.text, 60))}  {search.progress}" if search is not None else ""
        if words != self._words:  # else it would be drawn at each key
            self._words = words
            self.screen_stack[0].query_one("#status", Static).update(Content(words), layout=False)
        self.say(_HINT if self.size.width >= 100 or (not words and self.size.width > 70) else _SHORT_HINT)
