"""A cassette of two threads and of a call that belongs to neither, and what parts of it answer in a replay."""

from collections.abc import Collection
from pathlib import Path

from recorded_calls import write_cassette
from respool.cassettes.positions import Session
from respool.cassettes.reader import Reader
from respool.cassettes.tape import Tape

BIG = b'"' + b"x" * 50_000 + b'"'
CALLS = [
    ("POST", b"/v1/assistants", b"{}", b'{"id": "asst_1"}', 200),  # 0
    ("POST", b"/v1/threads", b"{}", b'{"id": "thread_a", "object": "thread"}', 200),  # 1
    ("POST", b"/v1/threads", b"{}", b'{"id": "thread_b", "object": "thread"}', 200),  # 2
    ("POST", b"/v1/threads/thread_a/messages", b'{"content": "one"}', BIG, 200),  # 3
    ("GET", b"/v1/threads/thread_a", b"", b"1", 200),  # 4
    ("POST", b"/v1/threads/thread_b/messages", b'{"content": "two"}', BIG, 200),  # 5
    ("GET", b"/v1/threads/thread_a", b"", b"2", 500),  # 6
]


def two_threads(folder: Path) -> Path:
    """Write it to `folder / "old.cassette"`."""
    return write_cassette(folder / "old.cassette", CALLS)


def replayed(path: Path, numbers: Collection[int]) -> list[bytes | None]:
    """The answers of a replay to the calls with these numbers of the recording at `path.parent.parent / "old.cassette"`."""
    with Reader.open(path) as reader, Reader.open(path.parent.parent / "old.cassette") as asked:
        session = Session(Tape(reader))
        rows = [row for row in asked.rows() if row.summary.arrival in numbers]
        served = [session.serve(row.summary.key, variant=row.summary.variant) for row in rows]
        return [each and reader.interaction(each.row).response.body.read() for each in served]
