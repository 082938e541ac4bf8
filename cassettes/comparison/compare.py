"""The comparison from end to end: pair the threads, learn which ids belong together, then look for what differs.

Ids are learned from all threads before anything is compared, since one thread may speak of another. A thread that both
cassettes hold call for call is passed over.
"""

from collections.abc import Callable, Sequence

from ..conversation import Recorded
from .calls import compare_calls, match_calls
from .findings import Finding
from .naming import Names
from .pairing import Pair, pairs
from .scene import Scene, Tolerance
from .sides import Side, same_calls
from .threads import compare_thread, match, told_thread

Progress = Callable[[int, int], None]
"""Is told how many of how many threads were compared."""

__all__ = ["Progress", "Tolerance", "compare"]


def compare(
    left: Recorded,
    right: Recorded,
    *,
    tolerance: Tolerance | None = None,
    only: Sequence[Pair] | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """What differs between two recordings by meaning, in the order of the first; empty where they say the same.

    `tolerance`: by how much times may differ; without it they do not count. `only`: these pairs of threads and nothing else.
    """
    sides = Side(left), Side(right)
    names = Names(sides[0].given, sides[1].given)
    scene = Scene(names, tolerance)
    calls = match_calls(sides[0], sides[1], names)
    threads = pairs(sides[0], sides[1]) if only is None else only
    different = [pair for pair in threads if not _same(sides, pair)]
    for one, other in different:
        if one is not None and other is not None:
            match(sides[0].conversation(one), sides[1].conversation(other), names)
    for done, (one, other) in enumerate(different, 1):
        _compare(scene, sides, one, other)
        if progress is not None:
            progress(done, len(different))
    scene.threads = "", ""
    if only is None:
        compare_calls(scene, calls)
    if scene.more:
        scene.findings.append(Finding("changed", "the rest", f"{scene.more:,} more findings are not shown", None, None))
    return scene.joined()


def _same(sides: tuple[Side, Side], pair: Pair) -> bool:
    return pair[0] is not None and pair[0] == pair[1] and same_calls(*sides, pair[0])


def _compare(scene: Scene, sides: tuple[Side, Side], one: str | None, other: str | None) -> None:
    scene.threads = one or "", other or ""
    if one is not None and other is not None:
        place = f"thread {sides[0].threads.index(one) + 1}"
        compare_thread(scene, place, match(sides[0].conversation(one), sides[1].conversation(other), scene.names))
    elif one is not None:
        place = f"thread {sides[0].threads.index(one) + 1}"
        scene.add("missing", place, "", left=told_thread(sides[0].conversation(one)))
    elif other is not None:
        place = f"thread {sides[1].threads.index(other) + 1}"
        scene.add("added", place, "", right=told_thread(sides[1].conversation(other)))
