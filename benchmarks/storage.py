"""Opens one recording in a fresh process and prints what that cost, as JSON: `storage.py KIND FILE`.

The modules are imported before the clock starts. Memory is the process' own (anonymous pages), not that of files it has
mapped. `mitmproxy` kinds run under a Python that has mitmproxy, so that nothing else is imported at the top.
"""

import gc
import json
import random
import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

LOOK_UPS = 4_000
WARM = 200
"""Look-ups that are not counted: by them it is found how many turns of a loop take as long as one."""
CONVERSATIONS = 300
CROWD = 10
"""Keys with more recordings than that are left out of the look-ups: listing them all is no single look-up."""


def memory() -> float:
    """Megabytes of the process' own memory."""
    found = re.search(r"^Anonymous:\s+(\d+)", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def warm(path: Path) -> None:
    """Have the whole file in the page cache: a busy machine may have dropped parts of it since the last run."""
    with path.open("rb", buffering=0) as file:
        room = bytearray(1 << 20)
        while file.readinto(room):
            pass


def measured(work: Callable[[], object]) -> dict[str, float]:
    """Milliseconds of processor time that it took, and megabytes that it left in use."""
    before, began = memory(), time.process_time()
    kept = work()
    took, after = (time.process_time() - began) * 1e3, memory()
    del kept
    return {"ms": took, "mb": max(0.0, after - before)}


def respool(path: Path) -> dict[str, object]:
    """Opening, looking up, and reading conversations, all by chance, in a file that nobody has touched in this process.

    Also `spans`: what each look-up and each loop took. They are the same ones in the same order each time.
    """
    from respool.cassettes.reader import Reader

    warm(path)
    Reader.open(path).close()  # whatever is made once a process
    chance = random.Random(7)
    before, began = memory(), time.perf_counter()
    reader = Reader.open(path)
    found: dict[str, object] = {"open_ms": (time.perf_counter() - began) * 1e3, "open_mb": max(0.0, memory() - before)}
    with Reader.open(path) as other:
        places = set(chance.sample(range(len(other)), min(len(other), LOOK_UPS)))
        # Not all rows at once: a million of them would leave a memory in which everything after is slower.
        asked = [row.summary for place, row in enumerate(other.rows()) if place in places]
    chance.shuffle(asked)
    scopes = list({summary.scope for summary in asked})[:CONVERSATIONS]
    gc.collect()
    gc.freeze()  # as the replay does once it is ready

    spans: dict[str, list[float]] = {"look_up": [], "bodies": [], "loop": []}
    turns = 0
    for number, summary in enumerate(asked):
        began_ns = time.thread_time_ns()
        rows = reader.rows_of_key(summary.key)
        call = reader.interaction(rows[-1])
        decoded_ns = time.thread_time_ns()
        call.request.body.read()
        if call.response is not None:
            call.response.body.read()
        read_ns = time.thread_time_ns()
        if number == WARM:
            turns = _turns(sorted(spans["bodies"])[len(spans["bodies"]) // 2])
            for each in spans.values():
                each.clear()
        if len(rows) <= CROWD:
            spans["look_up"].append((decoded_ns - began_ns) / 1e3)
            spans["bodies"].append((read_ns - began_ns) / 1e3)
            began_ns = time.thread_time_ns()
            _loop(turns)
            spans["loop"].append((time.thread_time_ns() - began_ns) / 1e3)
        del rows, call  # now, not in the middle of the next look-up
    for name, each in spans.items():
        ordered = sorted(each)
        found |= {f"{name}_p50_us": ordered[len(each) // 2], f"{name}_p99_us": ordered[len(each) * 99 // 100]}
    read = []
    for scope in scopes:
        began_ns = time.thread_time_ns()
        for row in reader.rows_of_scope_hash(scope):
            call = reader.interaction(row)
            call.request.body.read()
            if call.response is not None:
                call.response.body.read()
        read.append((time.thread_time_ns() - began_ns) / 1e6)
    read.sort()
    return found | {"conversation_p99_ms": read[len(read) * 99 // 100], "spans": spans}


def _loop(turns: int) -> int:
    """Work that always is the same and touches no memory: what the machine makes of that is the floor of all figures."""
    total = 0
    for turn in range(turns):
        total += turn
    return total


def _turns(microseconds: float) -> int:
    """How many turns of the loop take so long."""
    began_ns = time.thread_time_ns()
    _loop(200_000)
    return max(1, round(microseconds * 200_000 * 1e3 / (time.thread_time_ns() - began_ns)))


def scanned(path: Path) -> dict[str, float]:
    """Opening a cassette whose index is gone, the first look-up, which looks through everything, and the one that sorts.

    The greatest memory is looked at fifty times a second.
    """
    from respool.cassettes.catalogue import LOOKS
    from respool.cassettes.reader import Reader

    warm(path)
    before = most = memory()
    done = threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.02):
            most = max(most, memory())

    watching = threading.Thread(target=watch)
    watching.start()
    began, began_wall = time.thread_time(), time.perf_counter()
    try:
        with Reader.open(path) as reader:
            if reader.sealed or not len(reader):
                raise ValueError(f"{path} was not scanned")
            scan = time.thread_time() - began
            reader.rows_of_key(0)
            both, wall = time.thread_time() - began, time.perf_counter() - began_wall
            for key in range(1, LOOKS):
                reader.rows_of_key(key)
            began = time.thread_time()
            reader.rows_of_key(0)
            sort = time.thread_time() - began
    finally:
        done.set()
        watching.join()
    return {"scan_s": scan, "both_s": both, "both_wall_s": wall, "sort_s": sort, "scan_mb": most - before}


def opened(path: Path) -> dict[str, float]:
    from respool.cassettes.reader import Reader

    return measured(lambda: Reader.open(path))


def vcr(path: Path) -> dict[str, float]:
    from vcr.persisters.filesystem import FilesystemPersister
    from vcr.serializers import yamlserializer

    return measured(lambda: FilesystemPersister.load_cassette(path, yamlserializer))


def har(path: Path) -> dict[str, float]:
    return measured(lambda: json.loads(path.read_bytes()))


def mitmproxy(path: Path) -> dict[str, float]:
    from mitmproxy.io import FlowReader

    def load() -> object:
        with path.open("rb") as file:
            return list(FlowReader(file).stream())

    return measured(load)


def mitmproxy_write(path: Path) -> dict[str, float]:
    """Turn FILE, a HAR, into FILE.flows."""
    from mitmproxy.io import FlowReader, FlowWriter

    with path.open("rb") as file, path.with_suffix(".flows").open("wb") as out:
        writer = FlowWriter(out)
        for flow in FlowReader(file).stream():
            writer.add(flow)
    return {}


KINDS = {work.__name__: work for work in (respool, scanned, opened, vcr, har, mitmproxy, mitmproxy_write)}


def main() -> int:
    kind, path = sys.argv[1:]
    print(json.dumps(KINDS[kind](Path(path))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
