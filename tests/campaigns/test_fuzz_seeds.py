"""What the fuzzer begins with, and what it once found, is read without anything but a cassette error (see tests/fuzz)."""

from pathlib import Path

import pytest
from programs import build, program_of, read_everything
from respool.cassettes.reader import Reader
from specimens import SMALL

SEEDS = sorted((Path(__file__).parent.parent / "fuzz" / "seeds").iterdir())


@pytest.mark.parametrize("seed", SEEDS, ids=lambda path: path.name)
def test_a_seed_is_read(seed):
    assert seed.stat().st_size <= 8192, "seeds are small"
    read_everything(build(seed.read_bytes()))


def test_the_seeds_reach_what_lies_behind_the_checksums():
    told = {seed.name: read_everything(build(seed.read_bytes())) for seed in SEEDS}
    assert told["two-seals"] == 8
    assert told["packed"] == 8
    assert sum(told.values()) > 15


@pytest.mark.parametrize("specimen", ["plain", "packed"])
def test_a_program_describes_a_cassette(tmp_path, specimen):
    path = tmp_path / "a.cassette"
    calls = SMALL[specimen](path)
    built = build(program_of(path.read_bytes()))
    path.write_bytes(built)
    with Reader.open(path) as reader:
        assert len(reader) == len(calls)
