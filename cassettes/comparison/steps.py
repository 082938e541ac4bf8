"""Two runs' steps and tool calls: which belong together, and where they differ.

Steps count where both recordings tell of steps. A client that polls and never lists them knows its function calls only;
those are compared then, whatever steps they stood in.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import NamedTuple

from ..conversation import FINAL_STATES, Conversation, Run, Step, ToolCall
from ..models import compact, parse
from ..text import clip
from .alignment import Alignment, aligned
from .naming import Given, Names
from .scene import Scene

FUNCTION = ("function", "")


class StepPair(NamedTuple):
    left: Step | None
    right: Step | None
    calls: Alignment


class Inside(NamedTuple):
    """What is inside two runs: their steps, if both tell of them, and the calls outside of steps."""

    steps: list[StepPair]
    swapped: tuple[list[Step], list[Step]] | None
    """The steps of both sides where they are the same in another order."""
    left_calls: list[ToolCall]
    right_calls: list[ToolCall]
    calls: Alignment


def inside(left: Run, right: Run, told: tuple[Conversation, Conversation], names: Names) -> Inside:
    """Match steps and calls, and learn their ids."""
    if knows_steps(left, told[0]) and knows_steps(right, told[1]):
        ones, others = left.steps_in_order(), right.steps_in_order()
        signs = [_step_sign(told[0], names.left), _step_sign(told[1], names.right)]
        found = aligned(ones, others, lambda side, step: signs[side](step), _near_step)
        steps: list[StepPair] = []
        for one, other in found.pairs:
            step, twin = None if one is None else ones[one], None if other is None else others[other]
            if step is not None and twin is not None:
                names.learn(step.id, twin.id)
            sides = [list(each.calls.values()) if each else [] for each in (step, twin)]
            steps.append(StepPair(step, twin, match_calls(sides[0], sides[1], names)))
        loose = left.calls_without_step(), right.calls_without_step()
        return Inside(steps, (ones, others) if found.moved else None, *loose, match_calls(*loose, names))
    loose = _functions(left), _functions(right)
    return Inside([], None, *loose, match_calls(*loose, names))


def knows_steps(run: Run, conversation: Conversation) -> bool:
    """Whether a recording tells of a run's steps, be it that there were none."""
    reads = conversation.reads.get("listRunSteps")
    return bool(run.steps) or (reads is not None and reads.total > 0)


def match_calls(left: Sequence[ToolCall], right: Sequence[ToolCall], names: Names) -> Alignment:
    """Match tool calls, and learn their ids."""
    given = names.left, names.right
    found = aligned(left, right, lambda side, call: call_sign(call, given[side]), _near_call)
    for one, other in found.pairs:
        if one is not None and other is not None:
            names.learn(left[one].id, right[other].id)
    return found


def call_sign(call: ToolCall, given: Given) -> tuple[str, bytes, bytes]:
    """What is equal for tool calls that are the same but for ids."""
    return call.name, given.masked(_normal(call.asked)), given.masked(call.answer or "")


def told_call(call: ToolCall) -> str:
    """A tool call in a few words."""
    return f"{call.name or call.kind or 'a call'}({clip(call.asked, 200)})"


def told_step(step: Step, conversation: Conversation) -> str:
    """A step in a few words."""
    if step.calls:
        return ", ".join(map(told_call, step.calls.values()))
    message = conversation.messages.get(step.message_id)
    text = f": {clip(message.text, 80)}" if message and message.text else ""
    return (step.kind or "a step") + text


def compare_inside(
    scene: Scene, place: str, both: Inside, told: tuple[Conversation, Conversation], *, spared: bool
) -> None:
    """Add what differs in the steps that both have, and in their calls. Steps that only one has are `lone_steps`.

    `spared`: the runs went other ways, so that what only one client submitted follows from it.
    """
    if both.swapped:
        sides = (
            " → ".join(told_step(step, story) for step in steps)
            for story, steps in zip(told, both.swapped, strict=True)
        )
        scene.add("order", place, "steps", *sides)
    for number, (left, right, calls) in enumerate(both.steps, 1):
        if left is not None and right is not None:
            _compare_step(scene, f"{place}, step {number}", left, right, calls, spared=spared)
    compare_calls(scene, place, both.left_calls, both.right_calls, both.calls, spared=spared)


def lone_steps(both: Inside) -> Iterator[tuple[int, int, Step]]:
    """(number, 0 for the first side or 1, step) of the steps that one side has alone."""
    for number, (left, right, _) in enumerate(both.steps, 1):
        if left is None and right is not None:
            yield number, 1, right
        elif right is None and left is not None:
            yield number, 0, left


def compare_calls(
    scene: Scene, place: str, left: Sequence[ToolCall], right: Sequence[ToolCall], found: Alignment, *, spared: bool
) -> None:
    if found.moved:
        scene.add("order", place, "tool calls", " → ".join(map(told_call, left)), " → ".join(map(told_call, right)))
    seen: dict[str, int] = {}
    for one, other in found.pairs:
        call = right[other] if one is None and other is not None else left[one or 0]
        name = clip(call.name or call.kind or "without a name", 80)
        seen[name] = seen.get(name, 0) + 1
        here = f"{place}, tool call {name}" + (f" ({seen[name]})" if seen[name] > 1 else "")
        if one is None:
            scene.add("added", here, "", right=told_call(call))
        elif other is None:
            scene.add("missing", here, "", left=told_call(call))
        else:
            _compare_call(scene, here, left[one], right[other], spared=spared)


def _compare_step(scene: Scene, place: str, left: Step, right: Step, calls: Alignment, *, spared: bool) -> None:
    if left.kind and right.kind:
        scene.compare(place, "type", left.kind, right.kind)
    ended = left.status in FINAL_STATES and right.status in FINAL_STATES
    if ended and left.status != right.status:
        states = (f"{step.status} ({step.error})" if step.error else step.status for step in (left, right))
        scene.add("changed", place, "status", *states)
    elif ended:
        scene.compare(place, "last_error", left.error, right.error, loose=True)
    if left.message_id and right.message_id:
        scene.compare(place, "message_id", left.message_id, right.message_id)
    compare_calls(scene, place, list(left.calls.values()), list(right.calls.values()), calls, spared=spared)


def _compare_call(scene: Scene, place: str, left: ToolCall, right: ToolCall, *, spared: bool) -> None:
    if (left.kind or FUNCTION[0]) != (right.kind or FUNCTION[0]):  # what it is asked and answers has another form, too
        scene.add("changed", place, "type", told_call(left), told_call(right))
        return
    names = left.name or left.kind, right.name or right.kind
    scene.compare(place, "name", *names)
    scene.compare(
        place, "input" if left.name == "code_interpreter" else "arguments", _read(left.asked), _read(right.asked)
    )
    output = [_read(call.answer) for call in (left, right)]
    if not scene.compare(place, "output", *output, loose=None in output):
        submitted = [_read(call.submitted) for call in (left, right)]
        if not (spared and None in submitted):
            scene.compare(place, "submitted output", *submitted, loose=True)


def _read(text: str | None) -> object:
    """An object or a list where a text spells one: its spelling does not count. Else the text."""
    value = parse(text) if text else None
    return value if isinstance(value, dict | list) else text


def _normal(text: str) -> str:
    value = _read(text)
    return value if isinstance(value, str) else compact(value)


def _functions(run: Run) -> list[ToolCall]:
    """The function calls of a run, in the order of its steps where they are known."""
    calls = [call for step in run.steps_in_order() for call in step.calls.values()] + run.calls_without_step()
    return [call for call in calls if call.kind in FUNCTION]


def _step_sign(conversation: Conversation, given: Given) -> Callable[[Step], Hashable]:
    def sign(step: Step) -> tuple[object, ...]:
        message = conversation.messages.get(step.message_id)
        text = given.masked(message.text) if message else b""
        return step.kind, text, tuple(call_sign(call, given) for call in step.calls.values())

    return sign


def _near_step(left: Step, right: Step) -> float:
    if left.kind != right.kind:
        return 0.05
    names = [[call.name for call in step.calls.values()] for step in (left, right)]
    return 0.5 + 0.5 * (names[0] == names[1])


def _near_call(left: ToolCall, right: ToolCall) -> float:
    return 0.1 + 0.5 * (left.name == right.name) + 0.4 * (_normal(left.asked) == _normal(right.asked))
