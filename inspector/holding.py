"""Calls held back on their way, in a live view: a row each, at the end of the list, and what can be done with them.

Part of the live app. A row that comes takes neither the focus nor the cursor, and the keys act on the row under the cursor alone.
"""

import time
from collections.abc import Callable
from functools import partial

from textual import on

from ..cassettes.errors import RespoolError, UsageError
from ..cassettes.text import clip, safe
from ..proxy.control.protocol import CallHeld, HeldCall, Holding
from .desk import ASKED, SHOW, Job
from .document import Document
from .editor import edited
from .misses import Misses, short_path
from .outline import Face, Kind, Row
from .prompt import Prompt
from .views import text_document
from .waterfall import Waterfall

KEYS_FOR_HELD = "u release  U edit  X drop"


class Holds(Misses):
    """A part of `live.LiveInspector`, which has what is named here."""

    def begin_holds(self) -> None:
        self._held: dict[int, tuple[Row, float, CallHeld]] = {}
        """Held calls: their rows, and until when."""
        self._filter = ""
        self._counted_down = 0.0

    # What comes

    def ask_holds(self) -> None:
        """Ask what is held: when the proxy was read anew."""
        self.desk.ask("holds", Job(ASKED, lambda: self.live.client.holding(), self._take_holds, lambda _: None))  # noqa: PLW0108 - see live

    def _take_holds(self, told: Holding) -> None:
        self._filter = told.filter or ""
        for number in list(self._held):
            self.let_go(number)
        for each in told.held:
            self.hold(CallHeld(n=0, kind="call-held", **each.model_dump()))

    def hold(self, event: CallHeld) -> None:
        row = Row(Kind.HELD, "", "", str(event.number))
        if event.number in self._held:
            return
        self._held[event.number] = row, time.monotonic() + event.seconds, event
        self._list.grow([row], [])
        self.note_down(f"held: {clip(event.method, 20)} {clip(event.target, 200)}")
        self._counted_down = 0.0

    def let_go(self, number: int, noted: str = "") -> None:
        if number in self._held:
            row, _, event = self._held.pop(number)
            self._list.withdraw(row)
            if self._chosen == row:
                self.choose(self._list.row)
            if noted:
                self.note_down(f"{clip(event.method, 20)} {clip(short_path(event.target), 120)}: {clip(noted, 100)}")

    def count_down(self) -> None:
        """Tell how long each call will wait, once a second."""
        now = time.monotonic()
        if not self._held or now - self._counted_down < 1:
            return
        self._counted_down = now
        for row, until, event in self._held.values():
            path = clip(short_path(event.target), 120)
            self._outline.tell(
                row,
                Face(f"⏸ HELD {clip(event.method, 20)} {path}", f"{max(until - now, 0):.0f} s", "wait"),
            )
        self._list.refresh_rows()

    @property
    def holding_words(self) -> str:
        """For the line at the top."""
        if not self._filter and not self._held:
            return ""
        words = [f"holding {clip(self._filter, 40)}"] if self._filter else []
        return ", ".join([*words, f"{len(self._held):,} held"] if self._held else words)

    # What is chosen

    def choose(self, row: Row | None) -> None:
        if row is None or row.kind is not Kind.HELD or row.arrival is None:
            super().choose(row)
            return
        self._chosen = row
        self._fall.show(Waterfall("Waterfall", note="Choose a thread or a run."))
        if self.show_done():
            return
        self._text.wait()
        number = row.arrival
        self.desk.ask("show", Job(SHOW, lambda: _told(self.live.client.held(number)), self._show, self._cannot_show))

    # What is done

    def action_intercept(self) -> None:
        self.query_one(Prompt).ask("intercept", self._filter)

    @on(Prompt.Answered)
    def _on_intercept(self, event: Prompt.Answered) -> None:
        if event.purpose != "intercept":
            return
        text = event.text.strip()

        def work() -> Holding:
            client = self.live.client
            if text:
                client.intercept(text)
            else:
                client.intercept_nothing()
            return client.holding()

        def done(told: Holding) -> None:
            self._take_holds(told)
            self.note_down(f"holding back {clip(text, 100)}" if text else "holding nothing back", aloud=True)

        self.desk.ask("intercept", Job(ASKED, work, done, self.complain))

    def action_release(self) -> None:
        if (number := self._held_number()) is not None:
            self._decide(number, "released", partial(self._release, number))

    def action_drop(self) -> None:
        if (number := self._held_number()) is not None:
            self._decide(number, "dropped", lambda: self.live.client.drop(number))

    def action_release_edited(self) -> None:
        """Open a held call in the editor; it goes on, or by itself, while that is open."""
        if (number := self._held_number()) is not None:
            self.desk.ask("held", Job(ASKED, lambda: self.live.client.held(number), self._edit_held, self.complain))

    def _edit_held(self, held: HeldCall) -> None:
        try:
            text, _ = edited(self, "request.http", f"{held.target}\n\n{held.body}")
        except RespoolError as error:
            self.complain(error)
            return
        target, _, body = text.replace("\r\n", "\n").partition("\n\n")
        if not held.body.endswith("\n"):
            body = body.removesuffix("\n")
        edits = {"target": target.strip() if target.strip() != held.target else None}
        edits["body"] = body if body != held.body else None
        self._decide(held.number, "sent on", partial(self._release, held.number, **edits))

    def _release(self, number: int, **edits: str | None) -> None:
        self.live.client.release(number, **edits)

    def _held_number(self) -> int | None:
        row = self._list.row
        if row is None or row.kind is not Kind.HELD or row.arrival is None:
            self.complain(UsageError("this is no held call", "choose a row that begins with ⏸; i holds calls back"))
            return None
        return row.arrival

    def _decide(self, number: int, word: str, work: Callable[[], None]) -> None:
        def done(_: None) -> None:
            self.note_down(f"call {number:,} was {word}", aloud=True)

        self.desk.ask(f"decide {number}", Job(ASKED, work, done, self.complain))


def _told(held: HeldCall) -> Document:
    text = f"{safe(held.method)} {held.target}\n\n{held.body}"
    return text_document(text, title=f"Held on its way; it goes on by itself in {held.seconds:.0f} s. {KEYS_FOR_HELD}")
