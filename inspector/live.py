"""The inspector attached to a running proxy: what comes is shown as it comes, in the panels that show a cassette.

Events wait in the feed and are taken a few times a second, for so long that no frame is held up; what they change is read
again in the thread that reads, each thread no more often than reading it costs. A pause leaves them waiting.
"""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from textual.content import Content
from textual.widgets import Static

from ..cassettes.errors import UsageError
from ..cassettes.interaction import Interaction
from ..cassettes.notes import Notes
from ..cassettes.reader import Reader
from ..cassettes.summary import Row as IndexRow
from ..cassettes.text import clip
from ..proxy.control import protocol
from ..proxy.control.client import Client
from ..proxy.control.protocol import Call, Snapshot
from .desk import ASKED, SHOW, Job
from .feed import Feed, Fresh, Item, Lost
from .following import FollowingList
from .headline import head_of, with_call
from .help import HelpScreen
from .holding import Holds
from .keys import EVERYWHERE, LIST, LIVE, PANEL, bindings
from .list_pane import ListPane
from .live_notes import notes_for
from .live_recording import LiveRecording
from .outline import Kind, Outline, Row
from .requests import here
from .shelf import Shelf
from .stories import Story, tell
from .tabs import Tab

TICK_SECONDS = 0.1
MOST_TICK_SECONDS = 0.02
"""How long events are taken in at a time."""
CALM = 4
"""How many times longer than reading a thread took, it is left alone before it is read again."""
RENEW_SECONDS = 0.25
"""How long a thread is left alone at least before it is read again."""
SNAPSHOT_SECONDS = 2.0


class LiveInspector(Holds):
    """An `Inspector` of a `LiveRecording`. `connect` makes a client of the proxy, or raises RespoolError."""

    BINDINGS = bindings(LIVE)
    KEY_PLACES = (EVERYWHERE, LIVE)
    EMPTY = "No calls have come yet."

    def __init__(self, connect: Callable[[], Client], keymap: Mapping[str, str] | None = None) -> None:
        self.live = LiveRecording(Path("live"))
        self.begin_misses()
        self.begin_holds()
        super().__init__(cast(Reader, self.live), keymap)  # it has all of a reader that the panels ask for
        self.feed = Feed(connect)
        self.paused = False
        self._list: FollowingList
        self._lost = "attaching"
        self._snapshot: Snapshot | None = None
        self._dirty: dict[str, float] = {}
        """Scopes that are to be read again, and from when on."""
        self._cost: dict[str, float] = {}
        self._asked = 0.0
        self._said = ""

    def list_pane(self) -> ListPane:
        return FollowingList(self._outline, self.notes)

    def notes_of(self, recording: Reader) -> tuple[Notes, str]:
        """Marks are for this sight alone until it is known what the proxy records into."""
        return Notes(recording.path), "no proxy is attached yet"

    def tell_problems(self) -> None:
        """Nothing, before a mark is made."""

    def on_mount(self) -> None:
        self._name = self.query_one("#name", Static)
        gc.freeze()  # what was loaded by now stays: looking at it again takes the collector longer than a frame
        self.feed.start()
        self.set_interval(TICK_SECONDS, self.tick)

    def on_unmount(self) -> None:
        self.feed.close()
        self.live.close()

    # What comes

    def tick(self) -> None:
        """Take in what waits, for a while; have what it changed read again."""
        if self._leaving:
            return
        grown: list[Row] = []
        collections: list[str] = []
        if not self.paused:
            until = time.perf_counter() + MOST_TICK_SECONDS
            while (item := self.feed.take()) is not None:
                for scope in self._take(item):
                    self._touch(scope, grown, collections)
                if isinstance(item, Fresh) or time.perf_counter() > until:
                    break
        if (grown := [*grown, *self.take_coming()]) or collections:
            self._list.grow(grown, collections)
        self._read_again()
        self._follow()
        self._ask_snapshot()
        self.count_down()
        self._tell_head()

    def _take(self, item: Item) -> list[str]:
        """Take in one; returns the scopes that changed."""
        live = self.live
        match item:
            case Fresh():
                return self._begin(item)
            case Lost(why):
                if self._lost != why:
                    self.note_down(f"! {clip(why, 300)}: trying again")
                self._lost = why
            case protocol.CallBegun():
                scope = live.start(item)
                return [] if scope.startswith("/") else [scope]  # a thread may come of it: its answer tells
            case protocol.CallHeaded():
                grown = live.grow(item.number, item.scope, status=item.status, stream=item.stream)
                return [scope for scope in grown if not scope.startswith("/")]
            case protocol.CallGrew():
                return [scope for scope in live.grow(item.number, item.scope) if not scope.startswith("/")]
            case protocol.CallFinished():
                return self._ended(item.call)
            case protocol.CallLost():
                scope = live.lose(item.number)
                return [scope] if scope is not None else []
            case protocol.CallHeld():
                self.hold(item)
            case protocol.CallLetGo():
                self.let_go(item.number, item.noted)
            case protocol.MissTold():
                self.missed(item.call, item.why)
            case protocol.SessionReset():
                self.note_down(f"session {clip(item.session, 100)} begins anew")
            case protocol.Finished():
                self.note_down("the proxy stops")
            case _:
                pass
        return []

    def _begin(self, fresh: Fresh) -> list[str]:
        """The proxy was read anew: all that is known is what it says now, if it is another run of it."""
        snapshot = fresh.snapshot
        again = self._snapshot is not None and self._snapshot.instance == snapshot.instance
        if again:
            self.live.reconnect(fresh.client)
        else:
            self.live.begin(fresh.client)
            self.notes, self._problem = notes_for(snapshot, fresh.client.address, self.live.record_of)
            self._list.notes = self.notes
            self._forget_all()
        if self._lost:
            self.note_down(f"attached to {clip(snapshot.address or snapshot.mode, 200)}")
        self._lost, self._snapshot = "", snapshot
        self.live.replays = snapshot.mode == "replay"
        self.live.meta = {"upstream": snapshot.upstream} if snapshot.upstream else {}
        self.ask_holds()
        changed: dict[str, None] = {}
        for call in fresh.calls:
            for scope in self._ended(call, counts=False):
                changed[scope] = None
            if call.how == "miss" and call.number not in self.live.why:
                self.missed(call, "")
        for begun in fresh.running:
            if not (scope := self.live.start(begun)).startswith("/"):
                changed[scope] = None
        return list(changed)

    def _forget_all(self) -> None:
        self._outline = self._list.outline = Outline(())
        self._shelf = Shelf()
        self._dirty.clear()
        self._cost.clear()
        self.begin_misses()
        self._held.clear()
        self._opening.clear()
        self._list.clear()
        self.choose(None)
        if self._search is not None:
            self._begin_filter(self._search.text)

    def _ended(self, call: Call, *, counts: bool = True) -> list[str]:
        running = self.live.scope_of(call.number) or ""
        scope = self.live.take(call)
        if scope is None:
            return []
        self.look_at(IndexRow(call.summary(), call.number))
        if counts:
            self._count(call)
            if not self._list.following:
                self._list.unseen += 1
        if running == scope or running not in self._cost:
            return [scope]
        if self.live.rows_of_scope(running):
            return [running, scope]
        del self._cost[running]  # the call was thought to be this thread's while it was under way
        self._list.withdraw(Row(Kind.THREAD, running))
        return [scope]

    def rows_to_search(self) -> Sequence[IndexRow]:
        """A call that goes on is looked at when it has ended."""
        return self.live.ended()

    def found_in(self, scopes: set[str]) -> None:
        for scope in scopes:
            self._dirty.setdefault(scope, 0.0)  # what is open there has more to show

    def _count(self, call: Call) -> None:
        if self._snapshot is not None:
            self._snapshot = with_call(self._snapshot, call)

    def _touch(self, scope: str, grown: list[Row], collections: list[str]) -> None:
        """Something of a scope is new."""
        known = Row(Kind.COLLECTION if scope.startswith("/") else Kind.THREAD, scope)
        if scope not in self._cost:
            self._cost[scope] = 0.0
            if scope.startswith("/"):
                collections.append(scope)
            else:
                grown.append(known)
        self._dirty.setdefault(scope, time.monotonic() + self._cost[scope])

    # What is read again

    def _read_again(self) -> None:
        """Have the stories made anew that are looked at; the others are forgotten and read when they are asked for."""
        now = time.monotonic()
        chosen = self._chosen.scope if self._chosen is not None else None
        for scope, due in list(self._dirty.items()):
            row = Row(Kind.COLLECTION if scope.startswith("/") else Kind.THREAD, scope)
            if scope != chosen and not self._outline.is_open(row) and scope not in self._opening:
                del self._dirty[scope]
                self._shelf.forget(scope)
                self._outline.forget(row)
                continue
            name = f"renew {scope}"
            if now < due or self.desk.asked(name):
                continue
            del self._dirty[scope]
            self.desk.ask(name, Job(SHOW, lambda scope=scope: self._retold(scope), self._renewed, self.complain))

    def _retold(self, scope: str) -> tuple[Story, float]:
        """In the thread that reads."""
        began = time.monotonic()
        story = tell(self.live, scope, lambda: not self._leaving)
        if self._text.tab in {Tab.MESSAGES, Tab.TOOLS}:
            story.lay(self._text.tab, self._text.width)
        return story, time.monotonic() - began

    def _renewed(self, told: tuple[Story, float]) -> None:
        story, took = told
        row = story.branch.row
        self._cost[row.scope] = max(took * CALM, RENEW_SECONDS)
        if (gone := self._shelf.put(story)) is not None:
            self._outline.forget(gone)
        self._list.renew(story.branch)
        if row.scope in self._opening:
            del self._opening[row.scope]
            self._list.open(row)
        if self._chosen is not None and self._list.row is not None and self._chosen != self._list.row:
            self.choose(self._list.row)  # the chosen one is folded into another row by now
        chosen = self._chosen
        if chosen is not None and chosen.scope == row.scope and chosen.kind not in {Kind.MISS, Kind.HELD}:
            ended = chosen.arrival is not None and not self.live.is_running(chosen.arrival)
            if self._text.tab in {Tab.MESSAGES, Tab.TOOLS} or not ended:
                self._text.stay()
                self.choose(self._list.row if self._list.following else chosen)
        self._follow()

    def _follow(self) -> None:
        """Where the cursor is at the end, keep it there, and have the newest thread open."""
        pane = self._list
        if not pane.following or not self._outline.rows:
            return
        newest = next((row for row in reversed(self._outline.rows) if row.kind is Kind.THREAD), None)
        last = self._outline.rows[pane.newest()]
        if (
            newest is not None
            and last == newest
            and not self._outline.is_open(newest)
            and newest.scope not in self._opening
        ):
            self._open(newest)
        if pane.follow() or (self._chosen is None and pane.row is not None):
            if self._chosen is not None and pane.row is not None and self._chosen.scope == pane.row.scope:
                self._text.stay()
            self.choose(pane.row)

    def _ask_snapshot(self) -> None:
        now = time.monotonic()
        if self._lost or now - self._asked < SNAPSHOT_SECONDS or self.desk.asked("snapshot"):
            return
        self._asked = now
        self.desk.ask(
            "snapshot",
            Job(
                ASKED,
                lambda: self.live.client.snapshot(),  # noqa: PLW0108 - the client may be another by then
                self._counted,
                lambda _: None,
            ),
        )

    def _counted(self, snapshot: Snapshot) -> None:
        if self._snapshot is not None and self._snapshot.instance == snapshot.instance and not self.feed.waiting:
            self._snapshot = snapshot

    def _tell_head(self) -> None:
        words = [self.holding_words, head_of(self._snapshot, lost=self._lost)]
        if self.paused:
            more = "+" if self.feed.full else ""
            words.insert(0, f"PAUSED, {self.feed.waiting:,}{more} waiting (p to go on)")
        text = " · ".join(filter(None, words))  # what a person has to do with comes first: the end may not fit
        if text == self._said:
            return
        self._said = text
        self._name.update(Content.assemble((" respool ", "bold reverse"), "  ", text))

    # What is asked for

    def way_of(self, call: Interaction) -> str:
        if self.through or self._snapshot is None:
            return super().way_of(call)
        way = here(self._snapshot.address)
        if not way:
            raise UsageError(
                f"the proxy says that its port is {clip(self._snapshot.address, 100)}, which is not on this machine",
                "your credentials go there with a call: if you trust it, give `--through URL`",
            )
        return way

    def action_help(self) -> None:
        self.push_screen(HelpScreen(LIST if self.focused is self._list else PANEL, self.keys, LIVE))

    def action_pause(self) -> None:
        self.paused = not self.paused
        self._tell_head()
