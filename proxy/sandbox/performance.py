"""A run as its script plays it.

Nothing runs in the background: whoever looks at a thread first calls `advance(now)`, and everything that was due by then
happens, stamped with the time at which it was due. A poll, a list and a stream therefore see one and the same run. The
order of events is the one that recordings of the first host show.
"""

import math
from collections.abc import Iterator

from .clock import Instant
from .names import Names
from .shapes import EXPIRES_IN
from .statements import CallTools, Ending, HttpFault, Pace, RunCode, Say, Script, Search, Statement, Tokens, Wait
from .store import Json, Message, Run, Step, Thread
from .wording import annotate, fill, run_usage, split, step_usage

DEFAULT_PACE = 0.02
"""Seconds between two pieces of a message."""
REQUEUED = 0.05
"""Seconds in the queue once tool outputs were submitted."""
CANCELLING = 0.1
"""Seconds between a client's cancel and its effect."""

_REASONS = {"cancel": "run_cancelled", "fail": "run_failed", "error": "run_failed", "drop": "run_failed"}
_REASONS |= {"expire": "run_expired", "incomplete": "max_tokens", "complete": "run_failed"}
_STATUSES = {"cancel": "cancelled", "expire": "expired", "complete": "completed", "incomplete": "incomplete"}
_MESSAGES = {
    "rate_limit_exceeded": "You exceeded your current quota, please check your plan and billing details.",
    "invalid_prompt": "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
}
_STEP_CODES = {"invalid_prompt": "server_error"}
"""A step's error knows fewer codes than its run's."""
_SORRY = "Sorry, something went wrong."


class Performance:
    """One run on its way through its script, until it is over."""

    def __init__(self, thread: Thread, run: Run, names: Names) -> None:
        self._thread = thread
        self._run = run
        self._names = names
        self._at = run.created
        self._expiry = run.created.after(EXPIRES_IN)
        self._program: Iterator[float | None] | None = self._play(run.script)
        self._resting = False
        self._strikes: list[tuple[Instant, Ending]] = []
        self._pace = DEFAULT_PACE
        self._tokens = next((item for item in run.script.statements if isinstance(item, Tokens)), None)
        self._planned = sum(isinstance(item, Say | CallTools | RunCode | Search) for item in run.script.statements)
        self._open_step: Step | None = None
        self._open_message: Message | None = None
        self._spoken = ""
        self._outputs: list[str] = []
        self._calls_made = 0
        self._announce("created")
        self._announce("queued")

    @property
    def next_at(self) -> float:
        """When something happens next, by the clock; infinite once the run is over."""
        return self._due().now if self._run.active else math.inf

    def advance(self, now: float) -> None:
        """Let everything happen that is due by `now`."""
        while self._run.active:
            due = self._due()
            if due.now > now:
                return
            strike = min(self._strikes, key=lambda item: item[0].now, default=None)
            if strike is not None and strike[0].now <= due.now:
                self._at = strike[0]
                self._end(strike[1])
            elif not self._resting and self._program is not None and self._at.now <= due.now:
                self._move(self._program)
            else:
                self._at = due
                self._end(Ending("expire"))

    def submit(self, outputs: dict[str, str], at: Instant) -> None:
        """Take the outputs of the tools, by call id. They were checked to be the ones that are wanted."""
        run, step = self._run, self._open_step
        if step is None or run.required_action is None:
            raise ValueError("the run asks for no tool outputs")
        self._at, self._resting, self._open_step = at, False, None
        for call in step.details["tool_calls"]:
            call["function"]["output"] = outputs[call["id"]]
            self._outputs.append(outputs[call["id"]])
        if run.question is not None:
            self._thread.answered = run.question.id
        run.status, run.required_action = "queued", None
        self._close_step(step, "completed")
        self._announce("queued")

    def cancel(self, at: Instant) -> None:
        """Begin to cancel, as a client asked."""
        self._run.status, self._run.required_action = "cancelling", None
        self._at, self._program = at, None
        self._strikes = [(at.after(CANCELLING), Ending("cancel"))]
        self._announce("cancelling")

    def _due(self) -> Instant:
        times = [self._expiry, *(at for at, _ in self._strikes)]
        if not self._resting and self._program is not None:
            times.append(self._at)
        return min(times, key=lambda at: at.now)

    def _move(self, program: Iterator[float | None]) -> None:
        try:
            pause = next(program)
        except StopIteration:
            self._program = None
            if self._run.active and not self._strikes:
                self._end(Ending("complete"))
            return
        if pause is None:
            self._resting = True
        else:
            self._at = self._at.after(pause)

    def _play(self, script: Script) -> Iterator[float | None]:
        """Each turn is a pause in seconds, or None: until tool outputs come."""
        for place, statement in enumerate(script.statements):
            match statement:
                case Wait("queued", seconds):
                    yield seconds
                case Wait(_, seconds):
                    self._work()
                    yield seconds
                case Pace(seconds):
                    self._pace = seconds
                case Say():
                    self._work()
                    yield from self._say(statement, cut=_is_cut(script.statements[place + 1 :]))
                case CallTools():
                    self._work()
                    yield from self._call(statement)
                    yield REQUEUED
                    self._work()
                case RunCode():
                    self._work()
                    yield from self._compute(statement)
                case Search():
                    self._work()
                    yield from self._search(statement)
                case Ending(after=None):
                    self._end(statement)
                    return
                case Ending(after=seconds):
                    self._strikes.append((self._at.after(seconds or 0.0), statement))
                case _:
                    pass

    def _work(self) -> None:
        run = self._run
        if run.status == "queued":
            run.status = "in_progress"
            run.started_at = run.started_at or int(self._at.stamp)
            self._announce("in_progress")

    def _say(self, statement: Say, *, cut: bool) -> Iterator[float]:
        thread, run = self._thread, self._run
        thread.made += 1
        message = Message(
            id=self._names.make("msg_", thread.id, thread.made),
            thread_id=thread.id,
            created_at=int(self._at.stamp),
            role="assistant",
            content=[],
            attachments=[],
            metadata={},
            assistant_id=run.assistant_id,
            run_id=run.id,
            status="in_progress",
        )
        step = self._open("message_creation", {"message_creation": {"message_id": message.id}})
        thread.messages[message.id] = message
        self._open_message, self._spoken = message, ""
        self._tell_message("created", message)
        self._tell_message("in_progress", message)
        text = fill(statement.text, run.question.text if run.question else "", self._outputs)
        notes = annotate(text, statement.marks)
        for piece in split(text):
            yield self._pace
            block: Json = {"value": piece} | ({} if self._spoken else {"annotations": []})
            start, self._spoken = len(self._spoken), self._spoken + piece
            ready = [note for note in notes if start < note["end_index"] <= len(self._spoken)]
            if ready:
                block["annotations"] = [{"index": notes.index(note), **note} for note in ready]
            content: list[Json] = [{"index": 0, "type": "text", "text": block}]
            for listener in run.listeners:
                listener.hear("thread.message.delta", listener.shape.message_delta(message, content))
        self._close_message(message, "max_tokens" if cut else None, notes)
        self._close_step(step, "completed")

    def _call(self, statement: CallTools) -> Iterator[float | None]:
        run = self._run
        step = self._open("tool_calls", {"tool_calls": []})
        required: list[Json] = []
        for index, call in enumerate(statement.calls):
            yield self._pace
            entry = self._entry(step, "function", {"name": call.name, "arguments": "", "output": None})
            self._tell_delta(step, {"index": index, **entry})
            for piece in split(call.arguments):
                yield self._pace
                self._tell_delta(step, {"index": index, "type": "function", "function": {"arguments": piece}})
            entry["function"]["arguments"] = call.arguments
            function = {"name": call.name, "arguments": call.arguments}
            required.append({"id": entry["id"], "type": "function", "function": function})
        run.status, run.required_action = "requires_action", required
        self._announce("requires_action")
        self._finish_listeners()
        yield None

    def _compute(self, statement: RunCode) -> Iterator[float]:
        step = self._open("tool_calls", {"tool_calls": []})
        yield self._pace
        entry = self._entry(step, "code_interpreter", {"input": "", "outputs": []})
        self._tell_delta(step, {"index": 0, **entry})
        for piece in split(statement.source):
            yield self._pace
            self._tell_delta(step, {"index": 0, "type": "code_interpreter", "code_interpreter": {"input": piece}})
        entry["code_interpreter"]["input"] = statement.source
        if statement.logs is not None:
            yield self._pace
            output: Json = {"type": "logs", "logs": statement.logs}
            entry["code_interpreter"]["outputs"] = [output]
            delta = {"outputs": [{"index": 0, **output}]}
            self._tell_delta(step, {"index": 0, "type": "code_interpreter", "code_interpreter": delta})
        self._close_step(step, "completed")

    def _search(self, statement: Search) -> Iterator[float]:
        step = self._open("tool_calls", {"tool_calls": []})
        yield self._pace
        found: list[Json] = []
        if statement.file_id is not None:
            found = [{"file_id": statement.file_id, "file_name": statement.file_name, "score": 0.9, "content": []}]
        ranking = {"ranker": "default_2024_08_21", "score_threshold": 0.0}
        entry = self._entry(step, "file_search", {"ranking_options": ranking, "results": found})
        self._tell_delta(step, {"index": 0, **entry})
        self._close_step(step, "completed")

    def _entry(self, step: Step, kind: str, body: Json) -> Json:
        self._calls_made += 1
        entry: Json = {"id": self._names.make("call_", self._run.id, self._calls_made), "type": kind, kind: body}
        step.details["tool_calls"].append(entry)
        return entry

    def _open(self, kind: str, details: Json) -> Step:
        run = self._run
        identifier = self._names.make("step_", run.id, len(run.steps) + 1)
        step = Step(identifier, int(self._at.stamp), kind, {"type": kind, **details})
        run.steps[identifier] = self._open_step = step
        self._tell_step("created", step)
        self._tell_step("in_progress", step)
        return step

    def _close_step(self, step: Step, status: str) -> None:
        step.status, step.ended_at = status, int(self._at.stamp)
        step.usage = step_usage(self._run, step, self._spoken, self._tokens, self._planned)
        self._open_step = None
        self._tell_step(status, step)

    def _close_message(self, message: Message, reason: str | None, notes: list[Json]) -> None:
        ready = [note for note in notes if note["end_index"] <= len(self._spoken)]
        if self._spoken or reason is None:
            message.content = [{"type": "text", "text": {"value": self._spoken, "annotations": ready}}]
        message.incomplete_reason = reason
        if reason is None:
            message.status, message.completed_at = "completed", int(self._at.stamp)
        else:
            message.status, message.incomplete_at = "incomplete", int(self._at.stamp)
        self._open_message = None
        self._tell_message(message.status, message)

    def _end(self, ending: Ending) -> None:
        run = self._run
        self._program = None
        status = _STATUSES.get(ending.kind, "failed")
        error: Json | None = None
        if status == "failed":
            code = ending.code or "server_error"
            error = {"code": code, "message": ending.message or _MESSAGES.get(code, _SORRY)}
        if self._open_message is not None:
            self._close_message(self._open_message, _REASONS[ending.kind], [])
        if (step := self._open_step) is not None:
            step.last_error = error and {**error, "code": _STEP_CODES.get(error["code"], error["code"])}
            self._close_step(step, "completed" if status == "incomplete" else status)
        run.status, run.last_error, run.required_action = status, error, None
        run.ended_at = int(self._at.stamp)
        run.incomplete_reason = ending.code if status == "incomplete" else None
        run.usage = run_usage(run, self._tokens)
        if ending.kind == "error" and error is not None:
            data = {"message": error["message"], "type": "server_error", "param": None, "code": None}
            for listener in run.listeners:
                listener.hear("error", data)
        else:
            self._announce(status)
        self._finish_listeners(dropped=ending.kind == "drop")

    def _finish_listeners(self, *, dropped: bool = False) -> None:
        for listener in self._run.listeners:
            listener.finish(dropped=dropped)
        self._run.listeners.clear()

    def _announce(self, status: str) -> None:
        for listener in self._run.listeners:
            listener.hear(f"thread.run.{status}", listener.shape.run(self._run))

    def _tell_step(self, status: str, step: Step) -> None:
        for listener in self._run.listeners:
            listener.hear(f"thread.run.step.{status}", listener.shape.step(self._run, step))

    def _tell_delta(self, step: Step, call: Json) -> None:
        for listener in self._run.listeners:
            listener.hear("thread.run.step.delta", listener.shape.step_delta(step, [call]))

    def _tell_message(self, status: str, message: Message) -> None:
        for listener in self._run.listeners:
            listener.hear(f"thread.message.{status}", listener.shape.message(message))


def _is_cut(rest: tuple[Statement, ...]) -> bool:
    """Whether an `incomplete` comes next, which leaves the message before it unfinished."""
    following = next((statement for statement in rest if not isinstance(statement, Tokens | Pace | HttpFault)), None)
    return isinstance(following, Ending) and following.kind == "incomplete" and following.after is None
