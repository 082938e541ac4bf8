"""Small files that say they are huge: each is refused in under 100 ms of CPU and 64 MiB of memory more than there was.

A process of its own reads each, forked from one that has loaded all there is to load. Memory is what was mapped, used or
not: room that is only asked for counts. Of the time, the shortest of five runs counts: a neighbour on the machine is no bomb.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard
from forgery import BLOB, INTERACTION, META, ZSTD, Forgery, claim, fields

CPU_SECONDS = 0.1
MEMORY = 64 << 20

WEIGH = """
import json, os, sys, time
from pathlib import Path
from respool.cassettes.errors import CassetteError
from respool.cassettes.reader import Reader
from respool.cassettes.repair import examine
from respool.cassettes.writer import Writer

def read(path):
    with Reader.open(path) as reader:
        reader.scopes()
        for row in reader.rows():
            one = reader.interaction(row)
            for body in (one.request.body, one.response.body if one.response else None):
                if body is not None and body.length < 16 << 20:
                    body.read()

def append(path):
    Writer.append_to(path).abandon()

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return {line.split()[0]: int(line.split()[1]) << 10 for line in lines if line.startswith("Vm")}["VmPeak:"]

def weigh(what, path):
    before, times, said = peak(), [], ""
    for _ in range(5):
        began = time.process_time()
        try:
            what(path)
        except CassetteError as error:
            said = error.message
        times.append(time.process_time() - began)
    return {"said": said, "memory": peak() - before, "cpu": min(times)}

for line in sys.stdin:
    name, path = json.loads(line)
    child = os.fork()
    if not child:
        try:
            said = weigh({"read": read, "append": append, "examine": examine}[name], Path(path))
        except BaseException as error:
            said = {"escaped": repr(error)}
        print(json.dumps(said), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


class Scales:
    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WEIGH], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def weigh(self, how: str, path: Path) -> dict:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([how, str(path)]) + "\n")
        self.process.stdin.flush()
        found = json.loads(self.process.stdout.readline())
        assert "escaped" not in found
        assert found["memory"] < MEMORY
        assert found["cpu"] < CPU_SECONDS
        return found


@pytest.fixture(scope="module")
def scales() -> Iterator[Scales]:
    found = Scales()
    yield found
    found.process.kill()
    found.process.communicate()


def zstd(size: int, level: int = 19) -> bytes:
    return zstandard.ZstdCompressor(level=level).compress(bytes(size))


def bodies(forgery: Forgery, payload: bytes, *, raw: int, length: int) -> Forgery:
    """A body piece stored as `payload`, and an interaction that names it."""
    digest = bytes(range(16))
    forgery.frame(BLOB, digest + payload, codec=ZSTD, raw=raw)
    forgery.interaction(fields(response_body=[[digest, length]]))
    return forgery


def one(payload: bytes) -> Forgery:
    forgery = Forgery()
    forgery.interaction(payload)
    return forgery


def thirty_thousand_to_one() -> Forgery:
    data = zstd(16 << 20)
    assert len(data) * 20_000 < 16 << 20
    return bodies(Forgery(), data, raw=16 << 20, length=16 << 20)


def more_than_it_says() -> Forgery:
    return bodies(Forgery(), zstd(16 << 20), raw=64 << 10, length=64 << 10)


def frame_that_claims(size: int) -> Forgery:
    """A zstd frame of 13 bytes whose header says that its content has so many bytes."""
    data = b"\x28\xb5\x2f\xfd\xe0" + size.to_bytes(8, "little")
    assert len(data) == 13
    return bodies(Forgery(), data, raw=64 << 10, length=64 << 10)


def window_of_gigabytes() -> Forgery:
    return bodies(Forgery(), b"\x28\xb5\x2f\xfd\x00\xa8" + b"\x01\x00\x00" * 3, raw=64 << 10, length=64 << 10)


def zeros_for_a_map() -> Forgery:
    forgery = Forgery()
    data = zstd(2 << 20)
    forgery.interaction(data + bytes(12_000), codec=ZSTD, raw=2 << 20)
    return forgery


def nested(mark: bytes, depth: int) -> Forgery:
    return one(b"\x81\xa1x" + mark * depth + b"\xc0")


def empties(mark: bytes) -> Forgery:
    arrays = (b"\xa1" + bytes([97 + number]) + claim(0xDD, 160_000) + mark * 160_000 for number in range(12))
    return one(b"\x8c" + b"".join(arrays))


def deep_notes() -> Forgery:
    return Forgery(meta=b"\x81\xa1x" + b"\x91" * 100_000 + b"\xc0")


def one_piece_again_and_again(times: int) -> Forgery:
    forgery = Forgery()
    digest = forgery.blob(bytes(1 << 20))
    forgery.interaction(fields(response_body=[[digest, 1 << 20]] * times))
    forgery.interaction(fields())
    return forgery


def names_for_everything() -> Forgery:
    forgery = Forgery()
    for number in range(400):
        payload = fields(scope=f"{number:04}" * 16_000)
        forgery.interaction(zstandard.compress(payload), scope=str(number), codec=ZSTD, raw=len(payload))
    return forgery


def false_marks() -> Forgery:
    forgery = one(fields())
    forgery.data += bytes(40) + bytes(forgery.data[16:20] + b"\0" * 28) * 100_000
    forgery.frames += 2
    forgery.interaction(fields())
    return forgery


def seal_that_leads(**others: int) -> Forgery:
    forgery = one(b"\xc1")
    forgery.seal(**others)
    return forgery


BOMBS: dict[str, Callable[[], Forgery]] = {
    "zstd, 30,000 to one": thirty_thousand_to_one,
    "zstd, more than it says": more_than_it_says,
    "zstd, 13 bytes that claim 8 GiB": lambda: frame_that_claims(8 << 30),
    "zstd, 13 bytes that claim all there is": lambda: frame_that_claims(2**64 - 1),
    "zstd, a window of gigabytes": window_of_gigabytes,
    "zstd, zeros for a map": zeros_for_a_map,
    "msgpack, 100,000 deep": lambda: nested(b"\x91", 100_000),
    "msgpack, 100,000 maps deep": lambda: nested(b"\x81\xa1x", 100_000),
    "msgpack, arrays in arrays that claim": lambda: nested(claim(0xDD, 160_000), 1_000),
    "msgpack, the same in a large record": lambda: one(b"\x81\xa1x" + claim(0xDD, 160_000) * 1_000 + bytes(2_000_000)),
    "msgpack, maps in maps that claim": lambda: nested(claim(0xDF, 4_000) + b"\xa1x", 1_000),
    "msgpack, millions of empty arrays": lambda: empties(b"\x90"),
    "msgpack, millions of empty maps": lambda: empties(b"\x80"),
    **{
        f"msgpack, 2^32 of {name}": lambda mark=mark: one(b"\x81\xa1x" + claim(mark, 2**32 - 1) + bytes(100))
        for name, mark in {"elements": 0xDD, "entries": 0xDF, "characters": 0xDB, "bytes": 0xC6, "ext": 0xC9}.items()
    },
    "notes, 100,000 deep": deep_notes,
    "a body of one piece, 5,000 times": lambda: one_piece_again_and_again(5_000),
    "a body of one piece, 16,000 times": lambda: one_piece_again_and_again(16_000),
    "a body of one piece, 80,000 times": lambda: one_piece_again_and_again(80_000),
    "a body of one piece, 100,000 times": lambda: one_piece_again_and_again(100_000),
    "names of scopes": names_for_everything,
    "100,000 false records": false_marks,
    "a seal that leads to itself": lambda: seal_that_leads(previous_seal=64 + 33, index_offset=64, index_length=33),
    "a seal that counts to 2^64": lambda: seal_that_leads(records=2**64 - 1, interactions=2**64 - 1),
    "a seal with an index of 2^63 bytes": lambda: seal_that_leads(index_offset=64, index_length=2**63),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_little_time_and_memory(tmp_path, scales, name):
    path = BOMBS[name]().write(tmp_path / "a.cassette")
    found = scales.weigh("read", path)
    assert found["said"], "it is refused"
    scales.weigh("append", path)
    scales.weigh("examine", path)


@pytest.mark.parametrize("size", [2**32 - 1, 2**31, 17 << 20])
@pytest.mark.parametrize("kind", [META, BLOB, INTERACTION, 4, 5, 200])
def test_lengths_beyond_the_file_are_no_reason_to_make_room(tmp_path, scales, kind, size):
    forgery = Forgery()
    forgery.interaction(fields())
    forgery.frame(kind, bytes(100), raw=size, stored=size)
    path = forgery.write(tmp_path / "a.cassette")
    for how in ("read", "append", "examine"):
        scales.weigh(how, path)


def test_a_large_body_of_one_piece_is_examined_by_its_piece(tmp_path, scales):
    """As long as a body may be that repeats itself: `respool doctor` reads the piece once."""
    forgery = Forgery()
    digest = forgery.blob(bytes(1 << 20))
    for _ in range(20):
        forgery.interaction(fields(response_body=[[digest, 1 << 20]] * 500))
    found = scales.weigh("examine", forgery.write(tmp_path / "a.cassette"))
    assert found["said"] == ""
