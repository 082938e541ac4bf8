"""Performs a recording's writes anew against a live upstream, and compares what is answered with what was recorded.

Threads come one after another. Each goes through its agenda (see `cassettes.agenda`): writes are sent with the ids that the
upstream gave, runs are waited for by their state, reads are made once. Calls to collections (assistants, files) are made
before the first call of a thread that came later, but for deletions, which come last.

- A write to something that the recording did not create, and that no given pair of ids names, is not performed: it might be
  somebody's. Nor are the threads that the recording only joined.
- When a write that went well is refused, or a run goes where the recording's next write makes no sense, the rest of that
  thread is left: what follows would tell the same again.
- A 429 or 503 is waited out. One that was recorded is performed, but the upstream need not repeat it: if it does not, its
  answer is compared with the one to the client's retry.

What is created upstream is remembered, so that `clean_up` can delete it.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeGuard

from ..cassettes.drift.agenda import OVER, SETTLED, SUBMIT, Act, Item, Run, Wait, agenda, call_name, names_something
from ..cassettes.drift.answers import Answer, Known, compare, run_differences
from ..cassettes.drift.findings import Findings
from ..cassettes.drift.shapes import PASSING, Unlike
from ..cassettes.errors import CassetteError, UpstreamError
from ..cassettes.ids import LEAST, IdMap, align, objects
from ..cassettes.interaction import End, Headers, Interaction, Request
from ..cassettes.operations import split_target
from ..cassettes.reader import Reader
from ..cassettes.renaming import is_id
from ..cassettes.summary import CREATES
from ..cassettes.text import clip
from ..cassettes.variants import beta_of
from .leavings import Leavings
from .performer import Caller, Live, Performer, Unrepeatable, answer_of, run_look
from .upstream import Broken, Upstream

NO_ROOM = frozenset({429, 503})

Narrate = Callable[[str], None]
Progress = Callable[[int, int], None]


class Drift:
    """One performance. `findings` may be looked at when it was ended early, too."""

    def __init__(
        self,
        recording: Reader,
        upstream: Upstream,
        *,
        ids: IdMap,
        headers: Headers,
        narrate: Narrate,
        patience: float,
        progress: Progress | None = None,
    ) -> None:
        self.findings = Findings()
        self.threads = self.writes = self.reads = 0
        self.left_out = 0
        """Reads that were not made, since the upstream never told what they name."""
        self._recording = recording
        self._ids = ids
        self._caller = Caller(upstream.origin.base.encode(), headers)
        self._narrate = narrate
        self._performer = Performer(upstream, ids, patience=patience)
        self._progress = progress
        self._known = Known()
        self._runs: dict[str, Run] = {}
        """The last that the upstream told of each run, in the recording's words."""
        self._shared: deque[tuple[str, Act]] = deque()
        self._last: list[tuple[str, Act]] = []
        """Deletions from collections."""
        self._leavings = Leavings(self._performer, self._caller)
        self._done = self._total = 0

    async def perform(self, threads: list[str], *, alone: bool = False) -> None:
        """Perform these threads and what they share; `alone`: of the latter only what came before their end.

        Raises UpstreamError when the upstream cannot be reached, fails or refuses the credentials; CassetteError.
        """
        self._share([scope for scope in self._recording.scopes() if scope.startswith("/")])
        self._total = len(self._shared) + sum(len(self._recording.rows_of_scope(thread)) for thread in threads)
        await self._learn_shapes()
        try:
            for thread in threads:
                await self._thread(thread)
            if not alone:
                await self._share_until(None)
            for scope, act in self._last:
                await self._act(scope, act, deque())
        except Broken as error:
            raise UpstreamError(str(error)) from None
        except Unrepeatable as error:
            raise CassetteError(error.message, error.hint) from None

    async def clean_up(self) -> None:
        """Delete what was created upstream and is still there. What cannot be deleted is named."""
        await self._leavings.delete(self._narrate)

    def _share(self, collections: Iterable[str]) -> None:
        calls = [
            (scope, item)
            for scope in collections
            for item in agenda(self._recording, self._recording.rows_of_scope(scope))
            if isinstance(item, Act)
        ]
        self._shared = deque(sorted(calls, key=lambda call: call[1].arrival))

    async def _learn_shapes(self) -> None:
        told: set[tuple[int, int, int]] = set()
        for number, row in enumerate(self._recording.rows()):
            if number % 64 == 0:
                await asyncio.sleep(0)  # a signal gets its turn
            summary = row.summary
            if (
                one := (summary.key, summary.variant, summary.answer)
            ) not in told:  # a poll tells the same again and again
                told.add(one)
                recorded = self._recording.interaction(row)
                if (answer := _recorded_answer(recorded)) is not None:
                    self._known.add(answer, call_name(recorded.request), str(beta_of(summary.variant)))

    async def _thread(self, thread: str) -> None:
        self.threads += 1
        self._narrate(f"respool: performing {clip(thread, 80)}")
        rows = self._recording.rows_of_scope(thread)
        left = deque(agenda(self._recording, rows))
        steps = len(left) or 1
        told = 0
        while left:
            item = left.popleft()
            await self._share_until(item.arrival)
            going = await (self._wait(thread, item) if isinstance(item, Wait) else self._act(thread, item, left))
            if not going:
                if left:
                    self._narrate(
                        f"respool: the rest of {clip(thread, 80)} is not performed: it builds on what differs"
                    )
                break
            done = len(rows) * (steps - len(left)) // steps
            self._advance(done - told)
            told = done
        self._advance(len(rows) - told)

    async def _share_until(self, arrival: int | None) -> None:
        while self._shared and (arrival is None or self._shared[0][1].arrival < arrival):
            scope, act = self._shared.popleft()
            self._advance(1)
            if act.recorded.request.method == "DELETE":
                self._last.append((scope, act))
            else:
                await self._act(scope, act, deque())

    def _advance(self, steps: int) -> None:
        self._done += steps
        if self._progress is not None and steps:
            self._progress(min(self._done, self._total), self._total)

    async def _act(self, scope: str, act: Act, left: deque[Item]) -> bool:
        """Make one call anew. False where the rest of the scope makes no sense after it."""
        if act.writes and not self._may(scope, act):
            self._narrate(f"respool: {act.name} is not performed: the recording did not create what it changes")
            return True
        went_well = act.row.summary.status < 400 and not act.unlucky
        if went_well and not act.writes and not self._has_told(act):
            self.left_out += 1
            return True
        if act.operation == SUBMIT and went_well and not self._fits(act):
            return False
        self.writes += act.writes
        self.reads += not act.writes
        live = await self._call(act.recorded, frozenset() if act.unlucky else NO_ROOM)
        self._leavings.note(act.recorded.request, live, self._ids)
        if act.unlucky and live.status < 400:
            retry = _retry(act, left)
            if retry is None:
                await self._stop_runs(act, live)
                return True
            self._compare(scope, retry, live)
            self._learn(retry, live)
        elif not act.unlucky or act.row.summary.status == live.status:
            self._compare(scope, act, live)
            self._learn(act, live)
        if act.row.summary.flags & CREATES and live.status < 400 and not self._ids.knows_old(scope):
            return False  # an answer that names no thread: what follows would go to one of the recorded name
        return live.status < 400 or not act.writes or not went_well

    async def _wait(self, thread: str, wait: Wait) -> bool:
        """Wait for a run. False where it came to a state in which the recording's next write makes no sense."""
        if not self._ids.knows_old(wait.run_id):
            return False  # the call that made it was answered in a way that tells no run
        known = self._runs.get(wait.run_id, {})
        if wait.read is None and known.get("status") in wait.states:
            return True  # a stream told it
        look = wait.read.recorded if wait.read else run_look(thread, wait.run_id, wait.like.recorded.request)
        self.reads += 1
        status: object = None
        async for live in self._performer.polls(look, self._caller, waits_out=NO_ROOM):
            _refused(live)
            run = _run_in(live, self._ids)
            if live.status != 200 or not isinstance(run.get("status"), str):
                self._found(
                    thread, wait, Unlike("run state", "$.status", _listed(wait.states), f"no run ({live.status})", ())
                )
                return False
            if run["status"] != status and run["status"] not in SETTLED | PASSING:
                told = clip(str(run["status"]), 80)
                self._found(thread, wait, Unlike("run state", "$.status", "a known state", told, ("state", told)))
            status = run["status"]
            if status in wait.states or (status in SETTLED and status not in wait.through):
                return self._reached(thread, wait, live, run)
        told = f"still {clip(str(status), 80)} after {self._performer.patience:g} s"
        self._found(thread, wait, Unlike("time limit", "$.status", _listed(wait.states), told, ()))
        return False

    def _reached(self, thread: str, wait: Wait, live: Live, run: Run) -> bool:
        """Compare a run that waits or is over. False as above."""
        status, read = run["status"], wait.read
        self._ids.learn(align(json.dumps(wait.run).encode(), live.body, b"application/json", self._ids))
        self._note_runs(live)
        same = status == wait.run.get("status")
        if read is not None:
            self._compare(thread, read, live, loose=not same)
        if read is None or read.loose or not same:
            if wait.run.get("status") in SETTLED:
                for unlike in run_differences(wait.run, self._runs.get(wait.run_id, run)):
                    self._found(thread, wait, unlike)
            elif status not in wait.states:
                self._found(
                    thread, wait, Unlike("run state", "$.status", _listed(wait.states), clip(str(status), 80), ())
                )
        return status in wait.states or (status in OVER and wait.states <= OVER)

    async def _call(self, recorded: Interaction, waits_out: frozenset[int]) -> Live:
        live = await self._performer.call(recorded, self._caller, waits_out=waits_out, keep_cut=True)
        _refused(live)
        return live

    def _compare(self, scope: str, act: Act, live: Live, *, loose: bool = False) -> None:
        recorded = _recorded_answer(act.recorded)
        if recorded is None:
            return
        heard = Answer(live.status, live.kind, self._ids.to_old(live.body), live.cut)
        loose = loose or act.loose
        for unlike in compare(recorded, heard, self._known, operation=act.name, version=act.version, loose=loose):
            self._found(scope, act, unlike)

    def _found(self, scope: str, item: Item, unlike: Unlike) -> None:
        call = item.name if isinstance(item, Act) else "getRun"
        self.findings.add(unlike, scope=scope, number=item.number, call=call, arrival=item.arrival)

    def _learn(self, act: Act, live: Live) -> None:
        """Take in which ids belong together, and what the upstream tells of runs."""
        if live.status < 400 and not act.loose:
            body, kind = answer_of(act.recorded)
            self._ids.learn(align(body, live.body, kind, self._ids))
        self._note_runs(live)

    def _note_runs(self, live: Live) -> None:
        for value in objects(self._ids.to_old(live.body), live.kind):
            if value.get("object") == "thread.run" and isinstance(value.get("id"), str):
                self._runs[str(value["id"])] = value

    def _may(self, scope: str, act: Act) -> bool:
        """Whether a write touches only what is the recording's own. A thread was chosen with that in mind."""
        segments = split_target(act.recorded.request.target)[1].decode("utf-8", "replace").split("/")
        named = [segment for segment in segments[2:] if names_something(segment)]
        return not scope.startswith("/") or act.row.summary.status >= 400 or all(map(self._ids.knows_old, named))

    def _has_told(self, act: Act) -> bool:
        """Whether the upstream ever told what a read names; if not, that differed before."""
        names = [act.ids[name] for name in ("run_id", "message_id", "step_id") if name in act.ids]
        return all(map(self._ids.knows_old, names))

    def _fits(self, act: Act) -> bool:
        """Whether the upstream's run waits for just the outputs that were recorded."""
        run = self._runs.get(act.ids["run_id"], {})
        asked = {value["tool_call_id"] for value in _sent(act) if isinstance(value.get("tool_call_id"), str)}
        waits_for = {value.get("id") for value in objects(json.dumps(run.get("required_action")).encode(), _JSON)}
        return run.get("status") == "requires_action" and asked == waits_for - {None}

    async def _stop_runs(self, act: Act, live: Live) -> None:
        """A call that failed when it was recorded went well, and nobody goes on with its run: it is in the way."""
        for value in list(objects(live.body, live.kind)):
            thread, run = value.get("thread_id"), value.get("id")
            if value.get("object") != "thread.run" or not (_plain(thread) and _plain(run)):
                continue
            look = run_look(thread, run, act.recorded.request)
            cancel = Request(
                "POST", look.request.target.replace(run.encode(), run.encode() + b"/cancel"), look.request.headers
            )
            await self._call(Interaction(0, 0, cancel, None), NO_ROOM)
            async for told in self._performer.polls(look, self._caller, waits_out=NO_ROOM):
                if told.status != 200 or _run_in(told, self._ids).get("status") in OVER:
                    break
            return


_JSON = b"application/json"


def _plain(name: object) -> TypeGuard[str]:
    return isinstance(name, str) and is_id(name.encode("utf-8", "replace"), least=LEAST)


def _recorded_answer(recorded: Interaction) -> Answer | None:
    response = recorded.response
    if response is None or recorded.end is End.UPSTREAM_FAILED:
        return None
    body, kind = answer_of(recorded)
    return Answer(response.status, kind, body, "" if recorded.end is End.COMPLETE else "broke off")


def _retry(act: Act, left: deque[Item]) -> Act | None:
    """The client's retry of a call that failed by bad luck: the same write, with nothing but failures of it in between."""
    while (again := next((item for item in left if isinstance(item, Act) and item.writes), None)) is not None:
        if again.row.summary.key != act.row.summary.key:
            return None
        left.remove(again)
        if not again.unlucky:
            return again
    return None


def _refused(live: Live) -> None:
    if live.status == 401:
        raise UpstreamError(
            "the upstream refused the credentials (401)",
            "set OPENAI_API_KEY, or give them with --header 'Name: value'",
        )


def _run_in(live: Live, ids: IdMap) -> Run:
    return next(objects(ids.to_old(live.body), _JSON), {})


def _sent(act: Act) -> Iterable[dict[str, object]]:
    return objects(act.recorded.request.body.read(), _JSON)


def _listed(states: frozenset[str]) -> str:
    return " or ".join(sorted(states))
