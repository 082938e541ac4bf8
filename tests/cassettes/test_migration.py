"""Cassettes of older formats in today's. There is no older one yet, so the steps here are made up, and the formats with them."""

from dataclasses import replace
from pathlib import Path

import pytest
from ancillary import STRANGE, add, found
from cassette_samples import read
from recorded_calls import write_cassette
from respool.cassettes import migration, writer
from respool.cassettes.errors import CassetteError, UsageError
from respool.cassettes.format import FileHeader
from respool.cassettes.migration import STEPS, TODAY, Step, migrate, steps_of
from respool.cassettes.reader import Reader
from respool.cassettes.writer import Writer

GOLDEN = Path(__file__).parents[1] / "fixtures" / "golden-1.cassette"


def contents(path: Path):
    with Reader.open(path) as reader:
        summaries = [row.summary for row in reader.rows()]
        return reader.file_id, reader.created_us, reader.meta, summaries, read(path)


def set_format(path: Path, major: int, minor: int) -> Path:
    data = path.read_bytes()
    header = FileHeader.unpack(data, "x")._replace(major=major, minor=minor)
    path.write_bytes(header.pack() + data[64:])
    return path


@pytest.fixture
def strange(tmp_path):
    """A cassette of today with fields, notes and records that this version does not know."""
    plain = write_cassette(tmp_path / "plain", [("GET", b"/v1/threads/t", b"", b"{}", 200)] * 3)
    with Reader.open(plain) as old, Writer.create(tmp_path / "strange", meta={"from tomorrow": {"a": [b"b"]}}) as made:
        for row in old.rows():
            made.append(replace(old.interaction(row), extra={"new": row.summary.arrival}), row.summary)
    return add(tmp_path / "strange", *STRANGE)


def test_format_1_0_is_today_and_nothing_is_converted():
    assert TODAY == (1, 0)
    assert STEPS == {}
    with Reader.open(GOLDEN) as reader:
        assert steps_of(reader) == []


@pytest.mark.parametrize("which", ["golden", "strange"])
def test_a_cassette_of_today_comes_out_equal_and_twice_as_well(tmp_path, strange, which):
    source = GOLDEN if which == "golden" else strange
    before = source.read_bytes()
    with Reader.open(source) as reader:
        assert migrate(reader, tmp_path / "once") == len(reader)
    with Reader.open(tmp_path / "once") as reader:
        migrate(reader, tmp_path / "twice")
    assert contents(tmp_path / "once") == contents(source)
    assert found(tmp_path / "once") == found(source)
    assert (tmp_path / "twice").read_bytes() == (tmp_path / "once").read_bytes()
    assert source.read_bytes() == before


@pytest.fixture
def made_up(monkeypatch):
    """Today is 1.2; each step leaves its mark."""

    def step(name: str, to: tuple[int, int]) -> Step:
        return Step(
            to,
            lambda meta: meta | {"steps": [*meta.get("steps", []), name]},
            lambda call, summary: (replace(call, extra=call.extra | {name: len(call.extra)}), summary),
        )

    monkeypatch.setattr(migration, "TODAY", (1, 2))
    monkeypatch.setattr(writer, "MINOR", 2)
    monkeypatch.setattr(migration, "STEPS", {(1, 0): step("first", (1, 1)), (1, 1): step("second", (1, 2))})


def test_an_old_cassette_goes_through_each_step_and_keeps_what_none_touches(tmp_path, strange, made_up):
    with Reader.open(strange) as reader:
        assert len(steps_of(reader)) == 2
        migrate(reader, tmp_path / "new")
    with Reader.open(tmp_path / "new") as reader:
        assert reader.format == (1, 2)
        assert steps_of(reader) == []
        assert reader.meta == {"from tomorrow": {"a": [b"b"]}, "steps": ["first", "second"]}
    assert [call.extra for call in read(tmp_path / "new")] == [{"new": n, "first": 1, "second": 2} for n in range(3)]
    assert found(tmp_path / "new") == list(STRANGE)
    with Reader.open(set_format(strange, 1, 1)) as reader:
        migrate(reader, tmp_path / "half")
    assert [call.extra for call in read(tmp_path / "half")] == [{"new": n, "second": 1} for n in range(3)]


def test_a_step_that_fails_leaves_nothing(tmp_path, strange, made_up, monkeypatch):
    def fails(call, summary):
        raise CassetteError("no way")

    monkeypatch.setattr(migration, "STEPS", {(1, 0): Step((1, 2), lambda meta: meta, fails)})
    with Reader.open(strange) as reader, pytest.raises(CassetteError, match="no way"):
        migrate(reader, tmp_path / "new")
    assert not list(tmp_path.glob("new*"))


def test_a_newer_format_and_one_without_a_way_are_refused(tmp_path, strange, monkeypatch):
    with (
        Reader.open(set_format(strange, 1, 7)) as reader,
        pytest.raises(CassetteError, match=r"newer respool \(format 1\.7") as caught,
    ):
        migrate(reader, tmp_path / "new")
    assert "upgrade" in caught.value.hint
    with pytest.raises(CassetteError, match=r"newer respool \(format 2\.0"):
        Reader.open(set_format(strange, 1, 7).with_name(_as_major_2(strange)))
    monkeypatch.setattr(migration, "TODAY", (1, 9))
    for steps in ({}, {(1, 7): Step((1, 7), dict, lambda call, summary: (call, summary))}):
        monkeypatch.setattr(migration, "STEPS", steps)
        with Reader.open(strange) as reader, pytest.raises(CassetteError, match="cannot convert"):
            migrate(reader, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def _as_major_2(path: Path) -> str:
    copy = path.with_name("major-2")
    data = path.read_bytes()
    copy.write_bytes(FileHeader.unpack(data, "x")._replace(major=2, minor=0).pack() + data[64:])
    return copy.name


def test_what_is_in_the_way_stays(tmp_path, strange):
    (tmp_path / "there").write_bytes(b"mine")
    with Reader.open(strange) as reader:
        with pytest.raises(CassetteError, match="exists already"):
            migrate(reader, tmp_path / "there")
        with pytest.raises(UsageError, match="is the cassette that is read"):
            migrate(reader, strange, overwrite=True)
        assert (tmp_path / "there").read_bytes() == b"mine"
        migrate(reader, tmp_path / "there", overwrite=True)
    assert contents(tmp_path / "there") == contents(strange)
