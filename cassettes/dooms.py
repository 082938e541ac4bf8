"""The runs of one session that faults by meaning have struck, and how its answers change for them.

A run is counted when the answer to its creation is served, and only if the recording completes it. `requires_action again`
goes through three states: until its first tool outputs are submitted all is as recorded; then the run asks once more, under
new call ids, in polls or in the stream that answers the submission; when these are submitted too, the recorded submission's
answer is served and the rest is as recorded.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from .courses import Course, Json, Line, course_of, is_stream, run_created
from .fault_rules import AskAgain, Rule, RunEnds
from .faults import Counts
from .interaction import Response
from .meanings import GONE, Ended, dumps, slices, spell
from .models import parse, read
from .operations import find_operation, split_target
from .scopes import CREATIONS
from .summary import Row

MOST_RUNS = 1_000
"""Runs of a session that are struck; later ones go as recorded."""

_CREATE_RUN, _GET_RUN, _SUBMIT = 11, 12, 14
_BEGINNINGS = (*CREATIONS, _CREATE_RUN)


@dataclass(frozen=True, slots=True)
class Altered:
    """Another body (and status) for a recorded answer. `kept` bytes at its beginning are the recorded stream's."""

    status: int
    body: bytes
    rules: tuple[Rule, ...]
    kept: int = 0


@dataclass(frozen=True, slots=True)
class _Ending:
    rule: Rule
    ended: Ended


class _Question:
    """A run that asks once more."""

    def __init__(self, rule: Rule, course: Course) -> None:
        self.rule = rule
        self.course = course
        self.open = False
        self.submitted: Row | None = None
        self._asked = course.asked[-1][1]
        self.ids: dict[str, str] = {}

    def begin(self, row: Row) -> None:
        """The recorded outputs were submitted by the call of `row`."""
        before = [run for arrival, run in self.course.asked if arrival < row.summary.arrival]
        self._asked = before[-1] if before else self._asked
        self.ids = {name: _other(name) for name in _call_ids(self._asked)}
        self.submitted, self.open = row, bool(self.ids)

    def run(self) -> Json:
        """The run as it asks now."""
        return _renamed(self._asked, self.ids)

    def stream(self, response: Response) -> bytes:
        """The events by which it asks in the answer to the submission: those of its first question, under new ids."""
        steps = [
            item["id"]
            for item in (part.data for part in slices(self.course.asking_stream))
            if isinstance(item, dict)
            and item.get("object") == "thread.run.step"
            and item.get("run_id") == self.course.run
            and item.get("status") == "in_progress"
            and isinstance(item.get("id"), str)
        ]
        names = self.ids | ({steps[-1]: _other(steps[-1])} if steps else {})
        asking = [
            spell(part.name, _renamed(part.data, names))
            for part in slices(self.course.asking_stream)
            if isinstance(part.data, dict) and steps and part.data.get("id") == steps[-1]
        ]
        first: list[bytes] = []
        for part in slices(response.body.read()):
            if part.name not in {"thread.run.step.completed", "thread.run.queued", "thread.run.in_progress"}:
                break
            first.append(spell(part.name, part.data))
        last = [spell("thread.run.requires_action", self.run()), spell("done", "[DONE]")]
        return b"".join(first + asking + last)


class Dooms:
    """What `alter` and `answer` know of one session."""

    def __init__(self, counts: Counts, recording: Line) -> None:
        self._counts = counts
        self._recording = recording
        self._decided: dict[str, list[Rule]] = {}
        """The rules that strike each run, whether they find something to change or not."""
        self._endings: dict[str, _Ending] = {}
        self._questions: dict[str, _Question] = {}

    def alter(self, row: Row, response: Response) -> Altered | None:
        """What is served instead of a recorded answer; None where it is served as it was."""
        try:
            return self._alter(row, response)
        except RecursionError:
            return None  # so deep that it can be read, but not be written again: nothing of the API's is

    def _alter(self, row: Row, response: Response) -> Altered | None:
        if 200 <= row.summary.status < 300 and row.summary.operation in _BEGINNINGS:
            self._meet(row, response)
        if not (self._endings or self._questions) or not 200 <= row.summary.status < 300:
            return None
        arrival = row.summary.arrival
        for question in self._questions.values():
            if question.submitted is not None and question.submitted.summary.arrival == arrival and question.open:
                if is_stream(response):
                    return Altered(200, question.stream(response), (question.rule,))
                return None
        for ending in self._endings.values():
            if ending.ended.stream and ending.ended.arrival == arrival:
                return Altered(row.summary.status, ending.ended.stream, (ending.rule,), ending.ended.kept)
        return self._rewritten(row, response)

    def submit(self, row: Row, target: bytes) -> None:
        """A recorded call is about to be served: note where it submits the outputs of a run that will ask again."""
        if row.summary.operation != _SUBMIT or not self._questions or row.summary.status >= 300:
            return
        question = self._question(target)
        if question is not None and question.submitted is None:
            question.begin(row)

    def answer(self, method: str, target: bytes, body: bytes) -> Altered | Row | None:
        """What a call gets past the recording: the run as it asks, or the row that answers its second submission."""
        if not any(question.open for question in self._questions.values()):
            return None
        operation, _ = find_operation(method, split_target(target)[1])
        question = self._question(target)
        if operation is None or question is None or not question.open:
            return None
        if operation.number == _GET_RUN:
            return Altered(200, dumps(question.run()).encode(), (question.rule,))
        if operation.number != _SUBMIT:
            return None
        given = _outputs(parse(body))
        if sorted(given) != sorted(question.ids.values()):
            said = f"Expected tool outputs for call_ids {list(question.ids.values())}"
            error = {"message": said, "type": "invalid_request_error", "param": "tool_outputs", "code": None}
            return Altered(400, dumps({"error": error}).encode(), (question.rule,))
        question.open = False
        return question.submitted

    def _question(self, target: bytes) -> _Question | None:
        parts = split_target(target)[1].split(b"/")
        return self._questions.get(parts[4].decode("latin-1")) if len(parts) > 4 else None

    def _meet(self, row: Row, response: Response) -> None:
        """Decide over the run that this answer creates."""
        run = run_created(response)
        if not run or run in self._decided or len(self._decided) >= MOST_RUNS:
            return
        for rule in self._decide(run, row, self._counts.run()):
            self._counts.tell(rule)

    def follow(self, pairs: list[tuple[Row, Row]]) -> None:
        """Calls that were answered stand for other recorded ones now: what was decided over their runs goes with them."""
        met: list[tuple[Row, str, list[Rule], _Question | None]] = []
        for old, new in pairs:
            if old.summary.operation not in _BEGINNINGS or new.summary.operation not in _BEGINNINGS:
                continue
            before, after = (run_created(each) if each else "" for each in map(self._response, (old, new)))
            rules = self._decided.pop(before, None)
            self._endings.pop(before, None)
            question = self._questions.pop(before, None)
            if rules is not None and after:
                met.append((new, after, rules, question))
        for row, run, rules, before in met:
            self._decide(run, row, rules)
            question = self._questions.get(run)
            if before is None or question is None or before.submitted is None:
                continue
            submitted = before.submitted
            question.begin(next((new for old, new in pairs if old == submitted), submitted))
            question.ids = dict(zip(question.ids, before.ids.values(), strict=False))  # as the client was told
            question.open = before.open

    def _response(self, row: Row) -> Response | None:
        return self._recording.interaction(row).response

    def _decide(self, run: str, row: Row, rules: list[Rule]) -> list[Rule]:
        """Let rules strike the run that the call of `row` creates; returns those that find something to change."""
        self._decided[run] = rules
        course = course_of(self._recording, row, run) if rules else None
        if course is None:
            return []
        struck: list[Rule] = []
        for rule in rules:
            if isinstance(rule.effect, RunEnds) and (ended := Ended.of(course, rule.effect)) is not None:
                self._endings[run] = _Ending(rule, ended)
            elif isinstance(rule.effect, AskAgain) and course.asked:
                self._questions[run] = _Question(rule, course)
            else:
                continue
            struck.append(rule)
        return struck

    def _rewritten(self, row: Row, response: Response) -> Altered | None:
        value = before = read(response.body)
        rules: list[Rule] = []
        for ending in self._endings.values():
            after = ending.ended.rewrite(value)
            if after is GONE:
                error = {
                    "message": "No such object: the run ended before it was made.",
                    "type": "invalid_request_error",
                }
                body = dumps({"error": error | {"param": None, "code": None}}).encode()
                return Altered(404, body, (ending.rule,))
            if after is not value:
                rules.append(ending.rule)
            value = after
        return None if value is before else Altered(row.summary.status, dumps(value).encode(), tuple(rules))


def _call_ids(run: Json) -> list[str]:
    action = run.get("required_action")
    wanted = action.get("submit_tool_outputs") if isinstance(action, dict) else None
    calls = wanted.get("tool_calls") if isinstance(wanted, dict) else None
    return [
        call["id"]
        for call in (calls if isinstance(calls, list) else [])
        if isinstance(call, dict) and isinstance(call.get("id"), str)
    ]


def _outputs(body: Any) -> list[str]:
    given = body.get("tool_outputs") if isinstance(body, dict) else None
    return [
        str(item.get("tool_call_id")) for item in (given if isinstance(given, list) else []) if isinstance(item, dict)
    ]


def _other(name: str) -> str:
    """Another id of the same kind and length, the same each time."""
    kind, mark, rest = name.rpartition("_")
    return (
        kind + mark + hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=32).hexdigest()[: max(len(rest), 8)]
    )


def _renamed(value: Any, names: dict[str, str], levels: int = 100) -> Any:
    """The value with other ids in the place of `names`, wherever a string is one."""
    if isinstance(value, str):
        return names.get(value, value)
    if levels and isinstance(value, dict):
        return {name: _renamed(item, names, levels - 1) for name, item in value.items()}
    if levels and isinstance(value, list):
        return [_renamed(item, names, levels - 1) for item in value]
    return value
