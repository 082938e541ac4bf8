"""What is done with rows: marks and notes, comparisons, copies, exports, an editor. Part of the app, apart for its size.

What reads the cassette is done at the desk; what was done, or went wrong, is said at the foot and noted in the log.
"""

from collections import deque
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol

from textual.app import App

from ..cassettes.errors import CassetteError, RespoolError, UsageError
from ..cassettes.file_names import file_named
from ..cassettes.notes import Notes, Place
from ..cassettes.reader import Reader
from ..cassettes.text import clip, safe
from .desk import ASKED, Desk, Job
from .document import Document
from .editor import edited
from .list_pane import ListPane, place_of
from .outline import Kind, Row
from .prompt import Prompt
from .shelf import Shelf
from .tabs import Tab
from .text_pane import TextPane
from .views import LogLine

if TYPE_CHECKING:
    from ..cassettes.extract import Extract
    from .stories import Story

MOST_LOGGED = 2_000


class Window(Protocol):
    """What the other parts ask of the app: to show and to say."""

    def say(self, text: str) -> None:
        """At the foot, in safe words."""
        ...

    def hint(self) -> None:
        """At the foot, which keys there are and how far the search is."""
        ...

    def choose(self, row: Row | None) -> None: ...

    def show_chosen(self) -> None: ...

    def action_panel(self, number: int) -> None: ...

    async def let_keys_go(self) -> None:
        """What was typed into the prompt is dealt with."""
        ...


class Actions(App[None]):
    """A part of `app.Inspector`, which has what is named here."""

    _recording: Reader
    _shelf: Shelf
    _list: ListPane
    _text: TextPane
    _leaving: bool

    def begin_actions(self, window: Window, notes: Notes, problem: str) -> None:
        """`problem`: why the notes beside the cassette cannot be used; then none are written."""
        self.desk = Desk()
        self._window = window
        self.notes = notes
        self.compared: Document | None = None
        self.log_lines: deque[LogLine] = deque(maxlen=MOST_LOGGED)
        self._problem = problem
        self._exporting = ""
        self._subject: Row | None = None
        """What is typed at the foot is about this row, wherever the cursor has followed to meanwhile."""
        self._compared_with = ""
        self._marked: list[Row] = []

    def note_down(self, text: str, *, aloud: bool = False) -> None:
        """Put a sentence into the log; `aloud` also at the foot."""
        self.log_lines.append((datetime.now().astimezone(), safe(text)))
        if aloud:
            self._window.say(safe(text))
        if self._text.tab is Tab.LOG:
            self._window.show_chosen()

    def complain(self, error: RespoolError) -> None:
        """Say what went wrong."""
        self.note_down(f"! {error.message}" + (f" ({error.hint})" if error.hint else ""), aloud=True)

    def tell_problems(self) -> None:
        """Say at the start what cannot be used."""
        if self._problem:
            self.note_down(f"! marks are not kept: {self._problem}", aloud=True)
        if self._recording.warning:
            self.note_down(f"! {self._recording.warning}")

    # Marks and notes

    def action_mark(self) -> None:
        row = self._list.row
        if row is None:
            return
        place = place_of(row)
        if place in self.notes:
            self.notes.unmark(place)
            self._marked = [each for each in self._marked if each != row]
            self._keep(f"mark taken from {_name(row)}")
        else:
            self._mark(row, None)

    def action_note(self) -> None:
        self._subject = row = self._list.row
        if row is not None:
            self.query_one(Prompt).ask("note", self.notes.note(place_of(row)))

    def noted(self, text: str) -> None:
        """A note was typed for the row that it was asked for."""
        if self._subject is not None:
            self._mark(self._subject, text)

    def action_next_mark(self) -> None:
        rows = self._list.outline.rows
        for step in range(1, len(rows) + 1):
            at = (self._list.cursor + step) % len(rows)
            if place_of(rows[at]) in self.notes:
                self._list.go(at)
                return
        self._window.say("no row in the list is marked: m marks one")

    def _mark(self, row: Row, note: str | None) -> None:
        if not self.notes.mark(place_of(row), note):
            self.note_down("! there are too many marks", aloud=True)
            return
        self._marked = [*(each for each in self._marked if each != row), row]
        self._keep(f"marked {_name(row)}" + (f": {clip(note, 100)}" if note else ""))

    def _keep(self, done: str) -> None:
        self._list.refresh_rows()
        if self._problem:
            self.note_down(f"{done}, for now: {self._problem}", aloud=True)
            return
        try:
            self.notes.save()
        except CassetteError as error:
            self.complain(error)
        else:
            self.note_down(done, aloud=True)

    # Comparisons

    def action_diff(self) -> None:
        row = self._list.row
        other = self._other(row)
        if row is None or other is None:
            self._window.say("mark another row of this kind with m, then press d")
            return
        self._window.say(f"comparing {_name(other)} and {_name(row)} …")
        self.desk.ask("diff", Job(ASKED, lambda: self._compare(other, row), self._compared, self.complain))

    def _other(self, row: Row | None) -> Row | None:
        """What the row is compared with: the last mark of its kind, made here or kept beside the cassette."""
        if row is None or row.kind in {Kind.OTHER, Kind.STEP, Kind.CALL}:
            return None
        kind = place_of(row).kind
        kept = [_row_of(place) for place in self.notes]
        for each in [*self._marked[::-1], *kept[::-1]]:
            if each is not None and place_of(each).kind == kind and place_of(each) != place_of(row):
                return each
        return None

    def _compare(self, left: Row, right: Row) -> Document:
        from .differ import by_meaning, by_text

        one, other = self._part(left), self._part(right)
        if left.arrival is not None and right.arrival is not None:
            rows = [next(iter(each.rows()), None) for each in (one, other)]
            if rows[0] is None or rows[1] is None:
                raise CassetteError("one of the two calls is not in this cassette")
            return by_text(one.interaction(rows[0]), other.interaction(rows[1]))
        return by_meaning(one, other, (_name(left), _name(right)))

    def action_diff_file(self) -> None:
        self.query_one(Prompt).ask("compare", self._compared_with)

    def compare_with(self, text: str) -> None:
        """A file's name was typed, to compare all of the recording with."""
        from .differ import with_cassette

        if not text:
            return
        self._compared_with = text
        try:
            path = file_named(text)
        except UsageError as error:
            self.complain(error)
            return
        self._window.say(f"comparing with {clip(text, 80)} …")
        work = partial(with_cassette, path, self._recording, lambda: not self._leaving)
        self.desk.ask("diff", Job(ASKED, work, self._compared, self.complain))

    def _compared(self, document: Document | None) -> None:
        if document is None:
            return  # nobody is there any more
        self.compared = document
        words = " ".join(line.text for line in document.lines[:2])
        self.note_down(f"compared {clip(words, 200)}", aloud=True)
        self._window.action_panel(Tab.DIFF)

    def _part(self, row: Row) -> "Extract":
        """The calls of a row, as a recording. In the thread that reads."""
        from ..cassettes.extract import Extract

        if row.kind in {Kind.THREAD, Kind.COLLECTION}:
            return Extract(self._recording, row.scope)
        story = self._shelf.get(row.scope)
        if story is None:
            from .stories import tell

            story = tell(self._recording, row.scope, lambda: True)
        return Extract(self._recording, row.scope, _arrivals(story, row))

    # Copies and exports

    def action_copy(self) -> None:
        from .menu import MenuScreen
        from .takeaway import COPIES

        row = self._list.row
        if row is None or row.kind is Kind.OTHER:
            self._window.say("choose a thread, a run or a call first")
        else:
            self.push_screen(MenuScreen(f"Copy of {clip(_name(row), 40)}", COPIES), lambda key: self._copy(key, row))

    def _copy(self, key: str | None, row: Row) -> None:
        from .takeaway import COPIES, copied

        if not key:
            return
        form = COPIES[key][0]
        if form == "id":
            self._to_clipboard(form, safe(row.item if row.arrival is None and row.item else row.run or row.scope))
            return
        self.desk.ask(
            "copy",
            Job(
                ASKED, lambda: copied(form, self._part(row)), lambda text: self._to_clipboard(form, text), self.complain
            ),
        )

    def _to_clipboard(self, form: str, text: str) -> None:
        self.copy_to_clipboard(text)
        self.note_down(f"{form} copied: {len(text):,} characters", aloud=True)

    def action_export(self) -> None:
        from .menu import MenuScreen
        from .takeaway import EXPORTS

        row = self._list.row
        if row is None or row.kind is Kind.OTHER:
            self._window.say("choose a thread, a run or a call first")
            return
        choices = {key: (form, f"a file *{ending}") for key, (form, ending) in EXPORTS.items()}
        self.push_screen(
            MenuScreen(f"Export of {clip(_name(row), 40)}", choices), lambda key: self._ask_where(key, row)
        )

    def _ask_where(self, key: str | None, row: Row) -> None:
        from .takeaway import EXPORTS, suggested

        if key:
            self._subject, self._exporting = row, EXPORTS[key][0]
            name = row.item or row.run or row.scope
            self.query_one(Prompt).ask("export", suggested(self._recording.path, name, EXPORTS[key][1]))

    def save_to(self, text: str) -> None:
        """A file's name was typed for an export of the row that it was asked for."""
        from .takeaway import saved

        row, form = self._subject, self._exporting
        if row is None or not text:
            return
        try:
            path = file_named(text)
        except UsageError as error:
            self.complain(error)
            return
        self._window.say("writing …")
        self.desk.ask(
            "export",
            Job(
                ASKED,
                lambda: saved(form, self._part(row), self._recording, path),
                lambda done: self.note_down(done, aloud=True),
                self.complain,
            ),
        )

    def action_editor(self) -> None:
        """Open what the panel shows, as it shows it, in the editor of the environment: a copy, of which nothing is read back."""
        sheet = self._text.sheet
        if sheet is None:
            return
        lines = (" " * line.indent + line.text for line in sheet.document.lines)
        try:
            _, editor = edited(self, f"{self._text.tab.name.lower()}.txt", "\n".join(lines) + "\n")
        except UsageError as error:
            self.complain(error)
        else:
            self.note_down(f"opened in {editor}", aloud=True)


def _arrivals(story: "Story", row: Row) -> list[int]:
    return [call.summary.arrival for call in story.calls_of(row)]


def _name(row: Row) -> str:
    """A row in safe words."""
    if row.arrival is not None:
        return f"call {row.arrival:,}"
    return clip(f"{row.kind.value} {row.item or row.run or row.scope}", 120)


def _row_of(place: Place) -> Row | None:
    """The row that a place names; None for what cannot be one, since the file of notes may come from anyone."""
    try:
        row = Row(Kind(place.kind), place.scope, place.run, place.item)
        return row if row.arrival is None or row.arrival >= 0 else None
    except ValueError:
        return None
