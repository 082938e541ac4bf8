"""The line at the top: what is looked at, what is in it, and how it is. Pure: plain facts in, safe text out."""

import contextlib
from typing import TYPE_CHECKING

from ..cassettes.amounts import counted
from ..cassettes.text import clip

if TYPE_CHECKING:
    from ..cassettes.reader import Reader
    from ..proxy.control.protocol import Call, Snapshot


def status(recording: "Reader", threads: int) -> str:
    """Which cassette this is, what is in it, and whether it is whole."""
    words = [clip(recording.path.name, 100), counted(len(recording), "call"), counted(threads, "thread")]
    with contextlib.suppress(OSError):
        words.append(size_of(recording.path.stat().st_size))
    return " · ".join(words if recording.sealed else [*words, "not closed cleanly"])


def size_of(length: int) -> str:
    return f"{length / 1024:,.0f} KB" if length < 1 << 20 else f"{length / (1 << 20):,.1f} MB"


def head_of(snapshot: "Snapshot | None", *, lost: str = "") -> str:
    """The line that says what is looked at, and how it is."""
    if snapshot is None:
        return "LIVE · " + ("attaching" if lost == "attaching" else f"{clip(lost, 100)} · trying again")
    words = [f"LIVE {clip(snapshot.address.removeprefix('http://').partition('/')[0], 60)}", clip(snapshot.mode, 20)]
    words += [clip(path.rpartition("/")[2], 60) for path in snapshot.cassettes[:1]]
    if snapshot.mode == "record":
        words.append(f"{snapshot.recorded:,} recorded")
    elif snapshot.mode == "live":
        words.append(counted(snapshot.calls, "call"))
    if snapshot.hits or snapshot.misses or snapshot.mode not in {"record", "live"}:
        words.append(f"{counted(snapshot.hits, 'hit')} {counted(snapshot.misses, 'miss', 'misses')}")
    words += [counted(snapshot.failed, "failure")] if snapshot.failed else []
    words += [counted(snapshot.faults, "fault")] if snapshot.faults else []
    words += [size_of(snapshot.size)] if snapshot.size else []
    return " · ".join(["lost · trying again", *words] if lost else words)


def with_call(snapshot: "Snapshot", call: "Call") -> "Snapshot":
    """The counts, with one more call that has ended."""
    name = {"recorded": "recorded", "forwarded": "calls", "miss": "misses", "fault": "faults"}.get(call.how, "hits")
    return snapshot.model_copy(update={name: getattr(snapshot, name) + 1})
