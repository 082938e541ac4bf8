"""What the inspector shows of one scope, made from the cassette when it is first asked for.

Making one reads and folds all calls of the scope, which may take seconds: never on the event loop, and from one thread
at a time, since a reader is for one. Nothing that went wrong with one thread keeps the others from being seen.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ..cassettes.conversation import Conversation, Recorded
from ..cassettes.errors import RespoolError
from ..cassettes.folding import fold
from ..cassettes.summary import Row as IndexRow
from ..cassettes.text import clip
from .branches import outline_of
from .document import Document, plain
from .exchanges import Gathered
from .falls import of_run, of_thread
from .layout import Sheet, lay_out
from .outline import MAX_LABEL, Branch, Face, Kind, Row
from .tabs import Tab
from .tools import tools
from .transcript import transcript
from .watched import Abandoned, Watched
from .waterfall import Waterfall

EMPTY = Document()


@dataclass(slots=True)
class Story:
    """A scope: its rows for the list, and what there is to read. `conversation` is None where it could not be read."""

    branch: Branch
    documents: dict[Tab, Document]
    conversation: Conversation | None = None
    gathered: Gathered = field(default_factory=Gathered)
    sheets: dict[Tab, Sheet] = field(default_factory=dict)
    """The documents broken to a width."""
    falls: dict[str, Waterfall] = field(default_factory=dict)
    """By run; the thread's own by the empty name."""
    rows: dict[int, IndexRow] = field(default_factory=dict)
    """Of the calls, by their numbers."""

    def sheet(self, tab: Tab, width: int) -> Sheet | None:
        """What is at hand at this width."""
        sheet = self.sheets.get(tab)
        return sheet if sheet is not None and sheet.width == width else None

    def lay(self, tab: Tab, width: int) -> Sheet:
        """In the thread: the document of a panel at a width."""
        sheet = self.sheet(tab, width)
        if sheet is None:
            sheet = self.sheets[tab] = lay_out(self.documents.get(tab, EMPTY), width)
        return sheet

    def fall(self, row: Row) -> Waterfall:
        """The waterfall of the run that a row belongs to, else of the thread."""
        if self.conversation is None or not self.conversation.is_thread:
            return Waterfall(note="Runs have a waterfall; there is none here.")
        run = row.run if row.run in self.conversation.runs else ""
        if run not in self.falls:
            names = list(self.conversation.runs)
            sightings, calls = self.gathered.sightings, self.gathered.runs.get(run, [])
            self.falls[run] = (
                of_run(self.conversation.runs[run], names.index(run) + 1, sightings, calls)
                if run
                else of_thread(self.conversation, sightings)
            )
        return self.falls[run]

    def call_of(self, row: Row) -> IndexRow | None:
        """The call that a row is, or the first that tells of what it is."""
        if row.arrival is not None:
            return self.rows.get(row.arrival)
        calls = self.gathered.runs.get(row.run, []) if row.run else self.gathered.calls
        return calls[0].row if calls else None

    def calls_of(self, row: Row) -> list[IndexRow]:
        """All calls of what a row is."""
        if row.kind is Kind.POLLS:
            inside = next((each for each in _walk(self.branch) if each.row == row), None)
            return [self.rows[int(each.row.item)] for each in inside.inside] if inside else []
        if row.arrival is not None:
            return [self.rows[row.arrival]] if row.arrival in self.rows else []
        calls = self.gathered.runs.get(row.run, []) if row.run else self.gathered.calls
        return [call.row for call in calls]


def _walk(branch: Branch) -> Iterator[Branch]:
    for each in branch.inside:
        yield each
        yield from _walk(each)


def tell(recording: Recorded, scope: str, wanted: Callable[[], bool]) -> Story:
    """The story of a scope. Raises `Abandoned` once `wanted` says no; damage becomes a story that tells of it."""
    gathered = Gathered()
    try:
        conversation = fold(Watched(recording, wanted), scope, seen=gathered.seen)
        branch = outline_of(conversation, gathered)
        documents = {Tab.MESSAGES: transcript(conversation), Tab.TOOLS: tools(conversation, gathered.submits)}
        rows = {call.arrival: call.row for call in gathered.calls}
        story = Story(branch, documents, conversation, gathered, rows=rows)
        story.fall(branch.row)  # here, since a thread may have many runs and a key must not wait for them
        return story
    except Abandoned:
        raise
    except RespoolError as error:
        branch, document = _broken(scope, "damaged"), plain(error.message, error.hint, title="This cannot be read.")
    except Exception as error:  # noqa: BLE001 - a fault of ours in one thread must not close the screen on all others
        what = f"{type(error).__name__}: {error}"
        branch, document = _broken(scope, "not shown"), plain(what, title="A fault in respool: this cannot be shown.")
    return Story(branch, {Tab.MESSAGES: document, Tab.TOOLS: document})


def _broken(scope: str, why: str) -> Branch:
    kind = Kind.COLLECTION if scope.startswith("/") else Kind.THREAD
    return Branch(Row(kind, scope), Face(clip(scope, MAX_LABEL), why, "bad"))
