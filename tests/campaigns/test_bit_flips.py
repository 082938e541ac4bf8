"""Every bit of a cassette, flipped: each flip is noticed, or changes nothing that anybody is told."""

from collections import Counter
from pathlib import Path

import pytest
from campaign import LONG
from cassette_samples import whole
from respool.cassettes.errors import CassetteError
from respool.cassettes.format import RecordType
from respool.cassettes.interaction import Interaction
from respool.cassettes.reader import Reader
from respool.cassettes.repair import examine
from respool.cassettes.scan import scan
from specimens import SMALL, Specimen


def flip(path: Path, at: int, byte: int) -> None:
    with path.open("r+b", buffering=0) as file:
        file.seek(at)
        file.write(bytes([byte]))


def told(path: Path, calls: list[Interaction]) -> str:
    """What a reader of this file is told: `error`, or how the file was opened; it must never be told a lie."""
    got: list[Interaction] = []
    try:
        with Reader.open(path) as reader:
            for row in list(reader.rows()):
                got.append(whole(reader.interaction(row)))
            names = reader.scopes()
            how = "unsealed" if not reader.sealed else "rebuilt" if reader.rebuilt else "as ever"
    except CassetteError:
        assert all(one in calls for one in got)
        return "error"
    assert got == calls, "a flipped bit must not look like an end"
    assert set(names) == {one.scope for one in calls}
    return how


@pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)
def test_a_flipped_bit_anywhere_is_never_taken_for_the_truth(tmp_path, make: Specimen):
    path = tmp_path / "a.cassette"
    calls = sorted(make(path), key=lambda one: one.arrival)
    data = path.read_bytes()
    last = list(scan(path))[-1]
    assert last.header.type == RecordType.SEAL
    outcomes: Counter[str] = Counter()
    for at in range(len(data)):
        if not LONG and at % 3:
            continue
        for bit in range(8) if LONG else (at * 5 % 8,):
            flip(path, at, data[at] ^ 1 << bit)
            how = told(path, calls)
            assert (how == "unsealed") is (at >= last.offset), at
            outcomes[how] += 1
        flip(path, at, data[at])
    assert outcomes["error"] > sum(outcomes.values()) / 2
    assert outcomes["rebuilt"] > 100


@pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)
def test_who_reads_all_of_it_notices_every_bit_of_every_record(tmp_path, make: Specimen):
    """What an index saves a reader from looking at, `respool doctor` looks at: only an INDEX is no loss."""
    path = tmp_path / "a.cassette"
    make(path)
    data = path.read_bytes()
    for frame in scan(path):
        if frame.header.type == RecordType.INDEX:
            continue
        for at in range(frame.offset, frame.end):
            if not LONG and at % 7:
                continue
            for bit in range(8) if LONG else (at * 3 % 8,):
                flip(path, at, data[at] ^ 1 << bit)
                found = examine(path)
                assert not (found.healthy and found.sealed), (at, bit)
            flip(path, at, data[at])
