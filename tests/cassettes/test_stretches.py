import random
import zlib
from pathlib import Path

import pytest
from cassette_samples import call, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from respool.cassettes import stretches
from respool.cassettes.errors import CassetteError
from respool.cassettes.format import FILE_HEADER_SIZE, FRAME_HEADER_SIZE, RecordType, pack_frame
from respool.cassettes.interaction import Body
from respool.cassettes.scan import Contents
from respool.cassettes.source import Source
from respool.cassettes.stretches import LONGEST, SHORTEST, Strides


@pytest.fixture(scope="module")
def recording(tmp_path_factory) -> bytes:
    """Some 300 calls: bodies inside, beside, compressed, and one of several pieces; two seals."""
    path = tmp_path_factory.mktemp("stretches") / "a.cassette"
    chance = random.Random(5)
    bodies = [
        chance.randbytes(chance.choice([0, 20, 600, 3_000])) if number % 3 else b"%d " % number * chance.randrange(900)
        for number in range(300)
    ]
    bodies[150] = chance.randbytes(1_100_000)
    write(path, [call(number, body, scope=f"thread_{number % 7}") for number, body in enumerate(bodies)])
    return path.read_bytes()


def told(path: Path) -> list[object]:
    """All that a scan finds, or what it refuses with."""
    source = Source.open(path)
    try:
        contents = Contents(source)
    except CassetteError as error:
        return [error.message]
    else:
        scan = contents.scan
        found = [contents.rows, contents.blobs, contents.names(), contents.seals, scan.gaps, scan.faults, scan.end]
        return [*found, scan.records, scan.chain, scan.interactions, list(scan.places())]
    finally:
        source.close()


def one_by_one(path: Path) -> list[object]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Strides, "stretch", lambda *_: None)
        return told(path)


def test_a_whole_recording_is_read_in_stretches_and_gives_what_it_gives_frame_by_frame(tmp_path, recording):
    path = tmp_path / "a.cassette"
    path.write_bytes(recording)
    found = told(path)
    assert found == one_by_one(path)
    assert len(found[0]) == 64 * 300
    source = Source.open(path)
    try:
        lengths = [len(stretch.starts) for stretch in Contents(source).scan.stretches() if stretch.data]
    finally:
        source.close()
    assert sum(lengths) > 400
    assert max(lengths) > 80


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_recording_gives_what_it_gives_frame_by_frame(tmp_path, recording, data):
    changed = bytearray(recording)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(FILE_HEADER_SIZE, len(changed) - 1))
        what = data.draw(st.sampled_from(["flip", "cut", "out", "twice", "marker"]))
        length = data.draw(st.integers(1, 5_000))
        if what == "flip":
            changed[at] ^= 1 << data.draw(st.integers(0, 7))
        elif what == "cut":
            del changed[at:]
        elif what == "out":
            del changed[at : at + length]
        elif what == "twice":
            changed[at:at] = changed[at : at + length]
        else:
            changed[at:at] = recording[16:20] * 9
        if len(changed) <= FILE_HEADER_SIZE:
            break
    path = tmp_path / "a.cassette"
    path.write_bytes(changed)
    assert told(path) == one_by_one(path)


def test_a_marker_inside_a_body_ends_no_record(tmp_path):
    path = tmp_path / "a.cassette"
    write(path, [call(number, b"x" * 100) for number in range(4)])
    marker = path.read_bytes()[16:20]
    path.unlink()
    write(path, [call(number, marker * (40 + number) + b"\0" * 28) for number in range(40)])
    assert path.read_bytes()[16:20] == marker
    found = told(path)
    assert found == one_by_one(path)
    assert len(found[0]) == 64 * 40


def frame(kind: int, number: int, payload: bytes, *, codec: int = 0, raw: int | None = None, flags: int = 0) -> bytes:
    prefix = {2: 16, 3: 56}.get(kind, 0)
    raw = len(payload) - prefix if raw is None else raw
    return pack_frame(b"MARK", kind, codec, number, len(payload), raw, zlib.crc32(payload), flags) + payload


PLAIN = [frame(3, number, b"s" * 56 + b"\x80") for number in range(4)]


@pytest.mark.parametrize(
    "odd",
    [
        frame(RecordType.META, 2, b"\x80"),
        frame(130, 2, b"a newer kind"),
        frame(3, 2, b"s" * 56 + b"\x80", flags=1),
        frame(3, 2, b"s" * 56 + b"\x80", codec=2),
        frame(3, 3, b"s" * 56 + b"\x80"),
        frame(3, 2, b"s" * 56 + b"\x80", raw=2),
        frame(2, 2, b"d" * 16 + b"z" * 10, codec=1, raw=3 << 20),
        frame(3, 2, b"s" * 56 + b"\x80")[:-1] + b"\x81",
        b"MORK" + frame(3, 2, b"s" * 56 + b"\x80")[4:],
    ],
)
def test_what_is_not_plain_is_left_to_the_scan(tmp_path, odd):
    path = tmp_path / "frames"
    path.write_bytes(b"".join([*PLAIN[:2], odd, PLAIN[3]]))
    with path.open("rb") as file:
        assert Strides(file.fileno(), path.stat().st_size, b"MARK").stretch(0, 0) is None
        whole = Strides(file.fileno(), len(PLAIN[0]) * 2, b"MARK").stretch(0, 0)
    assert whole is not None
    assert (whole.starts, whole.end, whole.calls) == ([0, len(PLAIN[0])], 2 * len(PLAIN[0]), 2)


def test_how_much_is_read_in_vain_follows_what_was_found(tmp_path, monkeypatch):
    size = FRAME_HEADER_SIZE + 57
    path = tmp_path / "frames"
    path.write_bytes(b"".join(frame(3, number, b"s" * 56 + b"\x80") for number in range(20_000)))
    asked: list[int] = []
    pread = stretches.os.pread

    def counted(fd: int, length: int, at: int) -> bytes:
        asked.append(length)
        return pread(fd, length, at)

    monkeypatch.setattr(stretches.os, "pread", counted)
    with path.open("rb") as file:
        strides = Strides(file.fileno(), path.stat().st_size, b"MARK")
        at = records = 0
        while (found := strides.stretch(at, records)) is not None and len(asked) < 7:
            at, records = found.end, records + len(found.starts)
        assert asked == [SHORTEST << step for step in range(6)] + [LONGEST]
        asked.clear()
        assert [strides.stretch(size // 2, 0) for _ in range(40)] == [None] * 40
    assert asked == [LONGEST >> step for step in range(6)] + [SHORTEST] * 2


def test_bodies_that_come_again_are_listed_once(tmp_path):
    path = tmp_path / "a.cassette"
    write(path, [call(number, b"y" * 2_000) for number in range(30)])
    source = Source.open(path)
    try:
        assert len(Contents(source).blobs) == 24
        assert Body.of(b"y" * 2_000).length == 2_000
    finally:
        source.close()
