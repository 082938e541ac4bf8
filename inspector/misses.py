"""The misses of a replay that is looked at live: a row each, beside the threads, and why, in a panel. Part of the live app."""

from ..cassettes.outcomes import error_text
from ..cassettes.text import clip
from ..proxy.control.protocol import Call
from .app import Inspector
from .desk import SHOW, Job
from .document import Document, plain
from .following import FollowingList
from .live_recording import LiveRecording
from .outline import Face, Kind, Row
from .raw import raw
from .secrets import policy_of, secrets
from .tabs import Tab
from .views import text_document
from .waterfall import Waterfall

MOST_MISSES = 1_000
_READ = frozenset({Tab.RAW, Tab.SECRETS})
"""Panels that show the call itself."""


class Misses(Inspector):
    """A part of `live.LiveInspector`, which has what is named here."""

    live: LiveRecording
    _list: FollowingList

    def begin_misses(self) -> None:
        self._misses: set[Row] = set()
        self.coming: list[Row] = []
        """Rows that come into the list behind the threads that come with them."""

    def missed(self, call: Call, why: str) -> None:
        self.live.why[call.number] = why
        while len(self.live.why) > MOST_MISSES:
            self.live.why.popitem(last=False)
        row = Row(Kind.MISS, call.thread, "", str(call.number))
        if row in self._misses or len(self._misses) >= MOST_MISSES:
            return
        self._misses.add(row)
        face = Face(f"MISS {clip(call.method, 20)} {clip(short_path(call.target), 120)}", "why? w", "bad")
        self._outline.tell(row, face)
        self.coming.append(row)

    def take_coming(self) -> list[Row]:
        rows, self.coming = self.coming, []
        return rows

    def choose(self, row: Row | None) -> None:
        if row is None or row.kind is not Kind.MISS or row.arrival is None:
            super().choose(row)
            return
        self._chosen = row
        self.desk.forget("show")
        self._fall.show(Waterfall("Waterfall", note="Choose a thread or a run."))
        if self.show_done():
            return
        if self._text.tab not in _READ and (said := self.miss_of(row)) is not None:
            self._show(said)
            return
        self._text.wait()
        self.desk.ask("show", Job(SHOW, lambda: self._miss_read(row), self._show, self._cannot_show))

    def _miss_read(self, row: Row) -> Document:
        """In the thread that reads: the miss as it was answered, or of one from before, what its client was told."""
        call = next((each for each in self.live.rows_of_scope(row.scope) if each.summary.arrival == row.arrival), None)
        if call is None:
            return plain("The proxy does not know this call any more.")
        interaction = self.live.interaction(call)
        if self._text.tab is Tab.RAW:
            return raw(interaction, self._mode)
        if self._text.tab is Tab.SECRETS:
            return secrets([interaction], policy=policy_of(self.live.meta))
        said = error_text(interaction.response)
        return text_document(said or "The proxy does not know any more why.", title="Why this is a miss")

    def miss_of(self, row: Row) -> Document | None:
        why = self.live.why.get(row.arrival) if row.arrival is not None else None
        return text_document(why, title="Why this is a miss") if why else super().miss_of(row)


def short_path(target: str) -> str:
    """A path without the thread that its row stands behind."""
    path = target.partition("?")[0]
    before, mark, rest = path.partition("/threads/")
    return "/" + rest.partition("/")[2] if mark and "/" in rest else mark.rstrip("/") + "/" + rest if mark else before
