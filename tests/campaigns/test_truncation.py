"""A cassette cut at every byte: what had ended before the cut comes back byte for byte, and nothing else is called whole."""

import os
import random
import shutil
from pathlib import Path

import pytest
from campaign import LONG
from cassette_samples import read, whole
from respool.cassettes.errors import CassetteError
from respool.cassettes.format import RecordType
from respool.cassettes.interaction import Interaction
from respool.cassettes.reader import Reader
from respool.cassettes.scan import scan
from respool.cassettes.writer import Writer
from specimens import LARGE, SMALL, Specimen

CASES = {f"small {name}": make for name, make in SMALL.items()} | {
    f"large {name}": make for name, make in LARGE.items()
}


def in_order(calls: list[Interaction]) -> list[Interaction]:
    return sorted(calls, key=lambda one: one.arrival)


def steps_of(path: Path) -> list[tuple[int, int]]:
    """The end of each record, and how many interactions are whole up to there."""
    copy = path.with_name("copy.cassette")
    shutil.copyfile(path, copy)
    steps = []
    for frame in reversed(list(scan(path))):
        os.truncate(copy, frame.end)
        with Reader.open(copy) as reader:
            steps.append((frame.end, len(reader)))
    return steps[::-1]


@pytest.mark.parametrize("name", CASES)
def test_a_cut_at_any_byte_loses_only_what_was_not_whole(tmp_path, name):
    path = tmp_path / "a.cassette"
    calls = CASES[name](path)
    size = path.stat().st_size
    steps = steps_of(path)
    seals = {frame.end for frame in scan(path) if frame.header.type == RecordType.SEAL}
    assert steps[-1] == (size, len(calls))
    assert len(seals) == (3 if name.endswith("packed") else 2)
    places = set(range(size))
    if not LONG:
        near = {end + by for end, _ in steps for by in (-33, -1, 0, 1, 31)} & places
        places = near | set(random.Random(size).sample(sorted(places), 120))
    for cut in sorted(places, reverse=True):
        os.truncate(path, cut)
        end, count = max((step for step in steps if step[0] <= cut), default=(0, 0))
        if cut < steps[0][0]:
            with pytest.raises(CassetteError):
                Reader.open(path)
            continue
        with Reader.open(path) as reader:
            assert reader.sealed is (cut in seals)
            assert reader.dropped_bytes == cut - end
            assert bool(reader.warning) is not reader.sealed
            assert [whole(reader.interaction(row)) for row in reader.rows()] == in_order(calls[:count])


@pytest.mark.parametrize("make", LARGE.values(), ids=LARGE)
def test_after_a_cut_the_recording_goes_on(tmp_path, make: Specimen):
    path = tmp_path / "a.cassette"
    calls = make(path)
    steps = steps_of(path)
    data = path.read_bytes()
    cuts = [end + by for end, _ in steps[:-1] for by in (0, 1, 40)]
    for cut in cuts if LONG else cuts[:: len(cuts) // 25 or 1]:
        path.write_bytes(data[:cut])
        end, count = max(step for step in steps if step[0] <= cut)
        with Writer.append_to(path) as writer:
            assert (writer.torn is not None) is (cut > end)
            if writer.torn is not None:
                assert writer.torn.read_bytes() == data[end:cut]
                writer.torn.unlink()
            _again(writer, calls[count:])
        assert read(path) == in_order(calls)


def _again(writer: Writer, calls: list[Interaction]) -> None:
    from cassette_samples import summary

    for one in calls:
        writer.append(one, summary(one))
