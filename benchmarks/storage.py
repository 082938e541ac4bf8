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
CONVERSATIONS = 300
CROWD = 10
"""Keys with more recordings than that are left out of the look-ups: listing them all is no single look-up."""


def memory() -> float:
    """Megabytes of the process' own memory."""
    found = re.search(r"^Anonymous:\s+(\d+)", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def measured(work: Callable[[], object]) -> dict[str, float]:
    """Milliseconds of processor time that it took, and megabytes that it left in use."""
    before, began = memory(), time.process_time()
    kept = work()
    took, after = (time.process_time() - began) * 1e3, memory()
    del kept
    return {"ms": took, "mb": max(0.0, after - before)}


def respool(path: Path) -> dict[str, float]:
    """Opening, looking up, and reading conversations, all by chance, in a file that nobody has touched in this process."""
    from respool.cassettes.reader import Reader

    Reader.open(path).close()  # whatever is made once a process
    chance = random.Random(7)
    before, began = memory(), time.perf_counter()
    reader = Reader.open(path)
    found = {"open_ms": (time.perf_counter() - began) * 1e3, "open_mb": max(0.0, memory() - before)}
    with Reader.open(path) as other:
        rows = list(chance.sample(list(other.rows()), min(len(other), LOOK_UPS)))
        keys = [row.summary.key for row in rows]
        scopes = list({row.summary.scope for row in rows})[:CONVERSATIONS]
    gc.collect()
    gc.freeze()  # as the replay does once it is ready
    took = []
    for key in keys:
        began_ns = time.thread_time_ns()
        rows = reader.rows_of_key(key)
        call = reader.interaction(rows[-1])
        call.request.body.read()
        if call.response is not None:
            call.response.body.read()
        if len(rows) <= CROWD:
            took.append((time.thread_time_ns() - began_ns) / 1e3)
    took.sort()
    found |= {"look_up_p50_us": took[len(took) // 2], "look_up_p99_us": took[len(took) * 99 // 100]}
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
    return found | {"conversation_p99_ms": read[len(read) * 99 // 100]}


def scanned(path: Path) -> dict[str, float]:
    """Opening a cassette whose index is gone, and the first look-up, which sorts what was found.

    The greatest memory is looked at fifty times a second.
    """
    from respool.cassettes.reader import Reader

    before = most = memory()
    done = threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.02):
            most = max(most, memory())

    watching = threading.Thread(target=watch)
    watching.start()
    began = time.perf_counter()
    try:
        with Reader.open(path) as reader:
            if reader.sealed or not len(reader):
                raise ValueError(f"{path} was not scanned")
            took = time.perf_counter() - began
            reader.rows_of_key(0)
            first = time.perf_counter() - began - took
    finally:
        done.set()
        watching.join()
    return {"scan_s": took, "first_look_s": first, "scan_mb": most - before}


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
