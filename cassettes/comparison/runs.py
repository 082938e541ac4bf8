"""Two runs: what they were asked with, what became of them, what they used, and what is inside them.

States that come and go by themselves (`PASSING`) do not count: whether a client saw them depends on when it looked. What
counts is what the run waited for, what the client did, and how it ended, with its error.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..conversation import FINAL_STATES, Conversation, Run
from ..models import SETTINGS, compact
from .alignment import aligned
from .naming import Given, Names
from .narrowing import ABSENT
from .pairing import UNSAID
from .scene import Scene
from .steps import Inside, call_sign, compare_inside, inside, told_call

PASSING = frozenset({"queued", "in_progress", "cancelling"})
NO_END = "(no end recorded)"
CAUSES = {"instructions": ("additional_instructions",)}
"""A member of the answer that follows from others of the request."""
_USED = ("prompt_tokens", "completion_tokens", "total_tokens")


class RunPair(NamedTuple):
    left: Run | None
    right: Run | None
    inside: Inside | None


def match_runs(left: Conversation, right: Conversation, names: Names) -> tuple[list[RunPair], bool]:
    """Match runs and what is in them, and learn their ids; says whether they are in another order."""
    ones, others = runs_of(left), runs_of(right)
    given = names.left, names.right
    found = aligned(ones, others, lambda side, run: _sign(run, given[side]), _near)
    pairs: list[RunPair] = []
    for one, other in found.pairs:
        run, twin = None if one is None else ones[one], None if other is None else others[other]
        within = None
        if run is not None and twin is not None:
            names.learn(run.id, twin.id)
            within = inside(run, twin, (left, right), names)
        pairs.append(RunPair(run, twin, within))
    return pairs, found.moved


def runs_of(conversation: Conversation) -> list[Run]:
    return [entry for entry in conversation.entries if isinstance(entry, Run)]


def told_run(run: Run) -> str:
    """A run in a few words."""
    calls = [told_call(call) for call in run.calls.values()]
    return " ".join(["run", run.id, outcome(run), *calls])


def states(run: Run) -> list[str]:
    """What the run waited for, what the client did, and how it ended; nothing of the kind: that its end is not recorded."""
    found: list[str] = []
    for mark in run.path():
        if mark.action or (mark.name not in PASSING and (not found or found[-1] != mark.name)):
            found.append(mark.name)
    if run.status in PASSING or not run.status:
        found.append(NO_END)
    return found


def outcome(run: Run) -> str:
    """The states, the last with its error."""
    why = run.error or run.incomplete
    return " → ".join(states(run)) + (f" ({why})" if why else "")


def compare_run(
    scene: Scene,
    place: str,
    left: Run,
    right: Run,
    within: Inside,
    told: tuple[Conversation, Conversation],
    *,
    cut: bool,
) -> int | None:
    """Add what differs between two runs; returns the number of the finding that they ended otherwise, None where they did not.

    `cut`: one side's stream was cut, which is a finding of its own: then that the end is not recorded follows from it (-1).
    """
    ended = None
    if cut and (NO_END in states(left)) != (NO_END in states(right)):
        ended = -1
    elif states(left) != states(right):
        ended = scene.add("changed", place, "states", outcome(left), outcome(right))
    else:
        scene.compare(place, "last_error", left.error, right.error, loose=True)
        scene.compare(place, "incomplete_details.reason", left.incomplete, right.incomplete, loose=True)
    _settings(scene, place, left, right)
    if left.tokens is not None and right.tokens is not None:
        _tokens(scene, place, left.tokens, right.tokens)
    elif left.tokens != right.tokens and ended is None:
        used, others = (ABSENT if each is None else _used(each) for each in (left.tokens, right.tokens))
        scene.add("changed", place, "usage", used, others)
    if left.tokens == right.tokens:
        for number, (step, twin, _) in enumerate(within.steps, 1):
            if step is not None and twin is not None and step.tokens and twin.tokens:
                _tokens(scene, f"{place}, step {number}", step.tokens, twin.tokens)
    if scene.tolerance is not None:
        took = [_took(run) for run in (left, right)]
        if None not in took and scene.tolerance.exceeded(took[0] or 0, took[1] or 0):
            scene.add("changed", place, "time", *(f"{(each or 0) / 1e6:.3f} s" for each in took))
    compare_inside(scene, place, within, told, spared=ended is not None)
    return ended


def _settings(scene: Scene, place: str, left: Run, right: Run) -> None:
    found: set[str] = set()
    if left.asked is not None and right.asked is not None:
        names = [*SETTINGS, *left.asked, *right.asked]
        for name in dict.fromkeys(name for name in names if name not in UNSAID):
            values = (side.get(name, ABSENT) for side in (left.asked, right.asked))
            if scene.compare(place, name, *values, loose=True):
                found.add(name)
    elif left.assistant_id and right.assistant_id:
        scene.compare(place, "assistant_id", left.assistant_id, right.assistant_id)
    for name in SETTINGS:
        if found.isdisjoint((name, *CAUSES.get(name, ()))) and name in left.settings and name in right.settings:
            number = len(scene.findings)
            if scene.compare(place, name, left.settings[name], right.settings[name], loose=True):
                scene.told.add(number)
    if "metadata" not in found:
        scene.compare(place, "metadata", left.metadata or {}, right.metadata or {}, loose=True)


def _tokens(scene: Scene, place: str, left: tuple[int, int, int], right: tuple[int, int, int]) -> None:
    differ = [at for at in range(3) if left[at] != right[at]]
    if len(differ) == 1 or differ in ([0, 2], [1, 2]):  # the total follows
        scene.add("changed", place, f"usage.{_USED[differ[0]]}", left[differ[0]], right[differ[0]])
    elif differ:
        scene.add("changed", place, "usage", _used(left), _used(right))


def _used(tokens: Sequence[int]) -> dict[str, int]:
    return dict(zip(_USED, tokens, strict=True))


def _took(run: Run) -> int | None:
    """Microseconds from the first moment known to the end."""
    times = [mark.at_us for mark in run.path() if mark.at_us is not None]
    return times[-1] - times[0] if len(times) > 1 and run.status in FINAL_STATES else None


def _sign(run: Run, given: Given) -> tuple[Any, ...]:
    asked = {name: value for name, value in (run.asked or {}).items() if name not in UNSAID}
    calls = tuple(call_sign(call, given) for call in run.calls.values())
    return given.masked(compact(asked)), tuple(states(run)), run.error, run.tokens, calls


def _near(left: Run, right: Run) -> float:
    names = [[call.name for call in run.calls.values()] for run in (left, right)]
    asked = [
        compact({name: value for name, value in (run.asked or {}).items() if name not in UNSAID})
        for run in (left, right)
    ]
    return 0.2 + 0.4 * (asked[0] == asked[1]) + 0.2 * (states(left) == states(right)) + 0.2 * (names[0] == names[1])
